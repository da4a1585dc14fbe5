"""From assembled spans and their facts to the rows of the graph. Pure, column by column.

Statistics of shared things (when seen, calls between modules) are of all spans given; traces, their
spans and their relationships are of the kept ones.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.graph.port import GraphRows, Row
from graphmind.graph.selection import choose_detailed
from graphmind.graph.shared import is_named, shared_edges, shared_nodes
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.logs import LOGGED
from graphmind.telemetry.spans import STATUS_ERROR

Edges = dict[tuple[str, str, str], list[Row]]

MS_NS: Final = 1_000_000
KINDS: Final = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES: Final = ("unset", "ok", "error")
TOUCHED: Final = (
    ("agent", "RAN_ON", "Agent"),
    ("instance", "RAN_ON", "AgentInstance"),
    ("service", "RAN_ON", "Service"),
    ("region", "IN_REGION", "Region"),
    ("error_code", "RAISED", "ErrorCode"),
    ("tool", "CALLED", "Tool"),
    ("endpoint", "REACHED", "Endpoint"),
    ("prompt_version", "PROMPTED_BY", "PromptVersion"),
)
"""Columns of spans whose values a trace is joined to, by which relationship, to which label."""


def project(
    assembled: pa.Table,
    facts: Facts,
    *,
    kept: NDArray[np.bool_],
    weights: NDArray[np.float64],
    logged: pa.Table | None = None,
) -> GraphRows:
    """Return the rows of the graph for ASSEMBLED spans and their facts.

    ``kept`` and ``weights`` go with the rows of ``facts.traces`` (see ``choose_kept``); ``logged``
    (schema LOGGED) says which patterns of log lines the traces wrote.
    """
    logged = LOGGED.empty_table() if logged is None else logged
    spans = with_milliseconds(assembled)
    traces = facts.traces.append_column("graph_weight", pa.array(weights)).filter(pa.array(kept))
    inside, accesses = _of(traces, spans), _of(traces, facts.accesses)
    shown = _of(traces.filter(pa.array(choose_detailed(traces))), spans)
    return GraphRows(
        nodes={
            "Trace": _traces(traces, facts.symptoms),
            "Span": _spans(shown),
            **shared_nodes(spans, facts),
            "LogPattern": _log_patterns(logged),
        },
        edges={
            **_span_edges(shown, spans),
            **_touched(inside),
            ("Trace", "OF_TASK", "Task"): _pairs(traces, "trace_id", "task"),
            ("Trace", "FAILED_AT", "Module"): _pairs(traces, "trace_id", "fault_module"),
            ("Trace", "USED", "ModelVersion"): _used(inside),
            ("Trace", "PASSED", "Module"): _passed(inside),
            ("Trace", "READ", "KvKey"): _accessed(accesses, "read", "min"),
            ("Trace", "WROTE", "KvKey"): _accessed(accesses, "write", "max"),
            ("Trace", "LOGGED", "LogPattern"): _pairs(_of(traces, logged), "trace_id", "pattern"),
            ("Trace", "CONTINUES", "Trace"): _continues(traces, facts.traces, inside),
            **shared_edges(spans),
        },
    )


def with_milliseconds(assembled: pa.Table) -> pa.Table:
    """Add what the rows are made of: times in ms, the model that answered or was asked, errors."""
    ended = pc.coalesce(assembled["end_ns"], assembled["start_ns"])
    added = {
        "start_ms": pc.divide(assembled["start_ns"], MS_NS),
        "seen_ms": pc.divide(ended, MS_NS),
        "duration_ms": _ms(pc.subtract(assembled["end_ns"], assembled["start_ns"])),
        "self_ms": _ms(assembled["self_ns"]),
        "model": pc.coalesce(assembled["model_version"], assembled["model_requested"]),
        "failed": pc.cast(pc.equal(assembled["status"], STATUS_ERROR), pa.int64()),
    }
    for name, column in added.items():
        assembled = assembled.append_column(name, column)
    return assembled


def _traces(traces: pa.Table, symptoms: pa.Table) -> list[Row]:
    shown: dict[str, set[str]] = {}
    for trace_id, kind in zip(*_lists(symptoms, "trace_id", "kind"), strict=True):
        shown.setdefault(trace_id, set()).add(kind)
    columns = {
        "traceId": traces["trace_id"],
        "taskKey": traces["task"],
        "startMs": pc.divide(traces["start_ns"], MS_NS),
        "durationMs": _ms(traces["duration_ns"]),
        "outcome": traces["outcome"],
        "rootSpanName": traces["root_name"],
        "rootModule": traces["root_module"],
        "errorCode": traces["error_code"],
        "faultPath": traces["fault_path"],
        "spanCount": traces["span_count"],
        "errorSpanCount": traces["error_span_count"],
        "complete": traces["complete"],
        "weight": traces["graph_weight"],
        "sampleProbability": pc.divide(1.0, traces["weight"]),
        "recovered": traces["recovered"],
        "fallbackApplied": traces["fallback_applied"],
    }
    rows: list[Row] = pa.table(columns).to_pylist()
    return [{**row, "symptoms": sorted(shown.get(row["traceId"], ()))} for row in rows]


def _spans(spans: pa.Table) -> list[Row]:
    columns = {
        "spanId": _span_keys(spans),
        "name": spans["name"],
        "module": spans["module"],
        "kind": pc.take(pa.array(KINDS), pc.fill_null(spans["kind"], 0)),
        "startMs": spans["start_ms"],
        "durationMs": spans["duration_ms"],
        "selfMs": spans["self_ms"],
        "status": pc.take(pa.array(STATUSES), pc.fill_null(spans["status"], 0)),
        "errorCode": spans["error_code"],
        "message": spans["status_message"],
        "recovery": spans["recovery"],
    }
    rows: list[Row] = pa.table(columns).to_pylist()
    return rows


def _span_edges(inside: pa.Table, spans: pa.Table) -> Edges:
    keys = _span_keys(inside)
    children = inside.filter(pc.greater_equal(inside["parent_row"], 0))
    parents = _span_keys(spans.take(children["parent_row"]))
    return {
        ("Trace", "HAS_SPAN", "Span"): _rows({"from": inside["trace_id"], "to": keys}),
        ("Span", "CHILD_OF", "Span"): _rows({"from": _span_keys(children), "to": parents}),
    }


def _touched(spans: pa.Table) -> Edges:
    return {
        ("Trace", type_, label): _pairs(spans, "trace_id", column)
        for column, type_, label in TOUCHED
    }


def _log_patterns(logged: pa.Table) -> list[Row]:
    found = logged.group_by("pattern").aggregate([("first_ns", "min"), ("last_ns", "max")])
    return _rows(
        {
            "name": found["pattern"],
            "firstSeenMs": pc.divide(found["first_ns_min"], MS_NS),
            "lastSeenMs": pc.divide(found["last_ns_max"], MS_NS),
        }
    )


def _used(spans: pa.Table) -> list[Row]:
    asked = spans.filter(is_named(spans["model"]))
    found = asked.group_by(["trace_id", "model"]).aggregate(
        [("model_requested", "min"), ("failed", "count"), ("failed", "sum")]
    )
    return _rows(
        {
            "from": found["trace_id"],
            "to": found["model"],
            "requested": found["model_requested_min"],
            "calls": found["failed_count"],
            "errors": found["failed_sum"],
        }
    )


def _passed(spans: pa.Table) -> list[Row]:
    inside = spans.filter(is_named(spans["module"]))
    found = inside.group_by(["trace_id", "module"]).aggregate(
        [("failed", "count"), ("failed", "sum"), ("duration_ms", "sum"), ("self_ms", "sum")]
    )
    return _rows(
        {
            "from": found["trace_id"],
            "to": found["module"],
            "calls": found["failed_count"],
            "errors": found["failed_sum"],
            "durationMs": found["duration_ms_sum"],
            "selfMs": found["self_ms_sum"],
        }
    )


def _accessed(accesses: pa.Table, op: str, which: str) -> list[Row]:
    """Join traces to keys, with the first (min) or last (max) time."""
    found = (
        accesses.filter(pc.equal(accesses["op"], op))
        .group_by(["trace_id", "key"])
        .aggregate([("at_ns", which)])
    )
    at_ms = pc.divide(found[f"at_ns_{which}"], MS_NS)
    return _rows({"from": found["trace_id"], "to": found["key"], "atMs": at_ms})


def _continues(kept: pa.Table, traces: pa.Table, spans: pa.Table) -> list[Row]:
    """Join traces to those they link to, and say why as far as the two traces tell."""
    unit = dict(zip(*_lists(traces, "trace_id", "unit"), strict=True))
    rebuilt = {*spans.filter(pc.fill_null(spans["recovery"], False))["trace_id"].to_pylist()}
    linking = pc.greater(pc.fill_null(pc.list_value_length(spans["links"]), 0), 0)
    over_link = pc.and_(linking, spans["handoff_from"].is_valid())
    handed = {*spans.filter(over_link)["trace_id"].to_pylist()}

    def kind(later: str, earlier: str) -> str:
        if later in rebuilt:
            return "rebuild"
        if unit[later] is not None and unit[later] == unit.get(earlier):
            return "retry"
        return "handoff" if later in handed else "link"

    return [
        {"from": later, "to": earlier, "kind": kind(later, earlier)}
        for later, continued in zip(*_lists(kept, "trace_id", "continues"), strict=True)
        for earlier in sorted({*(continued or ())} - {later})
    ]


def _pairs(table: pa.Table, from_column: str, to_column: str) -> list[Row]:
    known = table.filter(is_named(table[to_column]))
    found = known.group_by([from_column, to_column]).aggregate([])
    return _rows({"from": found[from_column], "to": found[to_column]})


def _span_keys(spans: pa.Table) -> Any:
    return pc.binary_join_element_wise(spans["trace_id"], spans["span_id"], ":")


def _ms(nanoseconds: Any) -> Any:
    return pc.divide(pc.cast(nanoseconds, pa.float64()), float(MS_NS))


def _of(traces: pa.Table, rows: pa.Table) -> pa.Table:
    return rows.filter(pc.is_in(rows["trace_id"], traces["trace_id"].combine_chunks()))


def _lists(table: pa.Table, *columns: str) -> Iterable[list[Any]]:
    return [table[column].to_pylist() for column in columns]


def _rows(columns: dict[str, Any]) -> list[Row]:
    rows: list[Row] = pa.table(columns).to_pylist()
    return rows
