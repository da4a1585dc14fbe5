"""Short ways to write spans and facts down."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from graphmind.telemetry.facts import ACCESSES, ITEMS, RESOLVED, SYMPTOMS, TRACES, Facts


def span(trace_id: str, span_id: str, start_ns: int | None = 0, **rest: Any) -> dict[str, Any]:
    """One span that took 10 ns, if nothing else is said."""
    end_ns = None if start_ns is None else start_ns + 10
    first = {"trace_id": trace_id, "span_id": span_id, "start_ns": start_ns, "end_ns": end_ns}
    return {**first, "links": [], "attributes": [], **rest}


def resolved(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=RESOLVED)


def rows_of(spans: pa.Table) -> list[dict[str, Any]]:
    """Rows without the columns that are null, which is most of them."""
    return [
        {name: value for name, value in row.items() if value is not None}
        for row in spans.to_pylist()
    ]


def ids(*trace_ids: str) -> pa.Array:
    return pa.array(trace_ids, pa.string())


def facts(
    *traces: tuple[str, int],
    items: Sequence[tuple[str, str, str]] = (),
    symptoms: Sequence[tuple[str, str]] = (),
    accesses: Sequence[tuple[str, str, str]] = (),
) -> Facts:
    """Facts of traces (id, start) and their items, symptoms and accesses by their first columns."""
    return Facts(
        traces=_table(TRACES, ("trace_id", "start_ns"), traces),
        symptoms=_table(SYMPTOMS, ("trace_id", "kind"), symptoms),
        items=_table(ITEMS, ("trace_id", "kind", "name"), items),
        accesses=_table(ACCESSES, ("trace_id", "key", "op"), accesses),
    )


def _table(schema: pa.Schema, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=schema)
