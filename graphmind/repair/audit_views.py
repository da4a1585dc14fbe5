"""What people ask of the audit trail: S32 records, counts an hour, the export package. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from graphmind.repair.journal import AuditEntry, AuditHead
from graphmind.repair.model import Json
from graphmind.repair.record import Repair
from graphmind.repair.record_json import as_document

HOUR_MS: Final = 3_600_000
FALLBACKS: Final = frozenset({"degrade", "skip_step", "fail_over"})
"""Actions that let work go on by something lesser (chosen); so does a mark ``fallback``."""


@dataclass(frozen=True, kw_only=True)
class HourCount:
    """How many entries of one kind an hour saw."""

    hour_ms: int
    """Start of the hour, epoch ms."""
    what: str
    operator: str
    """system, human or mixed; empty where the entry belongs to no repair."""
    count: int


def records(entries: Iterable[AuditEntry], task_of: Json | None = None) -> list[dict[str, Any]]:
    """Return one S32 record for each repair and trace, in the order of the repairs' first entries.

    ``task_of`` gives the task of a trace; without it a repair's only task stands for all.
    """
    by_repair: dict[str, list[AuditEntry]] = {}
    for entry in entries:
        if entry.draft.repair_id:
            by_repair.setdefault(entry.draft.repair_id, []).append(entry)
    return [
        {"trace_id": trace_id, "task_id": task_id, **record}
        for found in by_repair.values()
        for record in [_record(found)]
        for trace_id, task_id in _scope(found, task_of or {})
    ]


def counts_per_hour(entries: Iterable[AuditEntry]) -> list[HourCount]:
    """Count entries by hour, event and operator kind; hours in order."""
    counted = Counter(
        (e.draft.at_ms // HOUR_MS * HOUR_MS, e.draft.what, str(e.draft.body.get("operator", "")))
        for e in entries
    )
    return [
        HourCount(hour_ms=hour, what=what, operator=operator, count=count)
        for (hour, what, operator), count in sorted(counted.items())
    ]


def package(
    repair: Repair,
    entries: Sequence[AuditEntry],
    *,
    head: AuditHead,
    incident: Json,
    evidence: Json,
    rule_hits: Sequence[Json],
    structure_before: Json,
    structure_after: Json,
) -> dict[str, Any]:
    """Return all that is known of one repair as one JSON document, for auditors elsewhere.

    ``entries`` are the repair's; with ``head`` they can be held against the whole trail.
    """
    record = as_document(repair)
    return {
        "kind": "graphmind.audit_package",
        "repair_id": repair.repair_id,
        "operator": repair.operator,
        "state": str(repair.state),
        "strategy": repair.strategy,
        "command": record["command"],
        "incident": incident,
        "evidence": evidence,
        "rule_hits": list(rule_hits),
        "plan": record["plan"],
        "plan_hash": repair.plan.plan_hash if repair.plan else "",
        "approvals": record["approvals"],
        "steps": record["steps"],
        "verdict": repair.verdict,
        "verification": record["verification"],
        "structure_before": structure_before,
        "structure_after": structure_after,
        "records": records(entries),
        "audit": [asdict(entry) for entry in entries],
        "audit_head": asdict(head),
    }


def _record(entries: Sequence[AuditEntry]) -> dict[str, Any]:
    first, last = entries[0].draft, entries[-1].draft
    detected_ms = _first_of(entries, "detected_ms")
    return {
        "detected_at": _text_of_time(detected_ms) if detected_ms is not None else None,
        "root_cause": first.body.get("root_cause", ""),
        "strategy_id": str(first.body.get("strategy", "")).partition("@")[0],
        "executed_by": next((e.draft.who for e in entries if e.draft.what == "run"), ""),
        "status": last.body.get("state", ""),
        "duration_ms": _duration_ms(entries),
        "fallback_used": any(_falls_back(e.draft.body.get("call", {})) for e in _done(entries)),
        "rollback_applied": any(e.draft.what == "step_undone" for e in entries),
    }


def _scope(entries: Sequence[AuditEntry], task_of: Mapping[str, Any]) -> list[tuple[str, str]]:
    tasks = _first_of(entries, "task_ids") or []
    only = tasks[0] if len(tasks) == 1 else ""
    return [
        (trace_id, str(task_of.get(trace_id, only)))
        for trace_id in _first_of(entries, "trace_ids") or [""]
    ]


def _first_of(entries: Sequence[AuditEntry], name: str) -> Any:
    return next((e.draft.body[name] for e in entries if name in e.draft.body), None)


def _done(entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    return [e for e in entries if e.draft.what == "step_applied"]


def _duration_ms(entries: Sequence[AuditEntry]) -> int | None:
    """Return the time from the run to the last step made or undone; None before the first."""
    began = [e.draft.at_ms for e in entries if e.draft.what == "run"]
    ended = [e.draft.at_ms for e in entries if e.draft.what in ("step_applied", "step_undone")]
    return ended[-1] - began[0] if began and ended else None


def _falls_back(call: Mapping[str, Any]) -> bool:
    return call.get("action") in FALLBACKS or call.get("params", {}).get("tag") == "fallback"


def _text_of_time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
