"""Spans and traces for tests, written so that a reader sees the tree: times in ms, ids as names."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from graphmind.settings import Settings
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.derive import derive
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolve import resolve
from graphmind.telemetry.resolver_table import Table
from graphmind.telemetry.spans import STATUS_ERROR, STATUS_OK, STATUS_UNSET, spans_from_rows

__all__ = ["STATUS_ERROR", "STATUS_OK", "STATUS_UNSET"]

Row = dict[str, Any]

MS = 1_000_000
EPOCH_NS = 1_700_000_000_000 * MS
"""Time 0 of all builders."""


def at(ms: float) -> int:
    """Return the epoch nanoseconds of a builder's time."""
    return EPOCH_NS + round(ms * MS)


def span(
    span_id: str,
    start_ms: float | None = 0,
    end_ms: float | None = 10,
    *,
    parent: str | None = None,
    trace: str = "t",
    service: str | None = "shop",
    resource: dict[str, str] | None = None,
    failed: bool = False,
    **fields: Any,
) -> Row:
    """Return one row of SPANS, named after its id; ``**fields`` are the schema's own names."""
    return {
        "trace_id": trace,
        "span_id": span_id,
        "parent_span_id": parent,
        "name": span_id,
        "start_ns": None if start_ms is None else at(start_ms),
        "end_ns": None if end_ms is None else at(end_ms),
        "status": STATUS_ERROR if failed else STATUS_UNSET,
        "resource": ({"service.name": service} if service else {}) | (resource or {}),
        **fields,
    }


def in_trace(trace: str, rows: Iterable[Row], *, later_ms: float = 0) -> list[Row]:
    """Return the same spans as another trace, later by some time."""
    shift = round(later_ms * MS)
    times = ("start_ns", "end_ns")
    return [
        {**row, "trace_id": trace}
        | {name: row[name] + shift for name in times if row[name] is not None}
        for row in rows
    ]


def copies(count: int, rows: list[Row], *, prefix: str = "healthy", every_ms: float = 0):
    """Return ``count`` traces of the same spans: the crowd a baseline is measured on."""
    numbered = (in_trace(f"{prefix}{n:03}", rows, later_ms=n * every_ms) for n in range(count))
    return [row for trace in numbered for row in trace]


def resolved(rows: Iterable[Row], table: Table | None = None) -> pa.Table:
    """Resolve rows by the shipped table, or by another."""
    return pa.Table.from_batches([resolve(spans_from_rows(list(rows)), table)])


def assembled(rows: Iterable[Row], rejected: Rejections | None = None) -> pa.Table:
    """Resolve and assemble rows."""
    return assemble(resolved(rows), rejected)


def facts(rows: Iterable[Row], settings: Settings | None = None) -> Facts:
    """Derive the facts of rows."""
    return derive(resolved(rows), settings or Settings())


def by_span(table: pa.Table, column: str) -> dict[str, Any]:
    """Return a column as span id -> value."""
    return dict(zip(table["span_id"].to_pylist(), table[column].to_pylist(), strict=True))


def by_trace(table: pa.Table, column: str) -> dict[str, Any]:
    """Return a column as trace id -> value."""
    return dict(zip(table["trace_id"].to_pylist(), table[column].to_pylist(), strict=True))
