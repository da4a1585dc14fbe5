"""What going back to the last clean value of each key would take with it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.contamination.failures import Failures
from graphmind.analysis.contamination.spread import CLEAN
from graphmind.analysis.window import NEVER
from graphmind.telemetry.lineage import History
from graphmind.telemetry.numbering import numbered_texts
from graphmind.telemetry.tree import Ints


@dataclass(frozen=True, kw_only=True)
class Write:
    """One write of a key."""

    key: str
    trace_id: str
    agent: str | None
    at_ns: int


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """A key that holds a bad value at the end of the history, and its last clean one."""

    key: str
    hops: int
    """Writes between the value it holds and the origin."""
    to: Write | None
    """The last clean write; None where the history knows none."""
    writes: int
    """Writes since: they are lost."""
    by_agent: dict[str, int]
    """Those by agent, most first; the agent of some is not known."""
    healthy_writers: tuple[str, ...]
    """Traces among the writers in which nothing went wrong, sorted: legitimate work lost."""
    healthy_readers: int
    """Traces in which nothing went wrong though they read what would be gone."""


def writes_at(history: History, rows: Ints) -> tuple[Write, ...]:
    """Name the writes in rows."""
    names = ["key", "trace_id", "agent", "at_ns"]
    accesses = history.accesses.select(names).take(pa.array(rows))
    return tuple(Write(**access) for access in accesses.to_pylist())


def write_at(history: History, row: int) -> Write:
    """Name the write in a row."""
    return writes_at(history, np.array([row]))[0]


def rollbacks(history: History, hops: Ints, failures: Failures) -> Iterator[Rollback]:
    """Yield the keys whose last write is bad; sorted by key."""
    key = numbered_texts(history.accesses["key"])
    writes = np.flatnonzero(history.written)
    last = writes[np.flatnonzero(np.diff(key[writes], append=-1))]
    clean = np.where(history.written & (hops == CLEAN), np.arange(len(key)), -1)
    before = np.maximum.accumulate(clean) if len(clean) else clean
    starts = np.searchsorted(key, key[last])
    ends = np.searchsorted(key, key[last], side="right")
    for row, start, end in zip(last.tolist(), starts.tolist(), ends.tolist(), strict=True):
        if hops[row] != CLEAN:
            known = int(before[row])
            to = known if known >= start else None
            begin = start if to is None else to + 1
            yield _rollback(history, hops, failures, row=row, to=to, since=np.arange(begin, end))


def _rollback(
    history: History, hops: Ints, failures: Failures, *, row: int, to: int | None, since: Ints
) -> Rollback:
    """``since`` are the key's rows after its last clean write."""
    lost = since[history.written[since]]
    first = lost.min()
    readers = np.unique(history.trace[since[~history.written[since] & (since > first)]])
    writers = lost[failures.began_ns[history.trace[lost]] == NEVER]
    agents = history.accesses["agent"].take(lost).drop_null().to_pylist()
    return Rollback(
        key=history.accesses["key"][row].as_py(),
        hops=int(hops[row]),
        to=None if to is None else write_at(history, to),
        writes=len(lost),
        by_agent=dict(sorted(Counter(agents).items(), key=lambda pair: (-pair[1], pair[0]))),
        healthy_writers=tuple(
            sorted(pc.unique(history.accesses["trace_id"].take(writers)).to_pylist())
        ),
        healthy_readers=int((failures.began_ns[readers] == NEVER).sum()),
    )
