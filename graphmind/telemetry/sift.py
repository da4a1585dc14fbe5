"""Drops spans that cannot be used, counts them by reason and keeps samples (S04)."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.rejections import SAMPLES_MAX, Rejections

_SECOND_NS = 1_000_000_000


def sift(
    batch: pa.RecordBatch, rejected: Rejections, *, now_ns: int, future_s: float
) -> pa.RecordBatch:
    """Return the valid spans of a batch of SPANS; the first reason that applies is counted."""
    keep = pc.is_valid(pa.nulls(batch.num_rows, pa.bool_()).fill_null(True))
    latest = now_ns + int(future_s * _SECOND_NS)
    for reason, invalid in _reasons(batch, latest):
        struck = pc.and_(keep, invalid)
        if pc.any(struck).as_py():
            _count(batch, struck, reason, rejected)
            keep = pc.and_(keep, pc.invert(struck))
    return batch if pc.all(keep).as_py() is not False else batch.filter(keep)


def _reasons(batch: pa.RecordBatch, latest_ns: int) -> Iterator[tuple[str, pa.Array]]:
    start, end = batch.column("start_ns"), batch.column("end_ns")
    yield "span without a trace id", _blank(batch.column("trace_id"))
    yield "span without a span id", _blank(batch.column("span_id"))
    yield "span starts before 1970", pc.fill_null(pc.less(start, 0), False)
    yield "span starts in the future", pc.fill_null(pc.greater(start, latest_ns), False)
    yield "span ends before it starts", pc.fill_null(pc.less(end, start), False)


def _blank(ids: pa.Array) -> pa.Array:
    """Whether an id is absent, or all zero, which OpenTelemetry defines as invalid."""
    return pc.fill_null(pc.match_substring_regex(ids, "^0*$"), True)


def _count(batch: pa.RecordBatch, struck: pa.Array, reason: str, rejected: Rejections) -> None:
    bad = batch.filter(struck)
    rejected.add(reason, count=bad.num_rows)
    columns = ("trace_id", "span_id", "name")
    for row in bad.slice(0, SAMPLES_MAX).select(list(columns)).to_pylist():
        rejected.add(reason, " ".join(f"{name}={row[name]}" for name in columns), count=0)
