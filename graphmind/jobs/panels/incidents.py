"""Incidents for dashboards: the table, one with its causes, traces, states and node graph."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from graphmind.archive.port import Archive
from graphmind.incidents.lifecycle import CLOSED
from graphmind.jobs.panels.view import MS_NS, Row, View, share, traces_of
from graphmind.jobs.picture import Node
from graphmind.jobs.topology import topology
from graphmind.repair.record import Repair

NODES_MAX: Final = 1_500
"""Grafana's node graph draws no more."""
TRACES_MAX: Final = 1_000
"""Traces of an incident in a table, the newest (chosen)."""
ICONS: Final = {
    "incident": "exclamation-triangle",
    "cause": "crosshair",
    "agent": "user",
    "model_version": "brain",
    "region": "globe",
    "kv_key": "key-skeleton-alt",
    "tool": "wrench",
    "module": "cube",
    "traces": "gf-traces",
}
RADIUS: Final = (30, 60)
"""Radius of a node that no trace touches, and of the one that most touch (chosen; 40 is usual)."""
THICKNESS_MAX: Final = 8.0
SPREAD: Final = 1_000
"""Pixels from the middle of a graph to its rim (chosen: 150 nodes of 40 do not touch)."""


def incidents(
    archive: Archive, repairs: Iterable[Repair], view: View, *, is_open: bool = False
) -> list[Row]:
    """Return the incidents that went on meanwhile, newest first, with their newest repair."""
    newest = newest_repairs(repairs)
    found: list[dict[str, Any]] = [
        each
        for each in archive.incidents()
        if went_on(each, view) and not (is_open and each["state"] == CLOSED)
    ]
    found.sort(key=lambda each: (-each["onset_ms"], each["incident_id"]))
    return [_incident(each, newest.get(each["incident_id"])) for each in found]


def went_on(incident: Mapping[str, Any], view: View) -> bool:
    """Whether an incident began before the end of a view and had not ended at its beginning."""
    last = [incident["onset_ms"], incident.get("closed_ms") or 0]
    last += [cause["until_ms"] for cause in incident["causes"]]
    is_live = incident.get("state_since_ms") is not None and incident["state"] != CLOSED
    return view.meets(incident["onset_ms"], view.until_ms if is_live else max(last))


def newest_repairs(repairs: Iterable[Repair]) -> dict[str, Repair]:
    """Return the newest live repair of each incident."""
    ordered = sorted(repairs, key=lambda each: (each.requested_ms, each.repair_id))
    return {each.incident_id: each for each in ordered if each.mode == "live"}


def _incident(incident: Mapping[str, Any], repair: Repair | None) -> Row:
    cause = incident["causes"][0] if incident["causes"] else None
    return {
        "incident_id": incident["incident_id"],
        "onset": incident["onset_ms"],
        "title": incident["title"],
        "state": incident["state"],
        "severity": incident["severity"],
        "symptom": incident["symptom"],
        "root_module": incident["root_module"],
        "root_cause": cause and cause["kind"],
        "cause": cause and cause["label"],
        "confidence": incident["confidence"],
        "traces": len(incident["trace_ids"]),
        "unexplained_share": incident["unexplained_share"],
        "cluster_id": incident["cluster_id"],
        "repair_id": repair and repair.repair_id,
        "repair_state": repair and str(repair.state),
        "strategy": repair and repair.strategy,
    }


def causes(archive: Archive, incident_id: str) -> list[Row]:
    """Return the causes of an incident with their evidence, strongest first; none for no id."""
    if not incident_id:
        return []
    found: Any = archive.incident(incident_id)["causes"]
    return [
        {
            **{name: cause[name] for name in ("rank", "role", "kind", "label", "confidence")},
            "risk_ratio": cause["risk_ratio"],
            "failed_with": cause["failed_with"],
            "failed_share": share(cause["failed_with"], cause["failed_total"]),
            "passed_with": cause["passed_with"],
            "passed_share": share(cause["passed_with"], cause["passed_total"]),
            "unexplained": max(cause["failed_total"] - cause["failed_with"], 0.0),
        }
        for cause in found
    ]


def states(archive: Archive, incident_id: str) -> list[Row]:
    """Return the states of an incident as they followed each other, its opening first."""
    if not incident_id:
        return []
    incident: Any = archive.incident(incident_id)
    history = [
        {
            "time": moment["at_ms"],
            "state": moment["state"],
            "traces": moment["trace_count"],
            "reason": moment["reason"],
        }
        for moment in incident.get("history", ())
    ]
    first = {
        "time": incident["opened_ms"],
        "state": incident["state"],
        "traces": len(incident["trace_ids"]),
        "reason": "found by an analysis of the archive",
    }
    return history or [first]


def traces(archive: Archive, incident_id: str) -> list[Row]:
    """Return the newest traces of an incident that are still archived."""
    ids = traces_of(archive, incident_id)
    if ids is None:
        return []
    found = archive.queries.traces(ids).to_pylist()
    return [
        {
            "trace_id": row["trace_id"],
            "time": row["start_ns"] // MS_NS,
            "task": row["task"],
            "outcome": row["outcome"],
            "duration_ms": row["duration_ns"] / MS_NS,
            "root_module": row["fault_module"],
            "path": row["fault_path"],
            "error_code": row["error_code"],
            "recovered": row["recovered"],
        }
        for row in found[: -TRACES_MAX - 1 : -1]
    ]


def node_graph(
    archive: Archive, incident_id: str, *, nodes_max: int = NODES_MAX
) -> tuple[list[Row], list[Row], Row]:
    """Return nodes, edges and how many of each are hidden, by the names Grafana's panel reads.

    The ring of a node is its share of failing traces, its size how many traces touch it, its place
    the one that everyone sees. At most NODES_MAX nodes; all of it is empty for the empty id.
    Raises UnknownName.
    """
    if not incident_id:
        return [], [], _hidden(0, 0, nodes=0)
    picture = topology(archive, incident_id, nodes_max=min(nodes_max, NODES_MAX))
    shown = picture.nodes[: min(nodes_max, NODES_MAX)]
    ids = {node.node_id for node in shown}
    most = max((node.traces for node in shown), default=1) or 1
    edges = [each for each in picture.edges if each.source in ids and each.target in ids]
    left_out = picture.hidden_nodes + len(picture.nodes) - len(shown)
    edges_out = picture.hidden_edges + len(picture.edges) - len(edges)
    return (
        [_node(node, most) for node in shown],
        [
            {
                "id": f"{edge.source}>{edge.target}",
                "source": edge.source,
                "target": edge.target,
                "mainstat": f"{edge.traces} traces",
                "secondarystat": edge.kind,
                "thickness": round(1 + (THICKNESS_MAX - 1) * edge.traces / most, 2),
                "detail__kind": edge.kind,
            }
            for edge in edges
        ],
        _hidden(left_out, edges_out, nodes=len(shown)),
    )


def _node(node: Node, most: int) -> Row:
    low, high = RADIUS
    return {
        "id": node.node_id,
        "title": node.name,
        "subtitle": node.kind,
        "mainstat": f"{node.traces} failing",
        "secondarystat": f"{node.others} others",
        "arc__failing": node.failing_share,
        "arc__healthy": 1.0 - node.failing_share,
        "icon": ICONS.get(node.kind, ""),
        "noderadius": round(low + (high - low) * min(node.traces / most, 1.0)),
        "fixedx": round(SPREAD * node.x),
        "fixedy": round(SPREAD * node.y),
        "detail__kind": node.kind,
        "detail__mark": node.mark,
        "detail__traces": node.traces,
        "detail__others": node.others,
    }


def _hidden(nodes_hidden: int, edges_hidden: int, *, nodes: int) -> Row:
    return {"nodes": nodes, "hidden_nodes": nodes_hidden, "hidden_edges": edges_hidden}
