"""Spans as the table keeps them: attributes in two lists.

DuckDB checks that the keys of a MAP are unique: with up to 3 attributes a span it takes MAP columns
in at 0.75 of the rate of LIST columns (benchmarks/archiving.py), with 8 at far less, and it refuses
a key that a source wrote twice.
"""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.facts import RESOLVED

_TEXTS: Final = pa.list_(pa.string())

STORED: Final = pa.schema(
    [field for field in RESOLVED if field.name != "attributes"]
    + [pa.field("attribute_keys", _TEXTS), pa.field("attribute_values", _TEXTS)]
)


def to_stored(spans: pa.RecordBatch) -> pa.RecordBatch:
    """Split the attributes of a batch (schema RESOLVED) without copying them."""
    attributes = spans.column("attributes")
    offsets = _offsets(attributes)
    kept = [spans.column(name) for name in STORED.names[:-2]]
    keys = pa.ListArray.from_arrays(offsets, attributes.keys, type=_TEXTS)
    values = pa.ListArray.from_arrays(offsets, attributes.items, type=_TEXTS)
    return pa.RecordBatch.from_arrays([*kept, keys, values], schema=STORED)


def from_stored(spans: pa.Table) -> pa.Table:
    """Join the attributes of rows read back; columns in the order of RESOLVED."""
    batches = [_from_stored(batch) for batch in spans.to_batches()]
    return pa.Table.from_batches(batches, schema=RESOLVED)


def _from_stored(batch: pa.RecordBatch) -> pa.RecordBatch:
    attributes = _attributes(batch)
    columns = [
        attributes if field.name == "attributes" else batch.column(field.name).cast(field.type)
        for field in RESOLVED
    ]
    return pa.RecordBatch.from_arrays(columns, schema=RESOLVED)


def _attributes(batch: pa.RecordBatch) -> pa.Array:
    """Join the two lists; all null where they were left out."""
    if "attribute_keys" not in batch.schema.names:
        return pa.nulls(batch.num_rows, RESOLVED.field("attributes").type)
    keys, values = batch.column("attribute_keys"), batch.column("attribute_values")
    return pa.MapArray.from_arrays(_offsets(keys), keys.values, values.values)


def _offsets(lists: pa.Array) -> pa.Array:
    """Offsets with null where a row is null, which is how Arrow is told of null rows."""
    if lists.null_count == 0:
        return lists.offsets
    starts = pc.if_else(lists.is_valid(), lists.offsets[:-1], None)
    return pa.concat_arrays([starts, lists.offsets[-1:]])
