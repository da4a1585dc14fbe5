"""Louvain communities of a weighted graph, and which earlier ones they are again."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import networkx as nx
import numpy as np
from scipy.optimize import linear_sum_assignment

SAME_JACCARD_MIN: Final = 0.3
"""Overlap from which two groups are one group that changed (chosen: half of each, or a part of one
that doubled)."""


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


def match_groups(
    found: Sequence[AbstractSet[str]], known: Mapping[str, AbstractSet[str]]
) -> list[str | None]:
    """Name for each group found the known one that it is again, None for a new one.

    Each known group is matched once at most; together the pairs overlap as much as any choice
    would (Jaccard index; Kuhn 1955).
    """
    names = sorted(known)
    overlap = np.array(
        [[_jaccard(group, known[name]) for name in names] for group in found]
    ).reshape(len(found), len(names))
    matched: list[str | None] = [None] * len(found)
    for row, column in zip(*linear_sum_assignment(-overlap), strict=True):
        if overlap[row, column] >= SAME_JACCARD_MIN:
            matched[row] = names[column]
    return matched


def _jaccard(one: AbstractSet[str], other: AbstractSet[str]) -> float:
    return len(one & other) / max(len(one | other), 1)
