"""The strategies that may be used: shipped ones and a folder's, their revisions in the graph."""

from pathlib import Path
from typing import Final

from graphmind.errors import UnknownName
from graphmind.graph.port import GraphStore
from graphmind.repair.journal import AuditDraft, Journal
from graphmind.repair.strategies.loading import shipped, strategies_in
from graphmind.repair.strategies.revisions import (
    Revision,
    approve,
    in_use,
    revisions_from,
    rows_of_revisions,
    take_in,
)
from graphmind.repair.strategies.strategy import Strategy

OWN: Final = "file"
"""Who proposes the revisions of a folder: whoever may write there, so anyone may approve them."""


class Book:
    """Reads and writes the revisions of strategies."""

    def __init__(self, graph: GraphStore, journal: Journal) -> None:
        self._graph = graph
        self._journal = journal

    def take_in(self, folder: Path | None, *, now_ms: int) -> list[Revision]:
        """Bring what is shipped and what the folder holds into the graph; return what is new.

        Raises Unreadable for a folder with mistakes.
        """
        known = self.revisions()
        found = take_in(known, shipped(), source="library", proposed_by="graphmind", now_ms=now_ms)
        if folder is not None:
            own = strategies_in(folder)
            found = take_in(found, own, source=str(folder), proposed_by=OWN, now_ms=now_ms)
        keys = {each.key for each in known}
        new = [each for each in found if each.key not in keys]
        if new:
            self._graph.upsert(rows_of_revisions(new))
            self._journal.note(*(_noted(each, "propose_strategy", now_ms) for each in new))
        return new

    def revisions(self) -> list[Revision]:
        """Return all revisions known, by key."""
        return revisions_from(self._graph.read("strategy_revisions"))

    def in_use(self) -> tuple[Strategy, ...]:
        """Return the strategies that may be chosen."""
        return tuple(each.strategy for each in in_use(self.revisions()))

    def get(self, key: str) -> Revision:
        """Return a revision by ``strategyId@revision``, or the one in use by id.

        Raises UnknownName.
        """
        revisions = self.revisions()
        used = {each.strategy.strategy_id: each for each in in_use(revisions)}
        found = used.get(key) or {each.key: each for each in revisions}.get(key)
        if found is None:
            raise UnknownName(
                f"No strategy {key!r} is in use; `graphmind strategies` lists what is known."
            )
        return found

    def approve(self, key: str, *, who: str, now_ms: int) -> Revision:
        """Approve a revision. Raises UnknownName, ApprovalRefused."""
        known = {each.key: each for each in self.revisions()}
        if key not in known:
            raise UnknownName(f"No revision {key!r} of a strategy; known: {', '.join(known)}")
        approved = approve(known[key], who=who, now_ms=now_ms)
        self._graph.upsert(rows_of_revisions([approved]))
        self._journal.note(_noted(approved, "approve_strategy", now_ms, who=who))
        return approved


def _noted(revision: Revision, what: str, now_ms: int, *, who: str = "") -> AuditDraft:
    body = {
        "strategy": revision.key,
        "source": revision.source,
        "approved_by": list(revision.approved_by),
    }
    return AuditDraft(who=who or revision.proposed_by, what=what, at_ms=now_ms, body=body)
