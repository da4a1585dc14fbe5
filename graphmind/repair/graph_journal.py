"""The journal in the property graph: each change, with its lease and audit, one transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

import msgspec

from graphmind.errors import UnknownName
from graphmind.graph.journal import JournalRows, RepairRows
from graphmind.graph.port import GraphStore, Row
from graphmind.repair.audit import START, ChainBreak, ChainWalk, canonical, linked
from graphmind.repair.journal import (
    FOREVER_MS,
    AuditDraft,
    AuditEntry,
    AuditHead,
    Journal,
    Lease,
    Outdated,
    TargetBusy,
)
from graphmind.repair.model import Json
from graphmind.repair.record import Repair
from graphmind.repair.record_json import from_json, to_json
from graphmind.repair.states import LIVE, State

T = TypeVar("T")
HALF_DONE: Final = frozenset({State.RUNNING, State.ROLLING_BACK})
"""States of which a lease that ran out frees the target for a recovery only."""
SEARCHED: Final = ("trace_ids", "task_ids", "strategy")
"""Parts of an entry's body that are properties of their own, and so not in its JSON as well."""
PAGE: Final = 1_000
"""Entries read at once when all are (chosen)."""


class GraphJournal:
    """A Journal on either engine of the graph, for several processes where it is a Neo4j."""

    def __init__(self, graph: GraphStore) -> None:
        self._graph = graph

    def create(self, repair: Repair, draft: AuditDraft) -> Repair:
        """Keep a new repair; for an idempotency key that is known, return that repair instead."""

        def work(rows: JournalRows) -> Repair:
            if repair.idempotency_key:
                known = rows.document_of_key(repair.idempotency_key)
                if known is not None:
                    return from_json(known)
            if rows.document(repair.repair_id) is not None:
                raise Outdated(f"Repair {repair.repair_id} exists: a new one needs a new id.")
            first = replace(repair, version=1)
            rows.put_repair(rows_of(first))
            _append(rows, (draft,))
            return first

        return self._transact(work)

    def change(
        self, repair: Repair, *drafts: AuditDraft, lease_until_ms: int | None = None
    ) -> Repair:
        """Write a changed repair and its audit entries; return it with its new version."""
        changed = replace(repair, version=repair.version + 1)
        now_ms = max((draft.at_ms for draft in drafts), default=0)

        def work(rows: JournalRows) -> Repair:
            stored = _known(rows, repair.repair_id)
            if stored.version != repair.version:
                raise Outdated(
                    f"Repair {repair.repair_id} was changed meanwhile: version {stored.version} "
                    f"is kept, {repair.version} came. Read it again."
                )
            _lease(rows, changed, now_ms=now_ms, until_ms=lease_until_ms)
            rows.put_repair(rows_of(changed))
            _append(rows, drafts)
            return changed

        return self._transact(work)

    def note(self, *drafts: AuditDraft) -> None:
        """Write audit entries that belong to no repair."""
        self._transact(lambda rows: _append(rows, drafts))

    def get(self, repair_id: str) -> Repair:
        """Return one repair. Raises UnknownName."""
        return _known(JournalRows(self._graph.ask), repair_id)

    def repairs(
        self, *, incident_id: str | None = None, states: Sequence[str] = (), limit: int = 200
    ) -> list[Repair]:
        """Return repairs, newest first."""
        rows = JournalRows(self._graph.ask)
        wanted = [str(state) for state in states]
        documents = rows.documents(incident_id=incident_id or "", states=wanted, limit=limit)
        return [from_json(document) for document in documents]

    def entries(
        self,
        *,
        repair_id: str | None = None,
        trace_id: str = "",
        task_id: str = "",
        strategy: str = "",
        from_ms: int = 0,
        until_ms: int = FOREVER_MS,
        from_seq: int = 0,
        limit: int = 1000,
    ) -> list[AuditEntry]:
        """Return the audit trail in order."""
        rows = JournalRows(self._graph.ask)
        wanted = None if repair_id is None else [repair_id]
        if trace_id or task_id or strategy:
            named = rows.repairs_named(trace_id=trace_id, task_id=task_id, strategy=strategy)
            wanted = [id_ for id_ in named if wanted is None or id_ in wanted]
        found = rows.entries(
            repair_ids=wanted, from_seq=from_seq, from_ms=from_ms, until_ms=until_ms, limit=limit
        )
        return [_entry(row) for row in found]

    def head(self) -> AuditHead:
        """Return where the trail ends."""
        return _head(JournalRows(self._graph.ask))

    def lease(self, target: str) -> Lease | None:
        """Return who holds a target, or held it last without letting go."""
        held = JournalRows(self._graph.ask).lease(target)
        return held and Lease(target=target, repair_id=held[0], until_ms=held[1])

    def setting(self, name: str) -> Json:
        """Return a durable switch; empty where it was never set."""
        value = JournalRows(self._graph.ask).switch(name)
        found: Mapping[str, Any] = msgspec.json.decode(value) if value else {}
        return found

    def set(self, name: str, value: Json, draft: AuditDraft) -> None:
        """Set a durable switch, with its audit entry."""

        def work(rows: JournalRows) -> None:
            rows.put_switch(name, canonical(value).decode(), who=draft.who, at_ms=draft.at_ms)
            _append(rows, (draft,))

        self._transact(work)

    def _transact(self, work: Callable[[JournalRows], T]) -> T:
        def locked(run: Callable[[str, Mapping[str, Any]], list[Row]]) -> T:
            rows = JournalRows(run)
            rows.lock()
            return work(rows)

        return self._graph.transact(locked)


def verify_journal(journal: Journal) -> Iterator[ChainBreak]:
    """Yield where the whole trail is not what was written; it may grow meanwhile."""
    walk, from_seq = ChainWalk(), -(2**62)  # Who changes an entry may give it any place.
    while True:
        for entry in _pages(journal, from_seq):
            yield from walk.read(entry)
        head, from_seq = journal.head(), walk.last + 1
        if head.seq <= walk.last or not journal.entries(from_seq=from_seq, limit=1):
            yield from walk.end(head)
            return


def _pages(journal: Journal, from_seq: int) -> Iterator[AuditEntry]:
    """Read page by page; entries of one place are never parted by the end of a page."""
    while True:
        page = journal.entries(from_seq=from_seq, limit=PAGE)
        last = page[-1].seq if page else 0
        if len(page) < PAGE or page[0].seq == last:
            yield from page
            return
        yield from (entry for entry in page if entry.seq < last)
        from_seq = last


def _known(rows: JournalRows, repair_id: str) -> Repair:
    document = rows.document(repair_id)
    if document is None:
        raise UnknownName(f"No repair {repair_id!r}; `graphmind repairs` lists them.")
    return from_json(document)


def _lease(rows: JournalRows, repair: Repair, *, now_ms: int, until_ms: int | None) -> None:
    if repair.state not in LIVE:
        rows.drop_lease(repair.target, repair.repair_id)
        return
    held = rows.lease(repair.target)
    if held is not None and held[0] != repair.repair_id:
        _refuse_held(rows, repair.target, held, now_ms)
    if until_ms is not None:
        rows.put_lease(repair.target, repair.repair_id, until_ms)
    elif repair.state in HALF_DONE and (held is None or held[0] != repair.repair_id):
        raise ValueError(f"{repair.repair_id} becomes {repair.state}: say until when it may hold")


def _refuse_held(rows: JournalRows, target: str, held: tuple[str, int], now_ms: int) -> None:
    """Raise TargetBusy unless the lease ran out and nothing is left half done."""
    holder, until_ms = held
    if until_ms > now_ms:
        raise TargetBusy(f"{target} is held by repair {holder}: wait for it, or cancel it.")
    document = rows.document(holder)
    if document is not None and from_json(document).state in HALF_DONE:
        raise TargetBusy(f"Repair {holder} stands half done on {target}: recover it first.")


def _append(rows: JournalRows, drafts: Sequence[AuditDraft]) -> None:
    rows.append([_entry_row(entry) for entry in linked(drafts, _head(rows))])


def _head(rows: JournalRows) -> AuditHead:
    seq, hash_ = rows.head()
    return AuditHead(seq=seq, hash=hash_) if seq else START


def _entry_row(entry: AuditEntry) -> Row:
    draft = entry.draft
    apart = {name: draft.body[name] for name in SEARCHED if _fits(name, draft.body.get(name))}
    rest = {name: value for name, value in draft.body.items() if name not in apart}
    columns = {_column(name): value for name, value in apart.items()}
    return columns | {
        "entryId": f"{entry.seq:012d}",
        "seq": entry.seq,
        "prevHash": entry.prev_hash,
        "hash": entry.hash,
        "who": draft.who,
        "what": draft.what,
        "atMs": draft.at_ms,
        "repairId": draft.repair_id,
        "body": canonical(rest).decode(),
    }


def _entry(row: Row) -> AuditEntry:
    """Return the entry as it stands; a body that is no JSON is told by the hash."""
    try:
        body = msgspec.json.decode(row.get("body") or "{}")
    except msgspec.DecodeError:
        body = {"unreadable": row["body"]}
    apart = {name: row[_column(name)] for name in SEARCHED if row.get(_column(name)) is not None}
    draft = AuditDraft(
        who=row.get("who", ""),
        what=row.get("what", ""),
        at_ms=row.get("atMs", 0),
        repair_id=row.get("repairId", ""),
        body={**(body if isinstance(body, dict) else {"unreadable": body}), **apart},
    )
    return AuditEntry(
        seq=row.get("seq", 0),
        prev_hash=row.get("prevHash", ""),
        hash=row.get("hash", ""),
        draft=draft,
    )


def _fits(name: str, value: Any) -> bool:
    """Whether a part of the body comes back from a property as it was: lists empty may not."""
    if name == "strategy":
        return isinstance(value, str)
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)


def _column(name: str) -> str:
    return {"trace_ids": "traceIds", "task_ids": "taskIds"}.get(name, name)


def rows_of(repair: Repair) -> RepairRows:
    """Return a repair as the graph shows it: its record, and what is asked for by Cypher."""
    steps = repair.plan.steps if repair.plan else ()
    return RepairRows(
        props={
            "repairId": repair.repair_id,
            "version": repair.version,
            "incidentId": repair.incident_id,
            "level": repair.level,
            "action": steps[0].call.action if steps else None,
            "target": repair.target,
            "state": str(repair.state),
            "strategy": repair.strategy,
            "fingerprint": repair.fingerprint,
            "idempotencyKey": repair.idempotency_key,
            "planHash": repair.plan.plan_hash if repair.plan else None,
            "mode": repair.mode,
            "requestedBy": repair.requested_by,
            "operator": repair.operator,
            "attempts": sum(run.attempts for run in repair.steps),
            "verdict": repair.verdict,
            "requestedMs": repair.requested_ms,
            "startedMs": repair.started_ms,
            "executedMs": repair.executed_ms,
            "endedMs": repair.ended_ms,
            "document": to_json(repair),
        },
        incident_id=repair.incident_id,
        target=repair.target,
        strategy=repair.strategy,
        steps=_step_rows(repair),
        approvals=_approval_rows(repair),
    )


def _step_rows(repair: Repair) -> list[Row]:
    runs = {run.number: run for run in repair.steps}
    return [
        {
            "key": f"{repair.repair_id}:{step.number}",
            "connector": step.connector,
            "action": step.call.action,
            "target": step.call.target,
            "state": str(run.state) if run else None,
            "attempts": run.attempts if run else None,
            "detail": run.detail if run else None,
            "startedMs": run.started_ms if run else None,
            "endedMs": run.ended_ms if run else None,
        }
        for step in (repair.plan.steps if repair.plan else ())
        for run in [runs.get(step.number)]
    ]


def _approval_rows(repair: Repair) -> list[Row]:
    return [
        {
            "approvalId": f"{repair.repair_id}:{number}",
            "who": approval.who,
            "role": approval.role,
            "what": "approved" if approval.approved else "rejected",
            "atMs": approval.at_ms,
            "planHash": approval.plan_hash,
            "reason": approval.reason,
        }
        for number, approval in enumerate(repair.approvals, 1)
    ]
