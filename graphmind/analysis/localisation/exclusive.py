"""Who is working at each instant of a trace."""

import numpy as np

from graphmind.analysis.localisation.period import Period
from graphmind.telemetry.tree import Ints


def exclusive_ns(period: Period) -> Ints:
    """Return the time attributed to each span; the sum over a trace is the time it is active.

    Every instant goes to the deepest active span, of several to the latest started. For synchronous
    calls that is the duration minus the children; a span that merely waits beside the one that
    works (an asynchronous server) gets nothing.
    """
    times, first, last = _segments(period)
    owner = np.full(len(times), -1)
    # The deepest is painted last; an index that repeats keeps the value assigned last.
    order = np.lexsort((-np.arange(len(period.trace)), period.start_ns, period.depth))
    for rows in np.split(order, np.flatnonzero(np.diff(period.depth[order])) + 1):
        lengths = last[rows] - first[rows]
        owner[_ranges(first[rows], lengths)] = np.repeat(rows, lengths)
    owned = np.flatnonzero(owner >= 0)
    total = np.zeros(len(period.trace), np.int64)
    np.add.at(total, owner[owned], times[owned + 1] - times[owned])
    return total


def _segments(period: Period) -> tuple[Ints, Ints, Ints]:
    """Sort all starts and ends by trace and time; return the times and each span's two places."""
    n = len(period.trace)
    time = np.concatenate([period.start_ns, period.end_ns])
    order = np.lexsort((time, np.tile(period.trace, 2)))
    place = np.empty(2 * n, np.int64)
    place[order] = np.arange(2 * n)
    return time[order], place[:n], np.maximum(place[n:], place[:n])


def _ranges(first: Ints, lengths: Ints) -> Ints:
    """Concatenate the ranges that start at ``first``."""
    ends = np.cumsum(lengths)
    return np.repeat(first - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)
