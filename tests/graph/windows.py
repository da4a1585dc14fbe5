"""Windows of facts for the tests of this room, from rows that name only what matters."""

from typing import Any

import pyarrow as pa

from graphmind.telemetry.facts import ACCESSES, ITEMS, RESOLVED, SYMPTOMS, TRACES, Facts

MS_NS = 1_000_000


def resolved(rows: list[dict[str, Any]]) -> pa.Table:
    """Return spans (schema RESOLVED); ``ms`` is (start, end)."""
    return _table(
        RESOLVED,
        [
            {
                "status": 0,
                "kind": 1,
                "links": [],
                "attributes": [],
                "start_ns": row["ms"][0] * MS_NS,
                "end_ns": None if row["ms"][1] is None else row["ms"][1] * MS_NS,
                **row,
            }
            for row in rows
        ],
    )


def window(traces: list[dict[str, Any]], accesses: list[dict[str, Any]] | None = None) -> Facts:
    """Return facts with nothing but traces and accesses."""
    whole = {"task": "t", "start_ns": 0, "duration_ns": 0, "weight": 1.0, "outcome": "ok"}
    return Facts(
        traces=_table(TRACES, [{**whole, "continues": [], **trace} for trace in traces]),
        symptoms=SYMPTOMS.empty_table(),
        items=ITEMS.empty_table(),
        accesses=_table(ACCESSES, accesses or []),
    )


def _table(schema: pa.Schema, rows: list[dict[str, Any]]) -> pa.Table:
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)
