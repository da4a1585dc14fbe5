"""What a rival sees of a window: who touched what, and who failed."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from benchmarks.scoring import Found, ItemSet
from graphmind.analysis.incidence import Flags, Floats, Integers
from graphmind.analysis.window import Window, items_before_symptom

FAILURES_MIN = 5
"""Failing traces of a report, for every rival: the product's own least."""
EXPLANATIONS_MAX = 5
"""Explanations of a report: what Acc@5 reads."""
ItemIds = tuple[int, ...]
"""Items that together are one explanation."""


@dataclass(frozen=True, kw_only=True)
class View:
    """Traces x items, and which traces fail in any channel."""

    touched: sparse.csr_array
    """(n, items), 1.0 where the trace touched the item."""
    failing: Flags
    """(n,)"""
    trace_ids: list[str]
    items: list[tuple[str, str]]
    """Kind and name of each item."""
    twin: Integers
    """(items,), equal for items on exactly the same traces: no data can tell them apart."""


def view_before_symptom(window: Window, trace_ids: list[str]) -> View:
    """See what each trace touched before it went wrong, as the product does."""
    kept: sparse.csr_array | None = None
    for channel in sorted(window.failing):
        own = items_before_symptom(window, channel)
        matrix = _matrix(own.starts, own.columns, window)
        kept = matrix if kept is None else kept.multiply(matrix).tocsr()
    return _view(window, trace_ids, view_all(window, trace_ids).touched if kept is None else kept)


def view_all(window: Window, trace_ids: list[str]) -> View:
    """See everything that each trace touched, effects of its failure included."""
    return _view(window, trace_ids, _matrix(window.items.starts, window.items.columns, window))


def _matrix(starts: Integers, columns: np.ndarray, window: Window) -> sparse.csr_array:
    shape = (window.n, window.items.width)
    return sparse.csr_array((np.ones(len(columns)), columns, starts), shape=shape)


def _view(window: Window, trace_ids: list[str], touched: sparse.csr_array) -> View:
    flags = [np.zeros(window.n, bool), *window.failing.values()]
    return View(
        touched=touched,
        failing=np.any(flags, axis=0),
        trace_ids=trace_ids,
        items=[*zip(window.item_kinds, window.item_names, strict=True)],
        twin=_twins(touched),
    )


def _twins(touched: sparse.csr_array) -> Integers:
    """Number columns by content: two sums of random row weights, collisions about 1 in 2^50."""
    weights = np.random.default_rng(7).integers(1, 1 << 26, (touched.shape[0], 2))
    sums = touched.T @ weights.astype(np.float64)
    _, twin = np.unique(sums, axis=0, return_inverse=True)
    return twin.ravel().astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """Program-spectrum counts of each item, (items,) each: (failing, passing) x (with, without)."""

    ef: Floats
    ep: Floats
    nf: Floats
    np: Floats


def spectrum(view: View, failing: Flags) -> Spectrum:
    """Count with some of the failing traces left; those explained before count nowhere."""
    passing = ~view.failing
    ef = np.asarray(view.touched.T @ failing.astype(np.float64))
    ep = np.asarray(view.touched.T @ passing.astype(np.float64))
    return Spectrum(ef=ef, ep=ep, nf=failing.sum() - ef, np=passing.sum() - ep)


def rows_with(view: View, items: ItemIds, failing: Flags) -> Integers:
    """Failing rows that touched all the items."""
    rows: Integers = np.flatnonzero(failing)
    with_all: Flags = np.asarray(view.touched[rows][:, list(items)].sum(axis=1)) == len(items)
    return rows[with_all]


def report(view: View, ranked: list[ItemIds], rows: Integers) -> Found:
    """Report some traces with explanations, best first; twins of a single item stand beside it."""
    return Found(
        explanations=tuple(_tied(view, items) for items in ranked[:EXPLANATIONS_MAX]),
        traces=frozenset(view.trace_ids[row] for row in rows),
    )


def _tied(view: View, items: ItemIds) -> frozenset[ItemSet]:
    if len(items) > 1:
        return frozenset({frozenset(view.items[item] for item in items)})
    same = np.flatnonzero(view.twin == view.twin[items[0]])
    return frozenset(frozenset({view.items[item]}) for item in same)
