"""Everything that a bad value came to: the traces that read it, the keys that held it."""

from typing import Final

import numpy as np
import pyarrow as pa

from graphmind.analysis.contamination.failures import Failures
from graphmind.analysis.contamination.spread import CLEAN
from graphmind.analysis.window import NEVER
from graphmind.telemetry.lineage import History
from graphmind.telemetry.numbering import numbered_texts
from graphmind.telemetry.tree import Bools, Ints

REACHED_TRACES: Final = pa.schema(
    [
        pa.field("trace_id", pa.string()),
        pa.field("hops", pa.int64()),  # writes passed on the shortest way from an origin
        pa.field("read_ns", pa.int64()),  # first read of what descends from an origin
        pa.field("harmed", pa.bool_()),  # failed, and not before it read
        pa.field("healthy", pa.bool_()),  # showed no symptom
        pa.field("key", pa.string()),  # of the read on the shortest way
        pa.field("writer_id", pa.string()),  # trace that wrote what that read saw
    ]
)
"""Traces that read what descends from an origin, nearest first, then by time and id."""

REACHED_KEYS: Final = pa.schema(
    [
        pa.field("key", pa.string()),
        pa.field("hops", pa.int64()),  # writes between its nearest value and the origin
        pa.field("since_ns", pa.int64()),  # first bad write
        pa.field("writes", pa.int64()),  # bad writes
        pa.field("harmed", pa.int64()),  # traces that read one and failed after
        pa.field("healthy", pa.int64()),  # traces that read one and showed no symptom
        pa.field("holds", pa.bool_()),  # its last value is bad
    ]
)
"""Keys that held what descends from an origin, nearest first, then by time and name."""


def reached_traces(history: History, hops: Ints, failures: Failures) -> pa.Table:
    """List the traces that read a bad value (schema REACHED_TRACES)."""
    reads, sources = _reads(history, hops, failures)
    if not len(reads):
        return REACHED_TRACES.empty_table()
    at_ns = history.accesses["at_ns"].to_numpy()
    first = np.flatnonzero(np.diff(history.trace[reads], prepend=-1))
    trace, earliest = history.trace[reads[first]], np.minimum.reduceat(at_ns[reads], first)
    nearest, written = pa.array(reads[first]), pa.array(sources[first])
    table = pa.Table.from_arrays(
        [
            history.accesses["trace_id"].take(nearest),
            pa.array(hops[reads[first]]),
            pa.array(earliest),
            pa.array(failures.harmed(trace, earliest)),
            pa.array(failures.began_ns[trace] == NEVER),
            history.accesses["key"].take(nearest),
            history.accesses["trace_id"].take(written),
        ],
        schema=REACHED_TRACES,
    )
    return table.sort_by([(name, "ascending") for name in ("hops", "read_ns", "trace_id")])


def reached_keys(history: History, hops: Ints, failures: Failures) -> pa.Table:
    """List the keys that held a bad value (schema REACHED_KEYS)."""
    key = numbered_texts(history.accesses["key"])
    writes = np.flatnonzero(history.written & (hops != CLEAN))
    if not len(writes):
        return REACHED_KEYS.empty_table()
    first = np.flatnonzero(np.diff(key[writes], prepend=-1))
    number = key[writes[first]]
    every = np.flatnonzero(history.written)
    last = every[np.flatnonzero(np.diff(key[every], append=-1))]
    holding = key[last[hops[last] != CLEAN]]
    harmed, healthy = _readers(history, hops, failures, key)
    table = pa.Table.from_arrays(
        [
            history.accesses["key"].take(pa.array(writes[first])),
            pa.array(np.minimum.reduceat(hops[writes], first)),
            history.accesses["at_ns"].take(pa.array(writes[first])),
            pa.array(np.diff(np.append(first, len(writes)))),
            pa.array(harmed[number]),
            pa.array(healthy[number]),
            pa.array(np.isin(number, holding)),
        ],
        schema=REACHED_KEYS,
    )
    return table.sort_by([(name, "ascending") for name in ("hops", "since_ns", "key")])


def _reads(history: History, hops: Ints, failures: Failures) -> tuple[Ints, Ints]:
    """Rows of reads that saw a bad value, and of the writes they saw.

    By trace; its reads before it failed, then by hops, time and key.
    """
    bad = hops[history.reads] != CLEAN
    reads, sources = history.reads[bad], history.sources[bad]
    trace, at_ns = history.trace[reads], history.accesses["at_ns"].to_numpy()[reads]
    late = at_ns > failures.began_ns[trace]
    order = np.lexsort((reads, history.moment[reads], hops[reads], late, trace))
    return reads[order], sources[order]


def _readers(history: History, hops: Ints, failures: Failures, key: Ints) -> tuple[Ints, Ints]:
    """Count by key the traces that read a bad value: those harmed, and those healthy."""
    reads, _ = _reads(history, hops, failures)
    reads = reads[np.lexsort((history.moment[reads], history.trace[reads], key[reads]))]
    pair = key[reads] * len(history.trace) + history.trace[reads]
    reads = reads[np.flatnonzero(np.diff(pair, prepend=-1))]
    trace, width = history.trace[reads], int(key.max()) + 1
    harmed = failures.harmed(trace, history.accesses["at_ns"].to_numpy()[reads])
    healthy = failures.began_ns[trace] == NEVER
    return _count(key[reads], harmed, width), _count(key[reads], healthy, width)


def _count(key: Ints, flags: Bools, width: int) -> Ints:
    return np.bincount(key[flags], minlength=width).astype(np.int64)
