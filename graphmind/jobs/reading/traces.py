"""Traces: the list by filter, and one as a waterfall with its lines, items and incidents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.archive.queries import Time, TracePlace, Wanted
from graphmind.archive.tallies import Stretch
from graphmind.errors import UnknownName
from graphmind.jobs.fusion import join_lines, severity_word
from graphmind.jobs.reading.consistent import consistent
from graphmind.jobs.reading.critical_path import tree_order
from graphmind.jobs.reading.past import MS_NS, ns
from graphmind.jobs.settle import HOUR_NS
from graphmind.jobs.signals import with_logged_codes
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.spans import STATUS_ERROR

SPANS_MAX: Final = 2_000
"""Spans of a waterfall: of a larger trace those first in its tree (chosen)."""
LINES_MAX: Final = 2_000
LOOKED_BACK_HOURS: Final = (1, 12)
TEXT_MAX: Final = 2_000
"""Characters of a line or a value that are shown (chosen)."""
KIND_WORDS: Final = dict(enumerate(("internal", "server", "client", "producer", "consumer"), 1))
"""Kinds of span by their numbers in OTLP."""
STATUS_WORDS: Final = {0: "unset", 1: "ok", STATUS_ERROR: "error"}
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TracesPage:
    """Traces (LISTED), newest first, and the place of the last if more follow."""

    items: list[Row]
    last: TracePlace | None


@consistent
def list_traces(
    archive: Archive,
    wanted: Wanted,
    *,
    after: TracePlace | None,
    limit: int,
    as_of_ms: int | None = None,
) -> TracesPage:
    """Return traces that stand after a place: newest start first, then by id."""
    if as_of_ms is not None:
        end = ns(as_of_ms + 1)
        until = end if wanted.until_ns is None else min(end, wanted.until_ns)
        wanted = replace(wanted, until_ns=until)
    rows = newest(archive, wanted, after=after, limit=limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return TracesPage(
        items=rows[:limit], last=(last["start_ns"], last["trace_id"]) if last else None
    )


def newest(archive: Archive, wanted: Wanted, *, after: TracePlace | None, limit: int) -> list[Row]:
    """Return the newest traces wanted: looked for in the last hours first, then further back."""
    for since in _starts(archive, wanted, after):
        near = replace(wanted, since_ns=since)
        found: list[Row] = archive.queries.page(near, after=after, limit=limit).to_pylist()
        if len(found) == limit:
            return found
    rows: list[Row] = archive.queries.page(wanted, after=after, limit=limit).to_pylist()
    return rows


def _starts(archive: Archive, wanted: Wanted, after: TracePlace | None) -> list[int]:
    """Return from when to look first, the latest first; none where ids bound the search."""
    ends = [end for end in (wanted.until_ns, after[0] + 1 if after else None) if end is not None]
    last = min(ends) if ends else archive.queries.last_start()
    if last is None or wanted.trace_ids is not None:
        return []
    first = -(2**63) if wanted.since_ns is None else wanted.since_ns
    starts = [last - hours * HOUR_NS for hours in LOOKED_BACK_HOURS]
    return [start for start in starts if start > first]


def with_incident(archive: Archive, wanted: Wanted, incident_id: str | None) -> Wanted:
    """Want only traces of an incident, if one is named. Raises UnknownName."""
    if incident_id is None:
        return wanted
    incident: Mapping[str, Any] = archive.incident(incident_id)
    return replace(wanted, trace_ids=pa.array(incident["trace_ids"], pa.string()))


@consistent
def waterfall(archive: Archive, trace_id: str) -> Row:
    """Return a trace in full. Raises UnknownName where nothing of it is archived."""
    own = Selection(trace_ids=pa.array([trace_id], pa.string()))
    stored = archive.spans(own)
    wanted = Wanted(trace_ids=own.trace_ids, near=_about(stored))
    listed = archive.queries.page(wanted, after=None, limit=1).to_pylist()
    if not stored.num_rows and not listed:
        raise UnknownName(
            f"no trace {trace_id} is archived: load it, or see if it is older than what is kept"
        )
    spans = assemble(with_logged_codes(stored, archive.signals))
    facts = listed[0] if listed else _unsettled(trace_id, spans)
    lines = _lines(archive, trace_id, spans)
    rows = _spans(spans.to_pylist(), _attributes(stored), facts["fault_span_id"])
    shown = rows[:SPANS_MAX]
    for row in shown:
        row["log_lines"] = lines.pop(row["span_id"], [])
    return facts | {
        "spans": shown,
        "hidden_spans": len(rows) - len(shown),
        "loose_lines": [line for each in lines.values() for line in each],
        "items": _items(archive, trace_id, facts["start_ns"]),
        "incident_ids": archive.queries.incidents_of(trace_id),
    }


def _about(stored: pa.Table) -> Time | None:
    """Return the hour about the first span of a trace; its facts state nearly the same start."""
    first = pc.min(stored["start_ns"]).as_py()
    if first is None:
        return None
    return Time(since_ns=first - HOUR_NS // 2, until_ns=first + HOUR_NS // 2)


def _unsettled(trace_id: str, spans: pa.Table) -> Row:
    """Tell what the spans alone tell of a trace that has no facts yet."""
    starts = spans["start_ns"].to_pylist()
    ends = [end for end in spans["end_ns"].to_pylist() if end is not None]
    start = min(starts, default=0)
    blank: Row = dict.fromkeys(
        ("task", "unit", "error_code", "root_module", "fault_module", "fault_span_id")
    )
    blank |= dict.fromkeys(("fault_path", "agent", "region", "model_version"))
    return blank | {
        "trace_id": trace_id,
        "start_ns": start,
        "duration_ns": max(ends, default=start) - start,
        "outcome": "incomplete",
        "symptoms": [],
        "span_count": len(starts),
        "complete": False,
        "recovered": False,
        "weight": 1.0,
        "continues": [],
    }


def _spans(
    rows: Sequence[Mapping[str, Any]], attributes: Mapping[str, Row], fault: str | None
) -> list[Row]:
    replaced = _replaced(rows)
    return [
        {
            **{name: rows[row][name] for name in _KEPT},
            "parent_id": rows[row]["parent_span_id"],
            "operation": rows[row]["name"],
            "started_ms": rows[row]["start_ns"] / MS_NS,
            "duration_ms": _lasted(rows[row]),
            "self_ms": rows[row]["self_ns"] / MS_NS,
            "kind": KIND_WORDS.get(rows[row]["kind"]),
            "status": STATUS_WORDS.get(rows[row]["status"], "unset"),
            "message": rows[row]["status_message"],
            "attributes": attributes.get(rows[row]["span_id"], {}),
            "is_fault": rows[row]["span_id"] == fault,
            "recovery_of": replaced.get(row),
        }
        for row in tree_order(rows)
    ]


_KEPT: Final = (
    *("span_id", "depth", "module", "service", "error_code", "agent", "region"),
    *("model_version", "kv_key"),
)


def _replaced(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return which failed sibling each retry, fallback or recovery took the place of."""
    failed: dict[int, list[Mapping[str, Any]]] = {}
    for span in sorted(rows, key=lambda each: each["start_ns"]):
        if span["status"] == STATUS_ERROR:
            failed.setdefault(span["parent_row"], []).append(span)
    found = {}
    for row, span in enumerate(rows):
        if not (span["retry_count"] or span["fallback"] or span["recovery"]):
            continue
        before = [
            each
            for each in failed.get(span["parent_row"], ())
            if each["start_ns"] < span["start_ns"]
        ]
        if before:
            found[row] = before[-1]["span_id"]
    return found


def _lasted(span: Mapping[str, Any]) -> float | None:
    if span["end_ns"] is None:
        return None
    lasted: float = (span["end_ns"] - span["start_ns"]) / MS_NS
    return lasted


def _attributes(stored: pa.Table) -> dict[str, Row]:
    """Return what no row of the resolver used of each span; values are cut to TEXT_MAX."""
    pairs = zip(stored["span_id"].to_pylist(), stored["attributes"].to_pylist(), strict=True)
    return {
        span_id: {name: None if value is None else value[:TEXT_MAX] for name, value in told or ()}
        for span_id, told in pairs
    }


def _lines(archive: Archive, trace_id: str, spans: pa.Table) -> dict[str | None, list[Row]]:
    """Return the lines by span, by time; those of no known span under None."""
    known = set(spans["span_id"].to_pylist())
    by_span: dict[str | None, list[Row]] = {}
    for line in join_lines(archive.signals, trace_id, spans).rows[:LINES_MAX]:
        span_id = line["span_id"] if line["span_id"] in known else None
        told = {
            "at_ms": line["time_ns"] // MS_NS,
            "severity": severity_word(line["severity"]),
            "text": (line["body"] or "")[:TEXT_MAX],
            "joined_by": line["joined_by"],
        }
        by_span.setdefault(span_id, []).append(told)
    return by_span


def _items(archive: Archive, trace_id: str, start_ns: int) -> list[Row]:
    """Return what a trace touched with its lift in the hour about it, highest first."""
    time = Time(since_ns=start_ns - HOUR_NS // 2, until_ns=start_ns + HOUR_NS // 2)
    hour = Stretch(from_ns=time.since_ns, until_ns=time.until_ns, step_ns=HOUR_NS)
    ended = archive.tallies.outcomes(hour).to_pylist()
    traces = sum(row["traces"] for row in ended)
    failing = sum(row["traces"] for row in ended if row["outcome"] not in ("ok", "incomplete"))
    usual = failing / traces if traces else 0.0
    rows = [
        {
            "kind": each.kind,
            "name": each.name,
            "traces": each.traces,
            "failing": each.failing,
            "lift": each.failing / each.traces / usual if usual and each.traces else None,
        }
        for each in archive.queries.lifts(trace_id, time)
    ]
    return sorted(rows, key=lambda row: (-(row["lift"] or 0.0), row["kind"], row["name"]))
