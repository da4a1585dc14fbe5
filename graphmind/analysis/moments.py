"""Columns that fail for a part of the window only: a short incident drowns in a whole window."""

from itertools import pairwise

import numpy as np

from graphmind.analysis.incidence import Flags, Floats, Incidence, Integers

PARTS = 16  # Chosen: an incident of a thirtieth of the window still fills half a part.
# Chosen: what is worth an exact look; the best interval is sought exactly afterwards.
FAILURES_MIN = 5.0
RATIO_MIN = 2.0


def sums_before(by_trace: Incidence, rows: Integers, weight: Floats) -> Floats:
    """Sum a weight of some rows over each column, up to the end of each part of the window.

    ``rows`` ascend; parts hold equally many of all rows. (PARTS + 1, columns), zeros first.
    """
    ends = np.linspace(0, by_trace.height, PARTS + 1).round().astype(np.int64)
    cuts = np.searchsorted(rows, ends)
    sums = [np.zeros(by_trace.width)]
    for first, end in pairwise(cuts.tolist()):
        sums += by_trace.sums(rows[first:end], weight[first:end])
    return np.cumsum(sums, axis=0)


def best_moments(exposed: Floats, failed: Floats, base_rate: float) -> Floats:
    """Gain of each column in its best run of parts, over the base rate; 0 where nothing stands out.

    Both sums are as ``sums_before`` returns them.
    """
    first, end = _runs()
    best = np.zeros(exposed.shape[1])
    for start, stop in zip(first, end, strict=True):
        observed = failed[stop] - failed[start]
        expected = base_rate * (exposed[stop] - exposed[start])
        striking: Flags = (observed >= FAILURES_MIN) & (observed > RATIO_MIN * expected)
        at = np.flatnonzero(striking)
        excess = observed[at] * np.log(observed[at] / np.maximum(expected[at], 1e-9))
        best[at] = np.maximum(best[at], excess - (observed[at] - expected[at]))
    return best


def _runs() -> tuple[list[int], list[int]]:
    """Half-overlapping runs of 1, 2, 4 and 8 parts: the start and the end of each."""
    lengths = [PARTS >> halvings for halvings in range(1, PARTS.bit_length())]
    runs = [
        (start, start + length)
        for length in lengths
        for start in range(0, PARTS - length + 1, max(length // 2, 1))
    ]
    return [start for start, _ in runs], [end for _, end in runs]
