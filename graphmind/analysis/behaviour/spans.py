"""Spans as numbers: where each stands, how long it took, whether and how it failed."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.behaviour.structure import Hashes, hash_labels
from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.numbering import joined
from graphmind.telemetry.spans import STATUS_ERROR
from graphmind.telemetry.tree import Bools, Ints

SPAN_COLUMNS: Final = ("depth_level", "duration", "has_error", "error_code_hash", "num_children")
"""The vector of a span. ``duration`` is ln(1 + ms); ``error_code_hash`` lies in (0, 1], 0 without
a code."""
NS_PER_MS: Final = 1e6


@dataclass(frozen=True, kw_only=True)
class Traces:
    """What this room reads of some assembled traces; spans sorted by trace."""

    trace_ids: pa.Array
    """One per trace, in the order of ``trace_row``."""
    span_ids: pa.Array
    trace: Ints
    """Row of each span's trace."""
    first: Ints
    """First span of each trace."""
    vectors: Floats
    """(n_spans, 5), columns ``SPAN_COLUMNS``."""
    self_time: Floats
    """ln(1 + ms) of the time that no child covers, per span."""
    labels: Hashes
    """(rounds, n_spans), see ``structure.hash_labels``."""
    clean: Bools
    """Per trace: every span ended without an error, and none names a parent that never came."""

    @property
    def count(self) -> int:
        """Number of traces."""
        return len(self.first)


def read_traces(assembled: pa.Table) -> Traces:
    """Read a table of the schema ASSEMBLED; a span not ended counts to the end of its trace."""
    columns = Columns.of(assembled)
    count = int(columns.trace.max(initial=-1)) + 1
    first = np.searchsorted(columns.trace, np.arange(count))
    orphan = assembled.column("orphan").to_numpy(zero_copy_only=False)
    spoiled = ~columns.ended | (columns.status == STATUS_ERROR) | orphan
    return Traces(
        trace_ids=joined(assembled.column("trace_id")).take(pa.array(first)),
        span_ids=joined(assembled.column("span_id")),
        trace=columns.trace,
        first=first,
        vectors=span_vectors(assembled, columns, first),
        self_time=_log_ms(columns.self_ns),
        labels=hash_labels(assembled, columns.parent),
        clean=np.bincount(columns.trace[spoiled], minlength=count) == 0,
    )


def span_vectors(assembled: pa.Table, columns: Columns, first: Ints) -> Floats:
    """Return (n_spans, 5), columns ``SPAN_COLUMNS``; ``first`` is the first span of each trace."""
    last = np.maximum.reduceat(columns.end, first) if len(first) else columns.end
    end = np.where(columns.ended, columns.end, last[columns.trace])
    vectors: Floats = np.stack(
        [
            columns.depth,
            _log_ms(end - columns.start),
            columns.status == STATUS_ERROR,
            _code_hash(assembled.column("error_code")),
            assembled.column("children").to_numpy(),
        ],
        axis=1,
    ).astype(np.float64)
    return vectors


def _log_ms(duration_ns: Ints) -> Floats:
    logs: Floats = np.log1p(np.maximum(duration_ns, 0) / NS_PER_MS)
    return logs


def _code_hash(codes: pa.ChunkedArray) -> Floats:
    encoded = joined(codes).dictionary_encode()
    hashes = np.array([_fraction(code) for code in encoded.dictionary.to_pylist()] + [0.0])
    hashed: Floats = hashes[pc.fill_null(encoded.indices, len(hashes) - 1).to_numpy()]
    return hashed


def _fraction(code: str) -> float:
    """Return the code as a number in (0, 1], the same in every process."""
    number = int.from_bytes(hashlib.blake2b(code.encode(), digest_size=4).digest(), "big")
    return float((number + 1) / 2**32)
