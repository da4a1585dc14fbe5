"""An incident as a picture: cut to what can be drawn, each node in its place (S36).

It is worked out once and kept with the incident until that has other traces, so that everyone sees
the same; as of a moment (S44) it is drawn anew, and not kept.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from graphmind.analysis.layout import lay_out
from graphmind.archive.port import Archive, Selection
from graphmind.errors import UnknownName
from graphmind.jobs.picture import (
    Edge,
    Node,
    item_id,
    links,
    picture,
    together_with,
    touches,
)
from graphmind.jobs.reading.past import incident_as_of
from graphmind.jobs.window import read_around
from graphmind.telemetry.facts import Facts

KIND: Final = "picture"
"""Kind of document that pictures are kept as, by incident."""
NODES_MAX: Final = 1_500
"""Nodes of a picture at most: more cannot be read, and Grafana draws no more."""
LINKS_PER_NODE: Final = 3
"""Links kept for each node allowed: a browser lays out 5,000 for 1,500 nodes in 2 s (measured)."""
TRACES_MAX: Final = 50_000
"""Traces of the incident's time that are counted; of more, a weighted sample (chosen)."""
EXPANDED_MAX: Final = 50
"""Neighbours that one expansion adds (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Topology:
    """Nodes, most important first; edges of the verdict, then touches, then links."""

    incident_id: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    hidden_nodes: int
    """Items left out, touched by the fewest traces of the incident."""
    hidden_edges: int
    """Links left out, made by the fewest traces."""
    hidden_traces: int
    """Healthy traces of the same time, which are not drawn."""


def topology(
    archive: Archive,
    incident_id: str,
    *,
    nodes_max: int,
    expand: str | None = None,
    as_of_ms: int | None = None,
) -> Topology:
    """Return the picture of a stored incident, the same in every run. Raises UnknownName.

    The incident, its causes and what they name are always in it. ``expand`` adds the neighbours of
    one node that the cut left out.
    """
    incident = incident_as_of(archive, incident_id, as_of_ms)
    whole = _drawn(archive, incident) if as_of_ms is not None else _kept(archive, incident)
    cut = _cut(whole, nodes_max)
    return cut if expand is None else _expanded(archive, incident, whole, cut, expand)


def _kept(archive: Archive, incident: Mapping[str, Any]) -> Topology:
    """Return the picture kept of an incident; draw and keep it where its traces are others."""
    incident_id, digest = incident["incident_id"], _digest(incident)
    kept = archive.document(KIND, incident_id)
    if kept is not None and kept["of"] == digest:
        return _read(kept["picture"])
    whole = _drawn(archive, incident)
    archive.replace_documents(KIND, {incident_id: {"of": digest, "picture": asdict(whole)}})
    return whole


def _digest(incident: Mapping[str, Any]) -> str:
    """Name what a picture is drawn of."""
    told = [*incident["trace_ids"], *(cause["label"] for cause in incident["causes"])]
    return hashlib.sha256("\n".join([incident["title"], *told]).encode()).hexdigest()


def _drawn(archive: Archive, incident: Mapping[str, Any]) -> Topology:
    """Draw all that NODES_MAX allows."""
    own = pa.array(incident["trace_ids"], pa.string())
    facts = read_around(archive, own, TRACES_MAX)
    shown = picture(incident, facts)
    first = [*shown.verdict, *shown.named, *shown.groups]
    room = max(NODES_MAX - len(first), 0)
    items = [*shown.named, *shown.others[:room]]
    joined = links(facts, own, items)
    edges = [*shown.edges, *touches(incident["incident_id"], items)]
    edges += joined[: LINKS_PER_NODE * NODES_MAX]
    return Topology(
        incident_id=incident["incident_id"],
        nodes=_placed([*first, *shown.others[:room]], edges),
        edges=tuple(edges),
        hidden_nodes=len(shown.others[room:]),
        hidden_edges=len(joined[LINKS_PER_NODE * NODES_MAX :]),
        hidden_traces=shown.healthy,
    )


def _read(document: Mapping[str, Any]) -> Topology:
    nodes = tuple(Node(**node) for node in document["nodes"])
    edges = tuple(Edge(**edge) for edge in document["edges"])
    return Topology(**{**document, "nodes": nodes, "edges": edges})


def _placed(nodes: Sequence[Node], edges: Iterable[Edge]) -> tuple[Node, ...]:
    """Give each node its place; the incident is the middle."""
    row = {node.node_id: number for number, node in enumerate(nodes)}
    joined = [(row[edge.source], row[edge.target], edge.traces) for edge in edges]
    source, target, weight = np.array(joined or np.zeros((0, 3)), np.int64).T
    places = lay_out(len(nodes), source, target, weight.astype(np.float64)).round(4).tolist()
    return tuple(replace(node, x=x, y=y) for node, (x, y) in zip(nodes, places, strict=True))


def _cut(whole: Topology, nodes_max: int) -> Topology:
    """Keep the most important nodes, and the links of most traces between them."""
    named = {edge.target for edge in whole.edges if edge.kind in ("CAUSED_BY", "NAMES")}
    always = 1 + len(named)
    nodes = whole.nodes[: max(nodes_max, always)]
    shown = {node.node_id for node in nodes}
    edges = [edge for edge in whole.edges if edge.source in shown and edge.target in shown]
    joined = [edge for edge in edges if edge.kind == "TOUCHED_TOGETHER"]
    kept = joined[: LINKS_PER_NODE * nodes_max]
    return replace(
        whole,
        nodes=nodes,
        edges=(*(edge for edge in edges if edge.kind != "TOUCHED_TOGETHER"), *kept),
        hidden_nodes=whole.hidden_nodes + len(whole.nodes) - len(nodes),
        hidden_edges=whole.hidden_edges + len(joined) - len(kept),
    )


def _expanded(
    archive: Archive,
    incident: Mapping[str, Any],
    whole: Topology,
    cut: Topology,
    node_id: str,
) -> Topology:
    """Add the items that most traces of the incident touch together with a node."""
    known = {node.node_id: node for node in whole.nodes}
    if node_id not in known:
        raise UnknownName(
            f"the picture of incident {incident['incident_id']} has no node {node_id}"
        )
    own = pa.array(incident["trace_ids"], pa.string())
    facts = archive.facts(Selection(trace_ids=own))
    shown = {node.node_id for node in cut.nodes}
    near = _neighbours(facts, own, known, node_id)
    added = [(node, count) for node, count in near if node.node_id not in shown][:EXPANDED_MAX]
    joined = {frozenset((edge.source, edge.target)) for edge in cut.edges}
    edges = [
        Edge(source=node_id, target=node.node_id, kind="TOUCHED_TOGETHER", traces=count)
        for node, count in [*added, *(pair for pair in near if pair[0].node_id in shown)]
        if frozenset((node_id, node.node_id)) not in joined
    ]
    return replace(
        cut,
        nodes=(*cut.nodes, *(node for node, _ in added)),
        edges=(*cut.edges, *edges),
        hidden_nodes=cut.hidden_nodes - len(added),
    )


def _neighbours(
    facts: Facts, own: pa.Array, known: Mapping[str, Node], node_id: str
) -> list[tuple[Node, int]]:
    """Return the items that traces of the incident touch together with one, most traces first."""
    items = [
        node
        for node in known.values()
        if node.node_id == item_id(node.kind, node.name) and node.node_id != node_id
    ]
    counts = together_with(facts, own, known[node_id], items)
    pairs = [(node, count) for node, count in zip(items, counts, strict=True) if count]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0].node_id))
