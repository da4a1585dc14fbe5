"""Bursts of one symptom among the failing traces that no cause explains."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from graphmind.analysis.communities import communities
from graphmind.analysis.evidence import kl_gain
from graphmind.analysis.incidence import Codes, Flags, Floats, Integers
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.window import Window

BINS = 64  # Chosen: an interval is a run of bins.
OVERLAP_MIN = 0.05  # Measured: bursts that share less are apart.


@dataclass(frozen=True, kw_only=True)
class Burst:
    """One symptom that is denser in an interval than chance allows."""

    start: float
    """Share of the window before it."""
    stop: float
    gain: float
    rows: Integers
    """Ascending."""


def find_bursts(window: Window, rows: Integers, options: CauseOptions) -> list[Burst]:
    """Group bursting symptoms of some failing rows; each group stands for its strongest burst."""
    place = _place(window, rows)
    symptoms = [
        (codes, code)
        for descriptor in window.descriptors
        if len(codes := descriptor.codes[rows])
        for code in np.unique(codes)
    ]
    required = np.log(max(len(symptoms), 1) / options.alpha)
    found = [_burst(rows, place, codes == code) for codes, code in symptoms if code >= 0]
    bursts = [
        burst
        for burst in found
        if burst.gain >= required and len(burst.rows) >= options.burst_traces_min
    ]
    edges = [
        (i, j, overlap)
        for (i, a), (j, b) in combinations(enumerate(bursts), 2)
        if (overlap := _overlap(a, b)) > OVERLAP_MIN
    ]
    groups = communities(len(bursts), edges)
    strongest = [max((bursts[n] for n in group), key=lambda b: b.gain) for group in groups]
    return _disjoint(strongest, options)


def _place(window: Window, rows: Integers) -> Codes:
    """Bin of each row in time."""
    if not len(rows):
        return np.zeros(0, np.int32)
    first, last = window.start_ns[0], window.start_ns[-1]
    share = (window.start_ns[rows] - first) / max(int(last - first), 1)
    return np.asarray(np.minimum(share * BINS, BINS - 1), np.int32)


def _burst(rows: Integers, place: Codes, shows: Flags) -> Burst:
    """Find the densest interval of the rows that show a symptom."""
    before = np.concatenate([[0], np.cumsum(np.bincount(place[shows], minlength=BINS))])
    start, stop = np.triu_indices(BINS + 1, 1)
    inside = (before[stop] - before[start]).astype(np.float64)
    total: Floats = np.full(len(inside), float(before[-1]))
    gain = kl_gain(total, inside, total * (stop - start) / BINS)
    best = int(gain.argmax())
    within = shows & (place >= start[best]) & (place < stop[best])
    return Burst(
        start=float(start[best] / BINS),
        stop=float(stop[best] / BINS),
        gain=float(gain[best] - np.log(len(gain))),
        rows=rows[within],
    )


def _overlap(a: Burst, b: Burst) -> float:
    """Overlap in time times overlap in traces, each at most 1."""
    common = max(0.0, min(a.stop, b.stop) - max(a.start, b.start))
    time = common / max(a.stop - a.start, b.stop - b.start)
    shared = len(np.intersect1d(a.rows, b.rows, assume_unique=True))
    return float(time * shared / np.sqrt(len(a.rows) * len(b.rows)))


def _disjoint(bursts: list[Burst], options: CauseOptions) -> list[Burst]:
    """Give each trace to the strongest burst that has it."""
    taken = np.zeros(0, np.int64)
    kept = []
    for burst in sorted(bursts, key=lambda b: (-b.gain, b.start)):
        rows = np.setdiff1d(burst.rows, taken, assume_unique=True)
        if len(rows) >= options.burst_traces_min:
            kept.append(Burst(start=burst.start, stop=burst.stop, gain=burst.gain, rows=rows))
            taken = np.concatenate([taken, rows])
    return kept
