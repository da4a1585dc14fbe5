"""Revisions of strategies, kept in the graph: a change is not used before people approve it (S33).

Pure: what the graph holds and what the files say go in, what the graph should hold comes out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from graphmind.errors import GraphmindError
from graphmind.graph.port import GraphRows, Row
from graphmind.repair.strategies.loading import strategy_of
from graphmind.repair.strategies.strategy import Strategy

SHIPPED: Final = "graphmind"
"""Who approved the revisions of the library: it is reviewed with the code."""


class ApprovalRefused(GraphmindError):  # noqa: N818 - reads as the decision it reports
    """That person cannot approve that revision."""


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One state of a strategy's file, and whether it may be used."""

    strategy: Strategy
    source: str
    """File it came from; ``library`` where it is shipped."""
    proposed_by: str
    proposed_ms: int
    enabled: bool = True
    """Off: never chosen, whoever approved it."""
    approved_by: tuple[str, ...] = ()
    approved_ms: int | None = None
    """When the last of them did."""

    @property
    def key(self) -> str:
        """``strategyId@revision``."""
        return self.strategy.key

    @property
    def usable(self) -> bool:
        """Whether it may be chosen."""
        return self.enabled and bool(self.approved_by)


def take_in(
    known: Iterable[Revision],
    found: Iterable[Strategy],
    *,
    source: str,
    proposed_by: str,
    now_ms: int,
) -> list[Revision]:
    """Return all revisions, those new in files among them; known ones stay as they are.

    New revisions wait for approval, but for those of ``source="library"``.
    """
    by_key = {revision.key: revision for revision in known}
    shipped = source == "library"
    for strategy in found:
        by_key.setdefault(
            strategy.key,
            Revision(
                strategy=strategy,
                source=source,
                proposed_by=proposed_by,
                proposed_ms=now_ms,
                approved_by=(SHIPPED,) if shipped else (),
                approved_ms=now_ms if shipped else None,
            ),
        )
    return [by_key[key] for key in sorted(by_key)]


def approve(revision: Revision, *, who: str, now_ms: int) -> Revision:
    """Return a revision that a person approved. Raises ApprovalRefused for who proposed it.

    Who approves an older revision again brings it back: the one approved last is used.
    """
    if who == revision.proposed_by:
        raise ApprovalRefused(
            f"{revision.key} was proposed by {who}: it takes another person to approve it"
        )
    people = dict.fromkeys((*revision.approved_by, who))
    return replace(revision, approved_by=tuple(people), approved_ms=now_ms)


def in_use(revisions: Iterable[Revision]) -> tuple[Revision, ...]:
    """Return of each strategy the usable revision approved last, by id.

    A file that changed goes on as it was until its change is approved; one whose latest approved
    revision is switched off is not used at all, so that no older one comes back unasked.
    """
    latest: dict[str, Revision] = {}
    for revision in sorted(revisions, key=_age):
        if revision.approved_by:
            latest[revision.strategy.strategy_id] = revision
    return tuple(latest[name] for name in sorted(latest) if latest[name].usable)


def waiting(revisions: Iterable[Revision]) -> tuple[Revision, ...]:
    """Return the revisions that nobody approved yet, oldest first."""
    return tuple(each for each in sorted(revisions, key=_age) if not each.approved_by)


def rows_of_revisions(revisions: Sequence[Revision]) -> GraphRows:
    """Return revisions as rows of the graph."""
    return GraphRows(nodes={"Strategy": [_row(revision) for revision in revisions]})


def revisions_from(rows: Iterable[Mapping[str, Any]]) -> list[Revision]:
    """Read the answer of ``strategy_revisions`` back."""
    return [_revision(row) for row in rows]


def _row(revision: Revision) -> Row:
    strategy = revision.strategy
    document = orjson.dumps(strategy.document, option=orjson.OPT_SORT_KEYS).decode()
    return {
        "key": revision.key,
        "strategyId": strategy.strategy_id,
        "title": strategy.title,
        "level": strategy.level,
        "repairLevel": strategy.repair_level,
        "source": revision.source,
        "enabled": revision.enabled,
        "approvedBy": list(revision.approved_by) or None,
        "approvedMs": revision.approved_ms,
        "proposedBy": revision.proposed_by,
        "proposedMs": revision.proposed_ms,
        "document": document,
    }


def _revision(row: Mapping[str, Any]) -> Revision:
    return Revision(
        strategy=strategy_of(orjson.loads(row["document"])),
        source=row["source"],
        proposed_by=row["proposed_by"],
        proposed_ms=row["proposed_ms"],
        enabled=bool(row["enabled"]),
        approved_by=tuple(row["approved_by"]),
        approved_ms=row["approved_ms"],
    )


def _age(revision: Revision) -> tuple[int, int, str]:
    return revision.approved_ms or 0, revision.proposed_ms, revision.key
