"""Louvain communities of a weighted graph: the one place where a graph is clustered."""

from collections.abc import Iterable

import networkx as nx


def communities(
    count: int, edges: Iterable[tuple[int, int, float]], *, resolution: float = 1.0
) -> list[list[int]]:
    """Group nodes 0..count so that weighted edges lie within groups (Blondel et al. 2008).

    Same graph, same groups: edges are sorted, the seed is fixed; groups and members ascend.
    """
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_weighted_edges_from(sorted(edges))
    if not count:
        return []
    groups = nx.community.louvain_communities(graph, resolution=resolution, seed=0)
    return sorted(sorted(group) for group in groups)
