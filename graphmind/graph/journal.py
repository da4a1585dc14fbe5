"""The rows of the journal: repairs, leases, switches and the audit trail.

What they mean is the repair room's. A transaction that writes begins with ``lock``: it writes to
the one JournalHead, so that of several processes one at a time reads, decides and writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphmind.graph.incidents import LABEL_OF_ITEM
from graphmind.graph.port import Row, Run
from graphmind.graph.schema import NODES, RESOURCES
from graphmind.graph.texts import edge_text, node_text

LOCK: Final = (
    "MERGE (h:JournalHead {name: 'journal'}) SET h.changes = coalesce(h.changes, 0) + 1 "
    "RETURN h.name AS name"
)
HEAD: Final = "MATCH (h:JournalHead {name: 'journal'}) RETURN h.seq AS seq, h.hash AS hash"
SET_HEAD: Final = (
    "MATCH (h:JournalHead {name: 'journal'}) SET h.seq = $seq, h.hash = $hash RETURN h.name AS name"
)
REPAIR: Final = "MATCH (r:Repair {repairId: $id}) RETURN r.document AS document"
REPAIR_OF_KEY: Final = (
    "MATCH (r:Repair {idempotencyKey: $key}) RETURN r.document AS document "
    "ORDER BY r.requestedMs LIMIT 1"
)
REPAIRS: Final = (
    "MATCH (r:Repair) WHERE ($incidentId = '' OR r.incidentId = $incidentId) "
    "AND (size($states) = 0 OR r.state IN $states) "
    "RETURN r.document AS document ORDER BY r.requestedMs DESC, r.repairId DESC LIMIT $limit"
)
LEASE: Final = (
    "MATCH (l:Lease {target: $target}) RETURN l.repairId AS repairId, l.untilMs AS untilMs"
)
DROP_LEASE: Final = "MATCH (l:Lease {target: $target}) WHERE l.repairId = $repairId DELETE l"
SWITCH: Final = "MATCH (s:Switch {name: $name}) RETURN s.value AS value"
ADD_ENTRIES: Final = "UNWIND $rows AS r CREATE (e:AuditEntry) SET e += r"
ENTRIES: Final = (
    "MATCH (e:AuditEntry) WHERE e.seq >= $fromSeq AND e.atMs >= $fromMs AND e.atMs < $untilMs "
    "RETURN properties(e) AS entry ORDER BY e.seq, e.entryId LIMIT $limit"
)
ENTRIES_OF_REPAIRS: Final = (
    "UNWIND $repairIds AS id MATCH (e:AuditEntry {repairId: id}) "
    "WHERE e.seq >= $fromSeq AND e.atMs >= $fromMs AND e.atMs < $untilMs "
    "RETURN properties(e) AS entry ORDER BY e.seq, e.entryId LIMIT $limit"
)
REPAIRS_NAMED: Final = (
    "MATCH (e:AuditEntry) WHERE e.repairId <> '' "
    "AND ($traceId = '' OR $traceId IN coalesce(e.traceIds, [])) "
    "AND ($taskId = '' OR $taskId IN coalesce(e.taskIds, [])) "
    "AND ($strategy = '' OR e.strategy = $strategy OR e.strategy STARTS WITH $strategy + '@') "
    "RETURN DISTINCT e.repairId AS id ORDER BY id"
)
JOURNAL_TEXTS: Final = (
    *(LOCK, HEAD, SET_HEAD, REPAIR, REPAIR_OF_KEY, REPAIRS, LEASE, DROP_LEASE, SWITCH),
    *(ADD_ENTRIES, ENTRIES, ENTRIES_OF_REPAIRS, REPAIRS_NAMED),
)

TARGET_LABELS: Final[Mapping[str, str]] = {
    **{kind: label for kind, label in LABEL_OF_ITEM.items() if label in RESOURCES},
    "key": "KvKey",
    "model": "Model",
    "trace": "Trace",
}
"""The label of the node that a target of a kind is named by."""


@dataclass(frozen=True, kw_only=True)
class RepairRows:
    """One repair as rows: ``props`` by stored name, the names of what it is joined to."""

    props: Row
    incident_id: str = ""
    target: str = ""
    """``kind:name``."""
    strategy: str = ""
    steps: Sequence[Row] = field(default_factory=tuple)
    approvals: Sequence[Row] = field(default_factory=tuple)


class JournalRows:
    """The journal's rows through one way of running statements: a transaction, or reads."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def lock(self) -> None:
        """Wait until no other transaction writes to the journal; hold that until the end."""
        self._run(LOCK, {})

    def head(self) -> tuple[int, str]:
        """Return place and hash of the last audit entry; ``(0, "")`` where there is none."""
        for row in self._run(HEAD, {}):
            return row["seq"] or 0, row["hash"] or ""
        return 0, ""

    def document(self, repair_id: str) -> str | None:
        """Return the record of a repair as it was written."""
        return _first(self._run(REPAIR, {"id": repair_id}), "document")

    def document_of_key(self, idempotency_key: str) -> str | None:
        """Return the record of the repair that was asked for by this key."""
        return _first(self._run(REPAIR_OF_KEY, {"key": idempotency_key}), "document")

    def documents(self, *, incident_id: str, states: Sequence[str], limit: int) -> list[str]:
        """Return records, newest first; an empty filter lets all through."""
        params = {"incidentId": incident_id, "states": list(states), "limit": limit}
        return [row["document"] for row in self._run(REPAIRS, params)]

    def put_repair(self, rows: RepairRows) -> None:
        """Write a repair with its steps and approvals, and join it to what is in the graph."""
        id_ = rows.props["repairId"]
        self._put("Repair", "repairId", [rows.props])
        self._put("RepairStep", "key", rows.steps)
        self._put("Approval", "approvalId", rows.approvals)
        self._join(id_, "HAS_STEP", "RepairStep", [row["key"] for row in rows.steps])
        self._join(id_, "HAS_APPROVAL", "Approval", [row["approvalId"] for row in rows.approvals])
        self._join(id_, "REPAIRS", "Incident", [rows.incident_id])
        self._join(id_, "APPLIES", "Strategy", [rows.strategy])
        kind, _, name = rows.target.partition(":")
        if kind in TARGET_LABELS:
            self._join(id_, "TARGETS", TARGET_LABELS[kind], [name])

    def lease(self, target: str) -> tuple[str, int] | None:
        """Return the repair that holds a target and until when (epoch ms)."""
        for row in self._run(LEASE, {"target": target}):
            return row["repairId"], row["untilMs"]
        return None

    def put_lease(self, target: str, repair_id: str, until_ms: int) -> None:
        """Give a target to a repair."""
        self._put("Lease", "target", [_row(target=target, repairId=repair_id, untilMs=until_ms)])

    def drop_lease(self, target: str, repair_id: str) -> None:
        """Let a target go, if this repair holds it."""
        self._run(DROP_LEASE, {"target": target, "repairId": repair_id})

    def switch(self, name: str) -> str | None:
        """Return the value of a durable setting, as it was written."""
        return _first(self._run(SWITCH, {"name": name}), "value")

    def put_switch(self, name: str, value: str, *, who: str, at_ms: int) -> None:
        """Set a durable setting."""
        self._put("Switch", "name", [_row(name=name, value=value, who=who, atMs=at_ms)])

    def append(self, entries: Sequence[Row]) -> None:
        """Add audit entries after the head, which becomes the last of them."""
        if entries:
            self._run(ADD_ENTRIES, {"rows": list(entries)})
            self._run(SET_HEAD, {"seq": entries[-1]["seq"], "hash": entries[-1]["hash"]})

    def entries(
        self,
        *,
        repair_ids: Sequence[str] | None,
        from_seq: int,
        from_ms: int,
        until_ms: int,
        limit: int,
    ) -> list[Row]:
        """Return audit entries in order: of some repairs, or of all where that is None."""
        params: dict[str, Any] = {"fromSeq": from_seq, "fromMs": from_ms, "untilMs": until_ms}
        params["limit"] = limit
        if repair_ids is None:
            return [row["entry"] for row in self._run(ENTRIES, params)]
        params["repairIds"] = list(repair_ids)
        return [row["entry"] for row in self._run(ENTRIES_OF_REPAIRS, params)]

    def repairs_named(self, *, trace_id: str, task_id: str, strategy: str) -> list[str]:
        """Return the repairs of which an audit entry names all of what is not empty."""
        params = {"traceId": trace_id, "taskId": task_id, "strategy": strategy}
        return [row["id"] for row in self._run(REPAIRS_NAMED, params)]

    def _put(self, label: str, key: str, rows: Sequence[Row]) -> None:
        assert label in NODES
        if rows:
            known = [{"id": row[key], "props": _without(row, key)} for row in rows]
            self._run(node_text(label), {"rows": known})

    def _join(self, repair_id: str, type_: str, label: str, names: Sequence[str]) -> None:
        rows = [{"from": repair_id, "to": name, "props": {}} for name in names if name]
        if rows:
            self._run(edge_text(type_, "Repair", label), {"rows": rows})


def _first(rows: list[Row], column: str) -> str | None:
    return rows[0][column] if rows else None


def _row(**props: Any) -> Row:
    return props


def _without(row: Row, key: str) -> Row:
    return {name: value for name, value in row.items() if name != key}
