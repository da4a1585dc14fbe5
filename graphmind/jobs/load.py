"""Raw spans into the archive: sift, resolve, append."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Appended, Archive
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolve import resolve
from graphmind.telemetry.resolver_table import Table
from graphmind.telemetry.sift import sift
from graphmind.telemetry.spans import joined


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What one load brought."""

    spans: int
    """Valid spans read, each once."""
    duplicate: int
    """Of those, spans that the archive held already."""
    trace_ids: pa.Array
    """Traces that the input names, sorted."""
    rejected: Rejections


def load(
    batches: Iterable[pa.RecordBatch],
    archive: Archive,
    settings: Settings,
    *,
    table: Table,
    rejected: Rejections,
    now_ns: int,
) -> Loaded:
    """Append batches of SPANS to the archive; durable when this returns, nothing if it raises."""
    seen = _Seen()
    appended = archive.append(
        resolve(seen.note(valid), table)
        for batch in batches
        if (valid := sift(batch, rejected, now_ns=now_ns, future_s=settings.future_s)).num_rows
    )
    return Loaded(
        spans=appended.new + appended.duplicate,
        duplicate=appended.duplicate,
        trace_ids=seen.trace_ids(),
        rejected=rejected,
    )


def store_spans(
    batches: Sequence[pa.RecordBatch], archive: Archive, *, table: Table, now_ms: int
) -> Appended:
    """Store sifted batches of SPANS by one commit, as live telemetry comes in."""
    return archive.add(resolve(joined(batches), table), at_ms=now_ms)


class _Seen:
    """Collects the trace ids that pass by."""

    def __init__(self) -> None:
        self._parts: list[pa.Array] = []

    def note(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        self._parts.append(pc.unique(batch.column("trace_id")))
        return batch

    def trace_ids(self) -> pa.Array:
        ids = pc.unique(pa.chunked_array(self._parts, pa.string()))
        return ids.take(pc.sort_indices(ids))
