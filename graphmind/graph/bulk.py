"""The first load of an embedded graph: GraphBatch, three to five times as fast as MERGE."""

from typing import Any

from graphmind.graph.port import Counters
from graphmind.graph.rows import KeyedRow, LinkedRow, MergedEdges, MergedNodes
from graphmind.graph.schema import NODES, key_of

Ids = dict[str, dict[str, str]]
"""Record id by label and key."""


def bulk_load(db: Any, nodes: MergedNodes, edges: MergedEdges) -> Counters:
    """Create all nodes, then all relationships whose ends are among them, in an empty graph."""
    for type_ in sorted({ends[1] for ends in edges}):
        db.schema.get_or_create_edge_type(type_)
    created = missing = 0
    with db.graph_batch(use_wal=True, wal_flush="yes_full") as batch:
        ids: Ids = {label: _create(batch, label, found) for label, found in nodes.items()}
        for (from_label, type_, to_label), found in edges.items():
            linked = _link(batch, type_, ids.get(from_label, {}), ids.get(to_label, {}), found)
            created += linked
            missing += len(found) - linked
    return Counters(
        nodes_created=sum(len(found) for found in nodes.values()),
        relationships_created=created,
        missing_ends=missing,
    )


def _create(batch: Any, label: str, found: list[KeyedRow]) -> dict[str, str]:
    key = key_of(NODES[label])
    rids = batch.create_vertices(label, [{**row, key: id_} for id_, row in found])
    return {id_: rid for (id_, _), rid in zip(found, rids, strict=True)}


def _link(
    batch: Any,
    type_: str,
    from_ids: dict[str, str],
    to_ids: dict[str, str],
    found: list[LinkedRow],
) -> int:
    """Buffer the relationships of one type; return how many have both ends."""
    whole = [edge for edge in found if edge[0] in from_ids and edge[1] in to_ids]
    batch.new_edges(
        [from_ids[from_] for from_, _, _ in whole],
        type_,
        [to_ids[to] for _, to, _ in whole],
        [row for _, _, row in whole],
    )
    return len(whole)
