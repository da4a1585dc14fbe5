"""How a ranking of items becomes reports: all at once, or peeled one after the other.

A ranking has no end of its own, so both are told how many incidents there are, and report one where
they are told of none.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.rivals.view import FAILURES_MIN, ItemIds, View, report, rows_with, spectrum
from benchmarks.scoring import Found
from graphmind.analysis.incidence import Flags, Floats

Rival = Callable[[View, int], list[Found]]
"""A view and the number of incidents (for those that cannot find it) -> reports."""
Ranker = Callable[[View, Flags], list[ItemIds]]
"""A view and the failing traces left -> explanations, best first."""


def at_once(rank: Ranker) -> Rival:
    """Report the first explanations of one ranking, each with every failing trace it is on."""

    def find(view: View, incidents: int) -> list[Found]:
        count, ranked = max(incidents, 1), rank(view, view.failing)
        return [
            report(view, ranked[place::count], rows_with(view, items, view.failing))
            for place, items in enumerate(ranked[:count])
        ]

    return find


def peeled(rank: Ranker) -> Rival:
    """Report the first explanation, drop the failing traces that touched it, rank again."""

    def find(view: View, incidents: int) -> list[Found]:
        left, reports = view.failing.copy(), list[Found]()
        while len(reports) < max(incidents, 1) and (ranked := rank(view, left)):
            rows = rows_with(view, ranked[0], left)
            left[rows] = False
            reports.append(report(view, ranked, rows))
        return reports

    return find


def with_count(rival: Rival, count: int) -> Rival:
    """Report as many whatever there is: what one does who is not told."""

    def find(view: View, _incidents: int) -> list[Found]:
        return rival(view, count)

    return find


def by_score(score: Callable[[View, Flags], Floats], least: float = 0.0) -> Ranker:
    """Rank single items by a score above ``least``; items on the same traces are ranked once."""

    def rank(view: View, failing: Flags) -> list[ItemIds]:
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.nan_to_num(score(view, failing), nan=-np.inf, posinf=np.finfo(float).max)
        kept = np.flatnonzero((spectrum(view, failing).ef >= FAILURES_MIN) & (value > least))
        ordered = kept[np.lexsort((kept, -value[kept]))]
        _, first = np.unique(view.twin[ordered], return_index=True)
        return [(int(item),) for item in ordered[np.sort(first)]]

    return rank
