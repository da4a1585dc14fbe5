"""MicroRank (Yu et al., WWW 2021): a spectrum weighted by personalised PageRank.

After the authors' code (IntelligentDDS/MicroRank) on traces x items. Its third kind of edge, from
calling to called operation, weighs 0.01 and is left out: items do not call each other.
"""

import numpy as np
from scipy import sparse

from benchmarks.rivals.view import View
from graphmind.analysis.incidence import Flags, Floats

DAMPING = 0.85
ITERATIONS = 25
PREFERENCE = 0.5
"""Weight between rare kinds of trace and short ones, on the failing side. All: the authors'."""
ABSENT = 1e-7
"""Counts of an item that no trace of a side touched: the authors'."""


def microrank(view: View, failing: Flags) -> Floats:
    """Ochiai on counts times the item's PageRank among the failing and the passing traces."""
    passing = ~view.failing
    if not failing.any() or not passing.any():
        return np.zeros(len(view.items))
    failed_weight, failed = _weights(view.touched[failing], failing=True)
    passed_weight, passed = _weights(view.touched[passing], failing=False)
    ef = np.where(failed > 0, failed_weight * failed, ABSENT)
    nf = np.where(failed > 0, failed_weight * (failing.sum() - failed), ABSENT)
    ep = np.where(passed > 0, passed_weight * passed, ABSENT)
    score: Floats = ef / np.sqrt((ep + ef) * (ef + nf))
    return score


def _weights(touched: sparse.csr_array, *, failing: bool) -> tuple[Floats, Floats]:
    """Weight of each item among these traces, and how many of them touched it."""
    items_of = np.maximum(np.asarray(touched.sum(axis=1)).ravel(), 1)
    traces_of: Floats = np.asarray(touched.sum(axis=0), np.float64).ravel()
    to_items = (sparse.diags_array(1 / items_of) @ touched).T.tocsr()
    to_traces = (touched @ sparse.diags_array(1 / np.maximum(traces_of, 1))).tocsr()
    rank = _page_rank(to_items, to_traces, _preference(touched, items_of, failing=failing))
    weights: Floats = rank * rank.sum() / max(np.count_nonzero(traces_of), 1)
    return weights, traces_of


def _page_rank(to_items: sparse.csr_array, to_traces: sparse.csr_array, v: Floats) -> Floats:
    items, traces = to_items.shape
    item_rank, trace_rank = np.ones(items) / (items + traces), np.ones(traces) / (items + traces)
    for _ in range(ITERATIONS):
        item_next = DAMPING * (to_items @ trace_rank)
        trace_next = DAMPING * (to_traces @ item_rank) + (1 - DAMPING) * v
        item_rank, trace_rank = item_next / item_next.max(), trace_next / trace_next.max()
    return item_rank


def _preference(touched: sparse.csr_array, items_of: Floats, *, failing: bool) -> Floats:
    """Prefer traces whose set of items is rare; among failing ones also those with few items."""
    marks = np.random.default_rng(7).integers(1, 1 << 26, (touched.shape[1], 2))
    _, kind, counts = np.unique(
        touched @ marks.astype(np.float64), axis=0, return_inverse=True, return_counts=True
    )
    alike = counts[kind.ravel()].astype(np.float64)
    rarity, brevity = (1 / alike).sum(), (1 / items_of).sum()
    preference: Floats = 1 / alike / rarity
    if failing:
        preference = PREFERENCE / (alike / rarity * PREFERENCE + 1 / items_of) / brevity
    return preference
