"""An incident as a picture: its causes, and what its traces touch, collapsed to counts (S36)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from graphmind.archive.port import Archive
from graphmind.jobs.window import read_around
from graphmind.telemetry.facts import Facts

HUB: Final = "agent"
"""Items are linked with the agents their traces run on: every pair would be a hairball."""
LINKS_PER_NODE: Final = 3
"""Links kept for each node allowed: a browser lays out 5,000 for 1,500 nodes in 2 s (measured)."""

TRACES_MAX: Final = 50_000
"""Traces of the incident's time that are counted; of more, a weighted sample (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """The incident, one of its causes, or an item that its traces touch."""

    node_id: str
    kind: str
    """incident, cause, or the kind of the item."""
    name: str
    traces: int
    """Traces of the incident that touch it."""
    others: int
    """Traces of the same time that touch it and are not of the incident."""


@dataclass(frozen=True, kw_only=True)
class Edge:
    """How two nodes belong together, and for how many traces of the incident."""

    source: str
    target: str
    kind: str
    """CAUSED_BY, NAMES, TOUCHED or TOUCHED_TOGETHER."""
    traces: int


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


def topology(archive: Archive, incident_id: str, *, nodes_max: int) -> Topology:
    """Return the picture of a stored incident, the same in every run. Raises UnknownName.

    The incident, its causes and what they name are always in it.
    """
    incident: Mapping[str, Any] = archive.incident(incident_id)
    own = pa.array(incident["trace_ids"], pa.string())
    facts = read_around(archive, own, TRACES_MAX)
    verdict = _verdict_nodes(incident)
    named, others = _items(incident, _touched(facts, own))
    room = max(nodes_max - len(verdict) - len(named), 0)
    items = [*named, *others[:room]]
    links = _links(facts, own, items)
    links_max = LINKS_PER_NODE * nodes_max
    return Topology(
        incident_id=incident_id,
        nodes=(*verdict, *items),
        edges=(
            *_verdict_edges(incident),
            *_touches(incident_id, items),
            *links[:links_max],
        ),
        hidden_nodes=len(others[room:]),
        hidden_edges=len(links[links_max:]),
    )


def _touched(facts: Facts, own: pa.Array) -> list[Node]:
    """Return what the incident's traces touch, by the most of them, then the fewest others."""
    mine = pc.cast(pc.is_in(facts.items["trace_id"], value_set=own), pa.int64())
    grouped = facts.items.append_column("mine", mine).group_by(["kind", "name"])
    counted = grouped.aggregate([("mine", "sum"), ("mine", "count")])
    nodes = [
        _item(row["kind"], row["name"], row["mine_sum"], row["mine_count"] - row["mine_sum"])
        for row in counted.filter(pc.greater(counted["mine_sum"], 0)).to_pylist()
    ]
    return sorted(nodes, key=lambda node: (-node.traces, node.others, node.kind, node.name))


def _items(incident: Mapping[str, Any], touched: list[Node]) -> tuple[list[Node], list[Node]]:
    """Split items into those that the causes name, in the order of the causes, and the others.

    What a cause names may be pruned from the archive since: it is there with no traces.
    """
    named = {
        _item_id(item["kind"], item["name"]): _item(item["kind"], item["name"], 0, 0)
        for cause in incident["causes"]
        for item in cause["all_of"]
    }
    others = [node for node in touched if node.node_id not in named]
    named |= {node.node_id: node for node in touched if node.node_id in named}
    return list(named.values()), others


def _item(kind: str, name: str, traces: int, others: int) -> Node:
    return Node(node_id=_item_id(kind, name), kind=kind, name=name, traces=traces, others=others)


def _item_id(kind: str, name: str) -> str:
    return f"{kind}:{name}"


def _cause_id(incident: Mapping[str, Any], cause: Mapping[str, Any]) -> str:
    return f"{incident['incident_id']}:{cause['rank']}"


def _verdict_nodes(incident: Mapping[str, Any]) -> list[Node]:
    """Return the incident, and its causes with the counts of their evidence."""
    first = Node(
        node_id=incident["incident_id"],
        kind="incident",
        name=incident["title"],
        traces=len(incident["trace_ids"]),
        others=0,
    )
    causes = [
        Node(
            node_id=_cause_id(incident, cause),
            kind="cause",
            name=cause["label"],
            traces=round(cause["failed_with"]),
            others=round(cause["passed_with"]),
        )
        for cause in incident["causes"]
    ]
    return [first, *causes]


def _verdict_edges(incident: Mapping[str, Any]) -> list[Edge]:
    edges = []
    for cause in incident["causes"]:
        own, traces = _cause_id(incident, cause), round(cause["failed_with"])
        edges.append(
            Edge(source=incident["incident_id"], target=own, kind="CAUSED_BY", traces=traces)
        )
        named = (_item_id(item["kind"], item["name"]) for item in cause["all_of"])
        edges += [Edge(source=own, target=to, kind="NAMES", traces=traces) for to in named]
    return edges


def _touches(incident_id: str, items: Sequence[Node]) -> list[Edge]:
    return [
        Edge(source=incident_id, target=item.node_id, kind="TOUCHED", traces=item.traces)
        for item in items
        if item.traces
    ]


def _links(facts: Facts, own: pa.Array, items: Sequence[Node]) -> list[Edge]:
    """Link agents with other items that the same traces touch; the links of most traces first."""
    touched = _incidence(facts, own, items)
    is_hub = np.array([item.kind == HUB for item in items], bool)
    hubs, others = np.flatnonzero(is_hub).tolist(), np.flatnonzero(~is_hub).tolist()
    together: NDArray[np.int64] = (touched[:, hubs].T @ touched[:, others]).toarray()
    links = [
        Edge(
            source=items[hub].node_id,
            target=items[other].node_id,
            kind="TOUCHED_TOGETHER",
            traces=count,
        )
        for hub, row in zip(hubs, together.tolist(), strict=True)
        for other, count in zip(others, row, strict=True)
        if count
    ]
    return sorted(links, key=lambda link: -link.traces)


def _incidence(facts: Facts, own: pa.Array, items: Sequence[Node]) -> sparse.csr_array:
    """Return which trace of the incident touches which item; shape (n_traces, n_items), 0 or 1."""
    column = {(item.kind, item.name): number for number, item in enumerate(items)}
    rows = facts.items.filter(pc.is_in(facts.items["trace_id"], value_set=own))
    trace = pc.index_in(rows["trace_id"], value_set=own).to_numpy()
    pairs = zip(rows["kind"].to_pylist(), rows["name"].to_pylist(), strict=True)
    item = np.array([column.get(pair, -1) for pair in pairs], np.int64)
    shown = item >= 0
    ones = np.ones(int(shown.sum()), np.int64)
    touched = sparse.csr_array((ones, (trace[shown], item[shown])), shape=(len(own), len(items)))
    touched.data[:] = 1
    return touched
