"""Traces, logs and metrics of one task or trace in one package: the diagnosis (S19)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from graphmind.archive.port import Archive, Selection
from graphmind.errors import UnknownName
from graphmind.jobs.fusion import MS_NS, Joined, Measured, join_lines, measure
from graphmind.jobs.gauges import QUIET
from graphmind.jobs.signals import with_logged_codes
from graphmind.jobs.stores import Stores
from graphmind.settings import Settings
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.spans import STATUS_ERROR

ATTEMPTS_MAX: Final = 50
SPANS_SHOWN_MAX: Final = 150
"""Spans of a timeline: of a larger trace those that failed, and those above them, come first."""
PATTERNS_MAX: Final = 20
NOTHING: Final = "none"
"""The action where nothing is recommended."""

_ENTRY: Final = ("span_id", "service", "agent", "module", "error_code", "duration_ms")

Row = dict[str, Any]


def diagnose(
    stores: Stores, settings: Settings, *, task_id: str | None = None, trace_id: str | None = None
) -> Row:
    """Fuse what the archive holds of a trace, or of the trace of a task that tells most.

    That is the newest one that failed, else the newest. Exactly one of the two ids is given.
    Raises UnknownName where nothing is known of it. What is not there is said in ``not_found``.
    """
    archive = stores.archive
    attempts = _attempts(archive, task_id, trace_id)
    chosen = attempts[0]["trace_id"]
    own = Selection(trace_ids=pa.array([chosen]))
    spans = assemble(with_logged_codes(archive.bare_spans(own), archive.signals))
    facts, joined = archive.facts(own), join_lines(archive.signals, chosen, spans)
    if not spans.num_rows and not joined.rows:
        raise UnknownName(
            f"no span and no line of trace {chosen} is archived. Load it, or see whether it is "
            "older than what is kept"
        )
    measured = measure(archive.signals, settings, chosen, spans)
    incident = _incident(archive, chosen)
    outcome = _outcome(facts)
    return {
        "task_id": task_id or _task_id(spans, joined),
        "trace_id": chosen,
        "root_span": _root_span(spans, facts),
        "log_extract": joined.extract,
        "metric_anomaly": measured.rows(),
        "recommended_action": _recommended(incident, outcome),
        "outcome": outcome,
        "symptoms": _symptoms(facts),
        "timeline": _timeline(spans, joined),
        "error_codes": _error_codes(spans, joined),
        "log_patterns": _patterns(joined),
        "incident": None if incident is None else _brief(incident),
        "attempts": attempts[:ATTEMPTS_MAX],
        "counts": {
            "attempts": len(attempts),
            "spans": spans.num_rows,
            "lines": len(joined.rows),
            "anomalies": len(measured.anomalies),
        },
        "not_found": _not_found(spans, joined, measured, outcome=outcome, incident=incident),
    }


def _attempts(archive: Archive, task_id: str | None, trace_id: str | None) -> list[Row]:
    """Return the traces asked for, failing ones first, the newest of them first."""
    assert (task_id is None) != (trace_id is None), "one of task_id and trace_id is given"
    ids = pa.array([trace_id]) if trace_id is not None else archive.traces_of_task(task_id or "")
    if not len(ids):
        raise UnknownName(
            f"no trace of task {task_id} is archived. A task is told by its id (`graphmind.task.id`"
            ", `task.id`, ...), not by its kind"
        )
    traces = archive.queries.traces(ids)
    known = {row["trace_id"]: row for row in traces.to_pylist()}
    rows = [
        {
            "trace_id": each,
            "outcome": known[each]["outcome"] if each in known else None,
            "start_ms": known[each]["start_ns"] // MS_NS if each in known else None,
            "error_code": known[each]["error_code"] if each in known else None,
        }
        for each in ids.to_pylist()
    ]
    return sorted(
        rows,
        key=lambda row: (
            row["outcome"] is None or row["outcome"] in QUIET,
            -(row["start_ms"] or 0),
            row["trace_id"],
        ),
    )


def _task_id(spans: pa.Table, joined: Joined) -> str | None:
    """Return the task that most spans name, else most lines."""
    named = Counter(name for name in spans["task_id"].to_pylist() if name)
    named = named or Counter(row["task_id"] for row in joined.rows if row["task_id"])
    return min(named, key=lambda name: (-named[name], name)) if named else None


def _root_span(spans: pa.Table, facts: Facts) -> Row | None:
    """Return where the trace went wrong, else where it began; None without spans."""
    if not spans.num_rows:
        return None
    rows = spans.to_pylist()
    [trace] = facts.traces.to_pylist() or [{}]
    fault = trace.get("fault_span_id")
    wanted = fault or trace.get("root_span_id")
    chosen = next((row for row in rows if row["span_id"] == wanted), rows[0])
    return {
        "role": "fault" if fault else "root",
        "path": trace.get("fault_path") or chosen["name"],
        **_told(chosen),
    }


def _told(row: Row) -> Row:
    ended = row["end_ns"] is not None
    return {
        "span_id": row["span_id"],
        "name": row["name"],
        "service": row["service"],
        "agent": row["agent"],
        "module": row["module"],
        "error_code": row["error_code"],
        "message": row["status_message"] or None,
        "duration_ms": (row["end_ns"] - row["start_ns"]) / MS_NS if ended else None,
    }


def _outcome(facts: Facts) -> Row | None:
    """Return how the trace ended; None while it has no facts."""
    for row in facts.traces.to_pylist():
        return {
            "outcome": row["outcome"],
            "error_code": row["error_code"],
            "task": row["task"],
            "start_ms": row["start_ns"] // MS_NS,
            "duration_ms": row["duration_ns"] / MS_NS,
            "complete": row["complete"],
            "recovered": row["recovered"],
            "fallback_applied": row["fallback_applied"],
        }
    return None


def _symptoms(facts: Facts) -> list[Row]:
    return [
        {
            "kind": row["kind"],
            "channel": row["channel"],
            "began_ms": row["began_ns"] // MS_NS,
            "span_id": row["span_id"],
            "module": row["module"],
            "code": row["code"],
        }
        for row in facts.symptoms.to_pylist()
    ]


def _timeline(spans: pa.Table, joined: Joined) -> list[Row]:
    """Merge spans and lines by time; both are bounded, the worst of them stay."""
    of_spans = [
        {
            "at_ms": row["start_ns"] // MS_NS,
            "source": "trace",
            "depth": row["depth"],
            "failed": row["status"] == STATUS_ERROR,
            "text": row["name"],
            **{name: told for name, told in _told(row).items() if name in _ENTRY},
        }
        for row in _telling(spans.to_pylist())
    ]
    of_lines = [
        {
            "at_ms": line["at_ms"],
            "source": "log",
            "depth": None,
            "failed": line["severity"] == "error",
            "text": line["excerpt"].partition("\n")[0],
            "duration_ms": None,
            **{name: line[name] for name in _ENTRY if name in line},
        }
        for line in joined.extract
    ]
    return sorted(of_spans + of_lines, key=lambda entry: (entry["at_ms"], entry["source"] == "log"))


def _telling(rows: list[Row]) -> list[Row]:
    """Keep a bounded number of spans: failed ones, what is above them, then what came first."""
    if len(rows) <= SPANS_SHOWN_MAX:
        return rows
    first: dict[int, None] = {}
    for place, row in enumerate(rows):
        above = place if row["status"] == STATUS_ERROR else -1
        while above >= 0 and above not in first:
            first[above] = None
            above = rows[above]["parent_row"]
    chosen = [*first, *(place for place in range(len(rows)) if place not in first)]
    return [rows[place] for place in sorted(chosen[:SPANS_SHOWN_MAX])]


def _error_codes(spans: pa.Table, joined: Joined) -> list[Row]:
    """Count error codes, most frequent first: failed spans, and lines that name one."""
    of_spans = Counter(code for code in spans["error_code"].to_pylist() if code)
    named = (row["error_code"] or row["exception_type"] for row in joined.rows)
    of_lines = Counter(code for code in named if code)
    order = sorted(
        of_spans.keys() | of_lines.keys(),
        key=lambda code: (-of_spans[code] - of_lines[code], code),
    )
    return [{"code": code, "spans": of_spans[code], "lines": of_lines[code]} for code in order]


def _patterns(joined: Joined) -> list[Row]:
    counts = Counter(row["pattern"] for row in joined.rows if row["pattern"])
    order = sorted(counts, key=lambda pattern: (-counts[pattern], pattern))
    return [{"pattern": each, "lines": counts[each]} for each in order[:PATTERNS_MAX]]


def _incident(archive: Archive, trace_id: str) -> Row | None:
    """Return the incident that the trace is part of; of several the surest."""
    own: list[Row] = [each for each in archive.incidents() if _holds(each, trace_id)]
    return min(own, key=lambda each: (-each["confidence"], each["incident_id"]), default=None)


def _holds(incident: Row, trace_id: str) -> bool:
    ids: Sequence[str] = incident["trace_ids"]
    return trace_id in ids


def _brief(incident: Row) -> Row:
    cause = incident["causes"][0] if incident["causes"] else None
    return {
        "incident_id": incident["incident_id"],
        "title": incident["title"],
        "state": incident["state"],
        "severity": incident["severity"],
        "cause": None if cause is None else cause["label"],
        "confidence": incident["confidence"],
        "traces": len(incident["trace_ids"]),
    }


def _recommended(incident: Row | None, outcome: Row | None) -> Row:
    """Return the command of the incident, or say that there is none and why."""
    if incident is not None and incident.get("command"):
        command: Row = incident["command"]
        return command
    if outcome is None:
        reason = "the trace has no outcome yet: ask again when it has settled"
    elif outcome["outcome"] in QUIET:
        reason = "nothing went wrong in it"
    else:
        reason = (
            "it is part of no incident: what one trace shows alone is not enough to act on. "
            "Dispatch the task again if that is safe, and analyse the window"
        )
    return {"action": NOTHING, "repair_path": [], "reasons": [reason]}


def _not_found(
    spans: pa.Table,
    joined: Joined,
    measured: Measured,
    *,
    outcome: Row | None,
    incident: Row | None,
) -> list[str]:
    """Say what a reader would miss, so that silence is not taken for health."""
    missing = {
        "spans: none of this trace are archived": not spans.num_rows,
        "logs: no line names this trace, or fits one of its services in time": not joined.rows,
        "metrics: no points of any trigger are archived of about its time": not measured.points,
        "metrics: none of its agents and modules was beyond a threshold while it ran": (
            bool(measured.points) and not measured.anomalies
        ),
        "outcome: the trace has not settled yet": outcome is None,
        "incident: the trace is part of none": incident is None,
    }
    cut = [
        f"logs: {service} logged more in that time than was looked at; its lines name no trace"
        for service in joined.cut
    ]
    return [text for text, absent in missing.items() if absent] + cut
