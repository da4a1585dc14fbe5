"""Windows that hold more than a server gives at once are cut in two, again and again."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.sources import PullWindow
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.pull.client import ReplyTooLarge

T = TypeVar("T")

MS_NS, SECOND_NS = 10**6, 10**9

NARROW = "more at one moment than the server's limit"
"""Reason: a window that cannot be cut further was still full; what is beyond its limit is lost."""


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """What one request brought."""

    found: T
    full: bool
    """The limit was reached: there may be more."""


def pages(
    window: PullWindow,
    read: Callable[[PullWindow], Page[T]],
    *,
    step_ns: int,
    rejected: Rejections,
) -> Iterator[T]:
    """Read a window, in parts where it is too full, in the order of time.

    ``step_ns`` is how finely the server tells times apart: no part is narrower.
    """
    waiting = [window]
    while waiting:
        part = waiting.pop()
        wide = part.until_ns - part.from_ns >= 2 * step_ns
        try:
            page = read(part)
        except ReplyTooLarge:
            if not wide:
                raise
            waiting += _halves(part, step_ns)
            continue
        if page.full and wide:
            waiting += _halves(part, step_ns)
            continue
        if page.full:
            rejected.add(NARROW, f"{part.from_ns} to {part.until_ns} ns")
        yield page.found


def _halves(window: PullWindow, step_ns: int) -> tuple[PullWindow, PullWindow]:
    """Return the later half and the earlier one; they meet where the server tells them apart."""
    middle = (window.from_ns + window.until_ns) // 2 // step_ns * step_ns
    middle = max(middle, window.from_ns + step_ns)
    return (
        PullWindow(from_ns=middle, until_ns=window.until_ns),
        PullWindow(from_ns=window.from_ns, until_ns=middle),
    )


def trace_ids(batches: Iterable[pa.RecordBatch]) -> set[str]:
    """Return the ids of the traces in batches of spans."""
    return {
        trace_id
        for batch in batches
        for trace_id in pc.unique(batch.column("trace_id")).to_pylist()
        if trace_id
    }


def unseen(batches: Iterable[pa.RecordBatch], seen: set[str]) -> Iterator[pa.RecordBatch]:
    """Yield the spans of traces not seen yet, and remember those; for replies of whole traces."""
    batches = list(batches)
    known = pa.array(sorted(seen), pa.string())
    for batch in batches:
        fresh = batch.filter(pc.invert(pc.is_in(batch.column("trace_id"), value_set=known)))
        if fresh.num_rows:
            yield fresh
    seen |= trace_ids(batches)
