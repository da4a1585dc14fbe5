"""What speaks for an incident's causes: counts, and a failing trace beside a healthy one."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from graphmind.archive.port import Archive, Selection
from graphmind.jobs.reading.consistent import consistent
from graphmind.jobs.reading.critical_path import critical_path
from graphmind.jobs.reading.incident_parts import contingencies
from graphmind.jobs.reading.past import incident_as_of, near
from graphmind.telemetry.assembly import assemble

Row = dict[str, Any]


@consistent
def evidence(archive: Archive, incident_id: str, *, as_of_ms: int | None = None) -> Row:
    """Return the counts of each cause and the critical path of an example. Raises UnknownName."""
    incident = incident_as_of(archive, incident_id, as_of_ms)
    failing = _example(archive, incident)
    path = []
    if failing is not None:
        own, other = failing["failing_trace_id"], failing["healthy_trace_id"]
        spans = _spans(archive, [own, other] if other else [own])
        path = critical_path(spans[own], spans.get(other, []), failing.pop("fault_span_id"))
    return {"contingency": contingencies(incident), "example": failing, "critical_path": path}


def _example(archive: Archive, incident: Mapping[str, Any]) -> Row | None:
    """Return the trace that shows the incident best of those still archived."""
    candidates = [*incident["examples"], *incident["trace_ids"][:1]]
    known = archive.queries.traces(pa.array(candidates, pa.string()), near=near(incident))
    rows = {row["trace_id"]: row for row in known.to_pylist()}
    row = next((rows[trace_id] for trace_id in candidates if trace_id in rows), None)
    if row is None:
        return None
    return {
        "failing_trace_id": row["trace_id"],
        "healthy_trace_id": archive.queries.healthy_like(row),
        "task": row["task"],
        "fault_span_id": row["fault_span_id"],
    }


def _spans(archive: Archive, trace_ids: Sequence[str]) -> dict[str, list[Row]]:
    """Return the spans of each trace (ASSEMBLED); parents are rows among its own."""
    stored = archive.bare_spans(Selection(trace_ids=pa.array(trace_ids, pa.string())))
    spans: dict[str, list[Row]] = {trace_id: [] for trace_id in trace_ids}
    for row, span in enumerate(assemble(stored).to_pylist()):
        own = spans[span["trace_id"]]
        if span["parent_row"] >= 0:
            # Those of a trace follow each other, the root first.
            span["parent_row"] -= row - len(own)
        own.append(span)
    return spans
