"""The state-write chain: who wrote the value that a trace read."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.facts import ACCESSES
from graphmind.telemetry.numbering import numbered_texts
from graphmind.telemetry.tree import Ints

ACCESS_ORDER: Final = [(name, "ascending") for name in ("key", "at_ns", "op", "trace_id")]
"""At equal times a read comes before a write."""


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
