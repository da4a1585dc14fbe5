"""MacroBase's explanations (Bailis et al., SIGMOD 2017): frequent sets with a high risk ratio.

Single items below the support or the ratio are dropped first, as there; sets of what is left are
grown depth-first over row lists, which gives the sets that FP-growth gives.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from benchmarks.rivals.view import FAILURES_MIN, ItemIds, View, spectrum
from graphmind.analysis.incidence import Flags, Floats, Integers

SUPPORT_MIN = 0.001
RATIO_MIN = 3.0
"""Share of the failing traces, and risk ratio: MacroBase's defaults."""
ITEMS_MAX = 3
"""Items of a set: the limit of MacroBase's published queries."""
Explanation = tuple[ItemIds, float, float]
"""Items, failing traces that touched them all, risk ratio."""


def by_risk_ratio(view: View, failing: Flags) -> list[ItemIds]:
    """Rank by risk ratio, then by failing traces."""
    found = explanations(view, failing)
    return [items for items, _, _ in sorted(found, key=lambda each: (-each[2], -each[1], each[0]))]


def by_support(view: View, failing: Flags) -> list[ItemIds]:
    """Rank by failing traces as its first release did; among equals smaller sets first."""
    found = explanations(view, failing)
    key = lambda each: (-each[1], len(each[0]), -each[2], each[0])  # noqa: E731 - one line, one use
    return [items for items, _, _ in sorted(found, key=key)]


def explanations(view: View, failing: Flags) -> list[Explanation]:
    """Return every set of items with enough support and ratio; of twins only the first."""
    counts = spectrum(view, failing)
    failures, passes = float(failing.sum()), float((~view.failing).sum())
    least = max(FAILURES_MIN, SUPPORT_MIN * failures)
    single = _risk_ratio(counts.ef, counts.ep, failures, passes)
    kept = np.flatnonzero((counts.ef >= least) & (single > RATIO_MIN))
    kept = kept[np.sort(np.unique(view.twin[kept], return_index=True)[1])]
    found = []
    for places, failed, passed in _frequent_sets(view, failing, kept, least):
        ratio = float(_risk_ratio(np.array(failed), np.array(passed), failures, passes))
        if ratio > RATIO_MIN:
            found.append((tuple(int(kept[place]) for place in places), failed, ratio))
    return found


def _risk_ratio(failed: Floats, passed: Floats, failures: float, passes: float) -> Floats:
    """Failure rate of the traces with the items over that of the others; infinite where 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = (failures - failed) / (failures - failed + passes - passed)
        return np.where(failed > 0, (failed / (failed + passed)) / rest, 0.0)


def _frequent_sets(
    view: View, failing: Flags, kept: Integers, least: float
) -> Iterator[tuple[ItemIds, float, float]]:
    """Yield places in ``kept``, failing and passing traces with all of them; prefix first."""
    failed, passed = view.touched[failing][:, kept], view.touched[~view.failing][:, kept]
    everywhere: ItemIds = ()
    stack = [(everywhere, np.arange(failed.shape[0]), np.arange(passed.shape[0]))]
    while stack:
        places, failed_rows, passed_rows = stack.pop()
        if places:
            yield places, float(len(failed_rows)), float(len(passed_rows))
        if len(places) == ITEMS_MAX:
            continue
        inside = failed[failed_rows].tocsc()
        outside = passed[passed_rows].tocsc()
        support = np.diff(inside.indptr)
        first = places[-1] + 1 if places else 0
        stack += [
            (
                (*places, place),
                failed_rows[_rows(inside, place)],
                passed_rows[_rows(outside, place)],
            )
            for place in (first + np.flatnonzero(support[first:] >= least)).tolist()
        ]


def _rows(columns: sparse.csc_array, place: int) -> Integers:
    rows = columns.indices[columns.indptr[place] : columns.indptr[place + 1]]
    return rows.astype(np.int64)
