"""The state-write chain: who wrote the value that a trace read, and on whose values that rests."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.facts import ACCESSES
from graphmind.telemetry.numbering import joined, numbered_texts
from graphmind.telemetry.tree import Bools, Ints

ACCESS_ORDER: Final = [(name, "ascending") for name in ("key", "at_ns", "op", "trace_id")]
"""At equal times a read comes before a write."""
HOPS_MAX: Final = 3
"""Writes that a value is followed through to name its origin (algorithms.md, section 1)."""
PAIRS_MAX: Final = 20_000_000
"""Pairs of a trace and a write at most; chains are followed less far where there would be more.

Chosen: about 2 GB at its peak (measured: 0.9 GB for 9 million). The simulated platform has 19 a
trace, so a million of its traces are just followed to the end.
"""


@dataclass(frozen=True, kw_only=True)
class History:
    """The accesses of a window, and what each read of another trace's value saw."""

    accesses: pa.Table
    """ACCESSES sorted by ACCESS_ORDER; rows below are its rows."""
    trace: Ints
    """(rows,), number of the trace."""
    trace_ids: pa.Array
    """Of each number."""
    moment: Ints
    """(rows,), rank of the time among all times, equal where they are equal."""
    written: Bools
    """(rows,), whether it is a write."""
    reads: Ints
    """Rows of reads that saw a value another trace wrote, by trace, then time."""
    sources: Ints
    """(reads,), row of the write that each saw."""

    def numbers_of(self, trace_ids: pa.ChunkedArray) -> Ints:
        """Return the numbers of traces, -1 for those that access no key."""
        found = pc.fill_null(pc.index_in(trace_ids, value_set=self.trace_ids), -1)
        return np.asarray(found.to_numpy(), np.int64)

    def reads_before(self, rows: Ints) -> tuple[Ints, Ints]:
        """Return, for each row, first and end in ``reads`` of what its trace had read by then.

        At equal times a trace reads before it writes.
        """
        width = len(self.moment)
        order = self.trace[self.reads] * width + self.moment[self.reads]
        own = self.trace[rows] * width
        return (
            np.searchsorted(order, own),
            np.searchsorted(order, own + self.moment[rows], side="right"),
        )


@dataclass(frozen=True, kw_only=True)
class Ancestry:
    """Traces and the writes that what they read descends from, each pair once."""

    read: Ints
    """Place in ``History.reads`` of the trace's first read that brought it in."""
    write: Ints
    """Row of the write."""
    hops: Ints
    """Writes passed on the shortest way; 1 for a value that the trace read itself."""


def accesses(assembled: pa.Table, columns: Columns) -> pa.Table:
    """Return the reads and writes of keys (schema ACCESSES), sorted by key, time and trace.

    A read sees the state at the span's start, a write takes effect at its end.
    """
    op = assembled.column("kv_op")
    parts = []
    for name, times in (("read", columns.start), ("write", columns.end)):
        rows = np.flatnonzero(pc.is_in(op, value_set=pa.array([name, "both"])).to_numpy())
        span = pa.array(rows)
        parts.append(
            pa.Table.from_arrays(
                [
                    assembled.column("trace_id").take(span),
                    assembled.column("kv_key").take(span),
                    pa.chunked_array([pa.array([name] * len(rows), pa.string())]),
                    pa.chunked_array([pa.array(times[rows])]),
                    assembled.column("agent").take(span),
                ],
                schema=ACCESSES,
            )
        )
    return pa.concat_tables(parts).sort_by(ACCESS_ORDER)


def last_writes(accessed: pa.Table) -> tuple[Ints, Ints]:
    """Return rows of reads and, for each, the row of the write whose value it saw.

    Takes ACCESSES sorted as ``accesses`` does: at equal times a read comes before a write. Reads
    of a value that the same trace wrote, or that nobody in the window wrote, are left out.
    """
    key = numbered_texts(accessed.column("key"))
    trace = numbered_texts(accessed.column("trace_id"))
    written = pc.equal(accessed.column("op"), "write").to_numpy()
    last = np.maximum.accumulate(np.where(written, np.arange(len(key)), -1))
    reads = np.flatnonzero(~written & (last >= 0))
    writes = last[reads]
    seen = (key[writes] == key[reads]) & (trace[writes] != trace[reads])
    return reads[seen], writes[seen]


def history_of(accessed: pa.Table) -> History:
    """Arrange ACCESSES, in any order, by what each read saw."""
    accessed = accessed.sort_by(ACCESS_ORDER)
    traces = joined(accessed.column("trace_id")).dictionary_encode()
    trace = traces.indices.to_numpy().astype(np.int64)
    moment = np.unique(accessed.column("at_ns").to_numpy(), return_inverse=True)[1]
    reads, writes = last_writes(accessed)
    order = np.lexsort((moment[reads], trace[reads]))
    return History(
        accesses=accessed,
        trace=trace,
        trace_ids=traces.dictionary,
        moment=moment.astype(np.int64),
        written=pc.equal(accessed.column("op"), "write").to_numpy(),
        reads=reads[order],
        sources=writes[order],
    )


def ancestry_of(
    history: History, *, hops_max: int = HOPS_MAX, pairs_max: int = PAIRS_MAX
) -> Ancestry:
    """Follow what each trace read upstream: a writer passes on what it had read before it wrote.

    A trace does not descend from itself.
    """
    reads = np.arange(len(history.reads))
    level = _once(history, Ancestry(read=reads, write=history.sources, hops=np.ones_like(reads)))
    levels, pairs = [level], len(reads)
    for _ in range(1, hops_max):
        first, end = history.reads_before(level.write)
        pairs += int((end - first).sum())
        if pairs > pairs_max:
            break
        level = _once(history, _one_hop_up(history, level, first, end))
        levels.append(level)
    return _once(
        history,
        Ancestry(
            read=np.concatenate([each.read for each in levels]),
            write=np.concatenate([each.write for each in levels]),
            hops=np.concatenate([each.hops for each in levels]),
        ),
    )


def _one_hop_up(history: History, level: Ancestry, first: Ints, end: Ints) -> Ancestry:
    """Pair the traces with the writes that the writers had read; ``reads[first:end]`` each."""
    counts = end - first
    place = np.arange(int(counts.sum())) + np.repeat(first - (np.cumsum(counts) - counts), counts)
    read, write = np.repeat(level.read, counts), history.sources[place]
    other = history.trace[history.reads[read]] != history.trace[write]
    return Ancestry(
        read=read[other], write=write[other], hops=np.repeat(level.hops + 1, counts)[other]
    )


def _once(history: History, pairs: Ancestry) -> Ancestry:
    """Keep each pair of trace and write once: first read, fewest hops; by trace, then write."""
    pair = history.trace[history.reads[pairs.read]] * len(history.trace) + pairs.write
    order = np.argsort(pair)
    first = np.flatnonzero(np.diff(pair[order], prepend=-1))
    if not len(first):
        return pairs
    return Ancestry(
        read=np.minimum.reduceat(pairs.read[order], first),
        write=pairs.write[order][first],
        hops=np.minimum.reduceat(pairs.hops[order], first),
    )
