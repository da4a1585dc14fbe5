"""What a picture of an incident shows: nodes with counts and marks, and what joins them.

Facts in, everything that may be drawn out, most important first; ``topology`` cuts, places and
keeps it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from graphmind.telemetry.facts import Facts

HUB: Final = "agent"
"""Items are linked with the agents their traces run on: every pair would be a hairball."""
GROUP: Final = "traces"
HOT_SHARE, HOT_RATIO, HOT_TRACES = 0.5, 3.0, 5
"""A hot zone: so many of its traces fail, so many times as often as usual, of so many (chosen)."""
HEALTHY: Final = ("ok", "incomplete")


@dataclass(frozen=True, kw_only=True)
class Node:
    """The incident, one of its causes, an item that its traces touch, or a group of its traces."""

    node_id: str
    kind: str
    """incident, cause, traces, or the kind of the item."""
    name: str
    traces: int
    """Traces of the incident that touch it, or are it."""
    others: int
    """Traces of the same time that touch it and are not of the incident."""
    failing_share: float = 1.0
    """Failing traces over all that touch it, in the time of the incident."""
    mark: str | None = None
    """hot_zone, break_point, loop or None."""
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Edge:
    """How two nodes belong together, and for how many traces of the incident."""

    source: str
    target: str
    kind: str
    """CAUSED_BY, NAMES, PART_OF, TOUCHED or TOUCHED_TOGETHER."""
    traces: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """All that may be drawn of an incident, most important first."""

    verdict: list[Node]
    """The incident, then its causes."""
    named: list[Node]
    """Items that causes name."""
    groups: list[Node]
    """Traces by task and outcome."""
    others: list[Node]
    """The other items that its traces touch."""
    edges: list[Edge]
    """Of verdict and groups."""
    healthy: int
    """Healthy traces of its time, which are not drawn."""


def picture(incident: Mapping[str, Any], facts: Facts) -> Picture:
    """Collapse the facts of an incident's time to what is drawn."""
    own = pa.array(incident["trace_ids"], pa.string())
    named, others = _items(incident, _touched(facts, own, incident))
    groups = _groups(facts, own)
    healthy = pc.is_in(facts.traces["outcome"], value_set=pa.array(HEALTHY))
    return Picture(
        verdict=_verdict_nodes(incident),
        named=named,
        groups=groups,
        others=others,
        edges=[*_verdict_edges(incident), *_parts(incident["incident_id"], groups)],
        healthy=pc.sum(
            pc.and_not(healthy, pc.is_in(facts.traces["trace_id"], value_set=own))
        ).as_py()
        or 0,
    )


def touches(incident_id: str, items: Sequence[Node]) -> list[Edge]:
    """Join the incident to the items that its traces touch."""
    return [
        Edge(source=incident_id, target=item.node_id, kind="TOUCHED", traces=item.traces)
        for item in items
        if item.traces
    ]


def links(facts: Facts, own: pa.Array, items: Sequence[Node]) -> list[Edge]:
    """Link agents with other items that the same traces touch; the links of most traces first."""
    touched = _incidence(facts, own, items)
    is_hub = np.array([item.kind == HUB for item in items], bool)
    hubs, others = np.flatnonzero(is_hub).tolist(), np.flatnonzero(~is_hub).tolist()
    together: NDArray[np.int64] = (touched[:, hubs].T @ touched[:, others]).toarray()
    found = [
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
    return sorted(found, key=lambda link: -link.traces)


def together_with(facts: Facts, own: pa.Array, node: Node, items: Sequence[Node]) -> list[int]:
    """Count, for each item, the traces of the incident that touch it and the node as well."""
    touched = _incidence(facts, own, [node, *items])
    counts: list[int] = (touched[:, [0]].T @ touched[:, 1:]).toarray()[0].tolist()
    return counts


def item_id(kind: str, name: str) -> str:
    """Return the id of an item's node."""
    return f"{kind}:{name}"


def _touched(facts: Facts, own: pa.Array, incident: Mapping[str, Any]) -> list[Node]:
    """Return what the incident's traces touch, by the most of them, then the fewest others."""
    shown = facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))["trace_id"]
    failing = pc.unique(pc.cast(shown, pa.string()))
    ids = facts.items["trace_id"]
    flags = {
        "mine": pc.cast(pc.is_in(ids, value_set=own), pa.int64()),
        "failing": pc.cast(pc.is_in(ids, value_set=failing), pa.int64()),
    }
    table = facts.items
    for name, column in flags.items():
        table = table.append_column(name, column)
    counted = table.group_by(["kind", "name"]).aggregate(
        [("mine", "sum"), ("mine", "count"), ("failing", "sum")]
    )
    usual = len(failing) / max(facts.traces.num_rows, 1)
    nodes = [
        _item(row, incident, usual)
        for row in counted.filter(pc.greater(counted["mine_sum"], 0)).to_pylist()
    ]
    return sorted(nodes, key=lambda node: (-node.traces, node.others, node.kind, node.name))


def _item(row: Mapping[str, Any], incident: Mapping[str, Any], usual: float) -> Node:
    mine, every, failing = row["mine_sum"], row["mine_count"], row["failing_sum"]
    share = failing / every
    return Node(
        node_id=item_id(row["kind"], row["name"]),
        kind=row["kind"],
        name=row["name"],
        traces=mine,
        others=every - mine,
        failing_share=round(share, 4),
        mark=_mark(row, incident, share=share, usual=usual),
    )


def _mark(
    row: Mapping[str, Any], incident: Mapping[str, Any], *, share: float, usual: float
) -> str | None:
    if row["kind"] == "module" and row["name"] == incident.get("root_module"):
        return "loop" if incident.get("symptom") == "loop" else "break_point"
    hot = share >= max(HOT_SHARE, HOT_RATIO * usual)
    return "hot_zone" if hot and row["mine_sum"] >= HOT_TRACES else None


def _items(incident: Mapping[str, Any], touched: list[Node]) -> tuple[list[Node], list[Node]]:
    """Split items into those that the causes name, in the order of the causes, and the others.

    What a cause names may be pruned from the archive since: it is there with no traces.
    """
    named = {
        item_id(item["kind"], item["name"]): Node(
            node_id=item_id(item["kind"], item["name"]),
            kind=item["kind"],
            name=item["name"],
            traces=0,
            others=0,
            failing_share=0.0,
        )
        for cause in incident["causes"]
        for item in cause["all_of"]
    }
    others = [node for node in touched if node.node_id not in named]
    named |= {node.node_id: node for node in touched if node.node_id in named}
    return list(named.values()), others


def _groups(facts: Facts, own: pa.Array) -> list[Node]:
    """Collapse the incident's traces to counts by task and outcome, the largest first."""
    mine = facts.traces.filter(pc.is_in(facts.traces["trace_id"], value_set=own))
    counted = mine.group_by(["task", "outcome"]).aggregate([("trace_id", "count")]).to_pylist()
    nodes = [
        Node(
            node_id=f"{GROUP}:{row['task'] or ''}:{row['outcome'] or ''}",
            kind=GROUP,
            name=f"{row['task'] or 'no task'}, {row['outcome'] or 'outcome unknown'}",
            traces=row["trace_id_count"],
            others=0,
        )
        for row in counted
    ]
    return sorted(nodes, key=lambda node: (-node.traces, node.node_id))


def _parts(incident_id: str, groups: Sequence[Node]) -> list[Edge]:
    return [
        Edge(source=group.node_id, target=incident_id, kind="PART_OF", traces=group.traces)
        for group in groups
    ]


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
    return [first, *(_cause_node(incident, cause) for cause in incident["causes"])]


def _cause_node(incident: Mapping[str, Any], cause: Mapping[str, Any]) -> Node:
    failed, passed = cause["failed_with"], cause["passed_with"]
    return Node(
        node_id=_cause_id(incident, cause),
        kind="cause",
        name=cause["label"],
        traces=round(failed),
        others=round(passed),
        failing_share=round(failed / max(failed + passed, 1e-9), 4),
    )


def _verdict_edges(incident: Mapping[str, Any]) -> list[Edge]:
    edges = []
    for cause in incident["causes"]:
        own, traces = _cause_id(incident, cause), round(cause["failed_with"])
        edges.append(
            Edge(source=incident["incident_id"], target=own, kind="CAUSED_BY", traces=traces)
        )
        named = (item_id(item["kind"], item["name"]) for item in cause["all_of"])
        edges += [Edge(source=own, target=to, kind="NAMES", traces=traces) for to in named]
    return edges


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
