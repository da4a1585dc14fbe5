"""Failing traces clustered by what they touched, clusters named by Ochiai.

The clusterings find the number of clusters themselves: every cluster of enough traces is reported.
"""

from collections.abc import Callable, Sequence
from random import Random
from types import ModuleType

import community
import networkx as nx
import numpy as np
from scipy import sparse

from benchmarks.rivals.view import EXPLANATIONS_MAX, FAILURES_MIN, View, report, spectrum
from benchmarks.scoring import Found
from graphmind.analysis.incidence import Floats, Integers

NEIGHBOURS = 10
"""Neighbours of a trace in the similarity graph. Chosen in the design's measurements."""
ITERATIONS = 10
"""Leiden's rounds: five times its default, to its favour."""
ALPHA = 0.01
"""Error allowed over all items: the product's own."""
Bipartite = tuple[Integers, Integers, Floats]
"""Edges of failing trace (by place) and item, with weights."""
Clustering = Callable[[View, int], list[Found]]


def louvain_similarity(view: View, _incidents: int = 0) -> list[Found]:
    """python-louvain (Blondel et al. 2008) on each trace and its nearest by idf-weighted cosine."""
    rows = np.flatnonzero(view.failing)
    if len(rows) < FAILURES_MIN:
        return []
    clusters = community.best_partition(_nearest(view, rows), random_state=0)
    return cluster_reports(view, rows, [clusters[place] for place in range(len(rows))])


def _nearest(view: View, rows: Integers) -> nx.Graph:
    exposed = np.asarray(view.touched.sum(axis=0)).ravel()
    rarity = np.log((view.touched.shape[0] + 1) / (exposed + 1))
    weighed = view.touched[rows] @ sparse.diags_array(rarity)
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


def louvain_bipartite(view: View, _incidents: int = 0) -> list[Found]:
    """Louvain of networkx on the graph of failing traces and what they touched."""
    rows = np.flatnonzero(view.failing)
    if len(rows) < FAILURES_MIN:
        return []
    traces, items, weights = touches(view, rows)
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(rows)))
    graph.add_weighted_edges_from(
        zip(traces.tolist(), (len(rows) + items).tolist(), weights.tolist(), strict=True)
    )
    label = {
        node: number
        for number, nodes in enumerate(nx.community.louvain_communities(graph, seed=0))
        for node in nodes
    }
    return cluster_reports(view, rows, [label[place] for place in range(len(rows))])


def leiden(igraph: ModuleType, edges: Callable[[View, Integers], Bipartite]) -> Clustering:
    """Leiden (Traag, Waltman, van Eck 2019) of igraph, by modularity, on a bipartite graph."""

    def find(view: View, _incidents: int = 0) -> list[Found]:
        rows = np.flatnonzero(view.failing)
        if len(rows) < FAILURES_MIN:
            return []
        traces, items, weights = edges(view, rows)
        graph = igraph.Graph(
            n=len(rows) + len(view.items), edges=np.column_stack([traces, len(rows) + items])
        )
        igraph.set_random_number_generator(Random(0))
        found = graph.community_leiden(
            objective_function="modularity", weights=weights, n_iterations=ITERATIONS
        )
        return cluster_reports(view, rows, found.membership[: len(rows)])

    return find


def touches(view: View, rows: Integers) -> Bipartite:
    """Every touch, of weight 1."""
    own = view.touched[rows].tocoo()
    return own.row.astype(np.int64), own.col.astype(np.int64), np.ones(len(own.row))


def significant_touches(view: View, rows: Integers) -> Bipartite:
    """Touches of items with more failures than chance allows, by the excess in nats.

    The strongest clustering known here (algorithms.md, section 10), and not a published one: the
    weights are the product's own evidence.
    """
    counts = spectrum(view, view.failing)
    exposed, rate = counts.ef + counts.ep, float(view.failing.mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        failed = np.nan_to_num(counts.ef * np.log(counts.ef / (exposed * rate)))
        passed = np.nan_to_num(counts.ep * np.log(counts.ep / (exposed * (1 - rate))))
    gain = np.where(counts.ef > exposed * rate, failed + passed, 0.0)
    excess = gain - np.log(max(int(np.count_nonzero(exposed)), 1) / ALPHA)
    traces, items, _ = touches(view, rows)
    kept = excess[items] > 0
    return traces[kept], items[kept], excess[items[kept]]


def cluster_reports(view: View, rows: Integers, labels: Sequence[int]) -> list[Found]:
    """Report each cluster of the rows with enough of them, named."""
    label = np.array(labels)
    clusters = [rows[label == each] for each in np.unique(label)]
    return [_named(view, own) for own in clusters if len(own) >= FAILURES_MIN]


def _named(view: View, rows: Integers) -> Found:
    """Name a cluster by the items nearest to it by Ochiai's cosine, over all traces."""
    exposed = np.asarray(view.touched.sum(axis=0)).ravel()
    inside = np.asarray(view.touched[rows].sum(axis=0)).ravel()
    ochiai = inside / np.sqrt(np.maximum(exposed, 1) * len(rows))
    ordered = np.lexsort((np.arange(len(ochiai)), -ochiai))
    first = np.sort(np.unique(view.twin[ordered], return_index=True)[1])[:EXPLANATIONS_MAX]
    return report(view, [(int(item),) for item in ordered[first]], rows)
