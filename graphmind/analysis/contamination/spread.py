"""How far values have come: every access that saw, or passed on, what descends from some writes."""

import numpy as np

from graphmind.telemetry.lineage import History
from graphmind.telemetry.tree import Ints

CLEAN = -1


def spread_from(history: History, origins: Ints, *, hops_max: int | None = None) -> Ints:
    """Return, for each access, how many writes lie between it and the nearest origin, else CLEAN.

    ``origins`` are rows of writes. Theirs is 0; the read of a value counts one more than the value;
    a write counts as the least of what its trace had read before (at equal times: too). The next
    write of a key ends what was there. Readers beyond ``hops_max`` are clean.

    A loop in the order of time, since each step rests on those before: 1 s for a million accesses.
    """
    source = np.full(len(history.trace), -1)
    source[history.reads] = history.sources
    hops = [CLEAN] * len(source)
    for row in origins.tolist():
        hops[row] = 0
    passed_on: dict[int, int] = {}
    order = _in_time(history, source, origins)
    for row, trace, write in zip(
        order.tolist(), history.trace[order].tolist(), source[order].tolist(), strict=True
    ):
        if write < 0:
            if hops[row] == CLEAN:
                hops[row] = passed_on.get(trace, CLEAN)
        elif hops[write] != CLEAN and hops[write] != hops_max:
            hops[row] = hops[write] + 1
            passed_on[trace] = min(passed_on.get(trace, hops[row]), hops[row])
    return np.array(hops, np.int64)


def _in_time(history: History, source: Ints, origins: Ints) -> Ints:
    """Order the accesses that may matter by time, a read before a write at equal times."""
    if not len(origins):
        return origins
    matters = (source >= 0) | history.written
    rows = np.flatnonzero(matters & (history.moment >= history.moment[origins].min()))
    return rows[np.lexsort((history.written[rows], history.moment[rows]))]
