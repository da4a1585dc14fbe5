"""The one schema in which every trace source hands over spans, as Arrow record batches.

Times are epoch nanoseconds (UTC). Ids are lower-case hex as the source wrote them, never padded.
Attribute values are text: strings as they are, numbers and booleans as JSON writes them
(``3``, ``0.5``, ``true``), lists and maps as compact JSON. A value that is absent is null.
"""

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

ATTRIBUTES: Final = pa.map_(pa.string(), pa.string())

STATUS_UNSET, STATUS_OK, STATUS_ERROR = 0, 1, 2
"""Span status, as OTLP numbers it."""

KIND_UNSPECIFIED, KIND_INTERNAL, KIND_SERVER, KIND_CLIENT, KIND_PRODUCER, KIND_CONSUMER = range(6)
"""Span kind, as OTLP numbers it."""

SPANS: Final = pa.schema(
    [
        # Required, but nullable here so that a record without them is counted, not lost.
        pa.field("trace_id", pa.string()),
        pa.field("span_id", pa.string()),
        # Null for a root.
        pa.field("parent_span_id", pa.string()),
        pa.field("name", pa.string()),
        pa.field("kind", pa.int8()),
        # Null where the source does not know; assembly takes the parent's start.
        pa.field("start_ns", pa.int64()),
        # Null for a span that has not ended.
        pa.field("end_ns", pa.int64()),
        pa.field("status", pa.int8()),
        pa.field("status_message", pa.string()),
        # W3C trace state; carries the sampling probability.
        pa.field("trace_state", pa.string()),
        # Instrumentation scope.
        pa.field("scope", pa.string()),
        # Attributes of the process; a dictionary, because thousands of spans share one.
        pa.field("resource", pa.dictionary(pa.int32(), ATTRIBUTES)),
        pa.field("attributes", ATTRIBUTES),
        pa.field(
            "events",
            pa.list_(
                pa.struct(
                    [
                        pa.field("name", pa.string()),
                        pa.field("time_ns", pa.int64()),
                        pa.field("attributes", ATTRIBUTES),
                    ]
                )
            ),
        ),
        # Other traces this span continues (hand-off, retry).
        pa.field(
            "links",
            pa.list_(pa.struct([("trace_id", pa.string()), ("span_id", pa.string())])),
        ),
    ]
)


def spans_from_rows(rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    """Build a batch from dictionaries with the schema's names; absent names become null.

    For tests and small sources: attributes are dictionaries of text, resources too.
    """
    columns = []
    for field in SPANS:
        values = [row.get(field.name) for row in rows]
        if field.name == "resource":
            columns.append(_dictionary([value or {} for value in values]))
        elif field.name in ("kind", "status"):
            columns.append(pa.array([value or 0 for value in values], field.type))
        elif field.name == "attributes":
            columns.append(pa.array([list((value or {}).items()) for value in values], field.type))
        elif field.name == "events":
            events = [[_event(event) for event in value or ()] for value in values]
            columns.append(pa.array(events, field.type))
        elif field.name == "links":
            columns.append(pa.array([value or [] for value in values], field.type))
        else:
            columns.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=SPANS)


def _event(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "attributes": list((event.get("attributes") or {}).items())}


def _dictionary(resources: list[dict[str, str]]) -> pa.DictionaryArray:
    """Encode resources once each, in order of first appearance."""
    seen: dict[tuple[tuple[str, str], ...], int] = {}
    codes = [seen.setdefault(tuple(sorted(resource.items())), len(seen)) for resource in resources]
    values = pa.array([list(key) for key in seen], ATTRIBUTES)
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), values)


def joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Join batches of one schema into one; their resources, a dictionary each, stand in a row.

    Arrow joins dictionaries only where their values are simple, and these are maps.
    """
    if len(batches) == 1:
        return batches[0]
    schema = batches[0].schema
    columns = [
        _joined_dictionaries([batch.column(field.name) for batch in batches])
        if pa.types.is_dictionary(field.type)
        else pa.concat_arrays([batch.column(field.name) for batch in batches])
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _joined_dictionaries(columns: Sequence[pa.DictionaryArray]) -> pa.DictionaryArray:
    sizes = [len(column.dictionary) for column in columns]
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    codes = [
        pc.add(column.indices, pa.scalar(start, pa.int32())).cast(pa.int32())
        for column, start in zip(columns, starts, strict=True)
    ]
    values = pa.concat_arrays([column.dictionary for column in columns])
    return pa.DictionaryArray.from_arrays(pa.concat_arrays(codes), values)
