"""Louvain of Neo4j's Graph Data Science on the graph of failing traces and what they touched."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from benchmarks.rivals.clustering import Clustering, cluster_reports, touches
from benchmarks.rivals.view import FAILURES_MIN, View
from benchmarks.scoring import Found

Query = Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]
"""Runs a statement with parameters on a Neo4j."""

HAS_LOUVAIN: Final = "SHOW PROCEDURES YIELD name WHERE name = 'gds.louvain.stream' RETURN name"
PROJECT: Final = """UNWIND $edges AS edge
RETURN gds.graph.project('rivals', edge[0], edge[1], {}, {undirectedRelationshipTypes: ['*']})"""
LOUVAIN: Final = """CALL gds.louvain.stream('rivals', {concurrency: 1})
YIELD nodeId, communityId RETURN nodeId, communityId"""
DROP: Final = "CALL gds.graph.drop('rivals', false) YIELD graphName RETURN graphName"


def gds_louvain(query: Query) -> Clustering:
    """Project the graph into the library's memory, cluster it there; the database keeps nothing."""

    def find(view: View, _incidents: int = 0) -> list[Found]:
        rows = np.flatnonzero(view.failing)
        if len(rows) < FAILURES_MIN:
            return []
        traces, items, _ = touches(view, rows)
        query(DROP, {})
        query(PROJECT, {"edges": np.column_stack([traces, len(rows) + items]).tolist()})
        community = {row["nodeId"]: row["communityId"] for row in query(LOUVAIN, {})}
        query(DROP, {})
        # A trace that touched nothing is in no edge: a community of its own.
        alone = range(-1, -len(rows) - 1, -1)
        return cluster_reports(
            view, rows, [community.get(place, own) for place, own in enumerate(alone)]
        )

    return find
