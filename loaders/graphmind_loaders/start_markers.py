"""Spans that have started and not ended, told by markers that are sent at once: a hang is seen.

Two forms: a span with the attribute ``graphmind.start_marker``, and a log record of the event
``graphmind.span.start``. The span itself, once it ends, replaces what a marker said.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.telemetry.spans import KIND_UNSPECIFIED, SPANS, spans_from_rows

MARKER = "graphmind.start_marker"
EVENT = "graphmind.span.start"
_EVENT_NAME = "event.name"
_NAME, _PARENT, _KIND = "graphmind.span.name", "graphmind.span.parent_id", "graphmind.span.kind"
_OWN = frozenset({MARKER, _EVENT_NAME, _NAME, _PARENT, _KIND})
_KINDS = {
    text: number
    for number, word in enumerate(
        ("unspecified", "internal", "server", "client", "producer", "consumer")
    )
    for text in (str(number), word, f"span_kind_{word}")
}


def unended(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Take the end from the marked spans of a batch of SPANS, and the mark as well."""
    attributes = batch.column("attributes")
    marked = _stating(attributes, MARKER, "true")
    if not marked.any():
        return batch
    maps = [
        [(key, value) for key, value in pairs if not (mark and key == MARKER)]
        for mark, pairs in zip(marked.tolist(), attributes.to_pylist(), strict=True)
    ]
    null = pa.scalar(None, pa.int64())
    ends = pc.if_else(pa.array(marked), null, batch.column("end_ns"))
    changed = {"end_ns": ends, "attributes": pa.array(maps, attributes.type)}
    columns = [changed.get(name, batch.column(name)) for name in SPANS.names]
    return pa.RecordBatch.from_arrays(columns, schema=SPANS)


def started(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Split a batch of LOGS into the records that are no markers, and the SPANS of the markers.

    A marker without both ids, or without a time, says of no span that it started: it stays a log.
    """
    named = pc.fill_null(pc.equal(batch.column("event_name"), EVENT), False)
    marked = named.to_numpy(zero_copy_only=False) | _stating(
        batch.column("attributes"), _EVENT_NAME, EVENT
    )
    for column in ("trace_id", "span_id", "time_ns"):
        marked &= batch.column(column).is_valid().to_numpy(zero_copy_only=False)
    if not marked.any():
        return batch, spans_from_rows([])
    rows = [_span(row) for row in batch.filter(pa.array(marked)).to_pylist()]
    return batch.filter(pa.array(~marked)), spans_from_rows(rows)


def _span(record: dict[str, object]) -> dict[str, object]:
    said = dict(record["attributes"])  # type: ignore[call-overload]  # pairs of a map
    parent = (said.get(_PARENT) or "").lower()
    return {
        "trace_id": record["trace_id"],
        "span_id": record["span_id"],
        "parent_span_id": parent if parent.strip("0") else None,
        "name": said.get(_NAME) or record["body"],
        "kind": _KINDS.get((said.get(_KIND) or "").lower(), KIND_UNSPECIFIED),
        "start_ns": record["time_ns"],
        "scope": record["scope"],
        "resource": dict(record["resource"]),  # type: ignore[call-overload]  # pairs of a map
        "attributes": {key: value for key, value in said.items() if key not in _OWN},
    }


def _stating(attributes: pa.MapArray, key: str, value: str) -> NDArray[np.bool_]:
    """Tell which maps hold a key with a value."""
    found: NDArray[np.bool_] = np.zeros(len(attributes), np.bool_)
    offsets = attributes.offsets.to_numpy()
    keys = attributes.keys.slice(offsets[0], offsets[-1] - offsets[0])
    at = pc.indices_nonzero(pc.equal(keys, key)).to_numpy().astype(np.int64) + offsets[0]
    if len(at):
        holds = pc.fill_null(pc.equal(attributes.items.take(pa.array(at)), value), False)
        rows = np.searchsorted(offsets, at, side="right") - 1
        found[rows[holds.to_numpy(zero_copy_only=False)]] = True
    return found
