"""What one would do without the method, on the same window: two baselines.

Both are told how many incidents there are, and see only what a trace touched before it went wrong.
"""

from typing import Any

import community
import networkx as nx
import numpy as np
from scipy import sparse

from benchmarks.scoring import Found
from graphmind.analysis.window import Window, items_before_symptom

NEIGHBOURS = 10
FAILURES_MIN = 5
RATIO_MIN = 5.0
"""The ratio at which algorithms.md section 4 reports; without it every window has reports."""


def by_ratio(window: Window, trace_ids: list[str], incidents: int) -> list[Found]:
    """Report the items with the largest ratio of failure rates, with and without the item."""
    touched, failing = _touched(window), _failing(window)
    ranking = _ratios(touched, failing)[: max(3 * incidents, 1)]
    reports: list[Found] = []
    left = failing.copy()
    for place, item in enumerate(ranking[: max(incidents, 1)]):
        rows = np.flatnonzero(left & (touched[:, item].toarray().ravel() > 0))
        left[rows] = False
        explanations = tuple(_named(window, other) for other in ranking[place :: incidents or 1])
        reports.append(Found(explanations=explanations, traces=_ids(rows, trace_ids)))
    return reports


def _ratios(touched: sparse.csr_array, failing: np.ndarray) -> list[int]:
    exposed = np.asarray(touched.sum(axis=0)).ravel()
    failed = np.asarray(touched[failing].sum(axis=0)).ravel()
    rest, rest_failed = len(failing) - exposed, failing.sum() - failed
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (failed / exposed) / ((rest_failed + 0.5) / (rest + 1.0))
    known = np.flatnonzero((failed >= FAILURES_MIN) & (ratio >= RATIO_MIN))
    ranked: list[int] = known[np.lexsort((known, -ratio[known]))].tolist()
    return ranked


def by_louvain(window: Window, trace_ids: list[str]) -> list[Found]:
    """Cluster failing traces by what they touched (python-louvain), name clusters by Ochiai."""
    touched, failing = _touched(window), _failing(window)
    rows = np.flatnonzero(failing)
    if len(rows) < FAILURES_MIN:
        return []
    clusters = community.best_partition(_neighbours(touched, rows), random_state=0)
    labels = np.array([clusters[place] for place in range(len(rows))])
    reports = [
        _cluster(window, touched, rows[labels == label], trace_ids) for label in np.unique(labels)
    ]
    return [report for report in reports if len(report.traces) >= FAILURES_MIN]


def _neighbours(touched: sparse.csr_array, rows: np.ndarray) -> nx.Graph:
    """Join each failing trace to those it shares most with: cosine of idf-weighted items."""
    exposed = np.asarray(touched.sum(axis=0)).ravel()
    weighed = touched[rows] @ sparse.diags_array(np.log((touched.shape[0] + 1) / (exposed + 1)))
    length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    unit = sparse.diags_array(1 / np.maximum(length, 1e-12)) @ weighed
    cosine = (unit @ unit.T).toarray()
    np.fill_diagonal(cosine, 0.0)
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(rows)))
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :NEIGHBOURS]
    graph.add_weighted_edges_from(
        (place, int(other), float(cosine[place, other]))
        for place in range(len(rows))
        for other in nearest[place]
        if cosine[place, other] > 0
    )
    return graph


def _cluster(
    window: Window, touched: sparse.csr_array, rows: np.ndarray, trace_ids: list[str]
) -> Found:
    exposed = np.asarray(touched.sum(axis=0)).ravel()
    inside = np.asarray(touched[rows].sum(axis=0)).ravel()
    ochiai = inside / np.sqrt(np.maximum(exposed, 1) * len(rows))
    best = np.lexsort((np.arange(len(ochiai)), -ochiai))[:3]
    return Found(
        explanations=tuple(_named(window, int(item)) for item in best),
        traces=_ids(rows, trace_ids),
    )


def _touched(window: Window) -> sparse.csr_array:
    """Return what each trace touched before its first symptom, traces x items."""
    kept = None
    for channel in window.failing:
        own = items_before_symptom(window, channel)
        matrix = sparse.csr_array(
            (np.ones(len(own.columns)), own.columns, own.starts), shape=(window.n, own.width)
        )
        kept = matrix if kept is None else kept.multiply(matrix)
    assert kept is not None, "a window without failures is not asked for"
    return sparse.csr_array(kept)


def _failing(window: Window) -> np.ndarray:
    failing: np.ndarray = np.any(list(window.failing.values()), axis=0)
    return failing


def _named(window: Window, item: int) -> frozenset[Any]:
    return frozenset({frozenset({(window.item_kinds[item], window.item_names[item])})})


def _ids(rows: np.ndarray, trace_ids: list[str]) -> frozenset[str]:
    return frozenset(trace_ids[row] for row in rows)
