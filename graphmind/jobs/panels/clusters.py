"""Clusters of incidents: the board of S41, and how their repairs evolved (S42)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphmind.incidents.lifecycle import CLOSED
from graphmind.jobs.panels.incidents import NODES_MAX, went_on
from graphmind.jobs.panels.repairs import UNEXPLAINED, WAITING, record
from graphmind.jobs.panels.view import Row, View
from graphmind.jobs.repairs.situation import root_cause_of
from graphmind.repair.record import Repair
from graphmind.repair.track_record import verdict_of


def board(
    incidents: Iterable[Mapping[str, Any]], repairs: Sequence[Repair], view: View
) -> list[Row]:
    """Return by root cause and cluster what was tried and with what effect; newest onset first."""
    of: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for incident in incidents:
        if went_on(incident, view):
            of[root_cause_of(incident) or UNEXPLAINED, incident["cluster_id"]].append(incident)
    rows = [_cluster(*key, found, repairs) for key, found in of.items()]
    return sorted(rows, key=lambda row: (-row["last_onset"], row["cluster_id"]))


def _cluster(
    root_cause: str,
    cluster_id: str,
    incidents: Sequence[Mapping[str, Any]],
    repairs: Iterable[Repair],
) -> Row:
    ids = {incident["incident_id"] for incident in incidents}
    own = [each for each in repairs if each.incident_id in ids]
    ran = [each for each in own if each.started_ms is not None]
    known = record(ran)
    return {
        "root_cause": root_cause,
        "cluster_id": cluster_id,
        "incidents": len(ids),
        "open": sum(incident["state"] != CLOSED for incident in incidents),
        "traces": sum(len(incident["trace_ids"]) for incident in incidents),
        "last_onset": max(incident["onset_ms"] for incident in incidents),
        "strategy": own[0].strategy if own else None,
        "repair_effect": _effect(own, known),
        **known,
    }


def _effect(repairs: Sequence[Repair], known: Row) -> str:
    """Say in words what repairs did to a cluster."""
    if not repairs:
        return "not repaired"
    waiting = sum(each.state in WAITING for each in repairs)
    told = [
        f"{name} {known[name]}"
        for name in ("effective", "ineffective", "harmful", "inconclusive")
        if known[name]
    ]
    told += [f"under way {waiting}"] if waiting else []
    return ", ".join(told) or str(repairs[0].state)


def evolution(
    incidents: Iterable[Mapping[str, Any]], repairs: Iterable[Repair], *, cluster_id: str = ""
) -> tuple[list[Row], list[Row]]:
    """Return the tree of what was tried: root cause, its incidents, their repairs one by one.

    Each repair hangs below the one tried before it on the same incident, so a branch reads as the
    story of an incident. Nodes and edges have the names that Grafana's node graph reads. Of more
    than NODES_MAX nodes the newest repairs stay.
    """
    known = {incident["incident_id"]: incident for incident in incidents}
    of: dict[str, list[Repair]] = defaultdict(list)
    of_cause: dict[str, list[Repair]] = defaultdict(list)
    newest_first = sorted(repairs, key=lambda each: (-each.requested_ms, each.repair_id))
    # At worst each repair brings an incident and a root cause with it.
    for repair in newest_first[: NODES_MAX // 3]:
        if cluster_id in ("", repair.cluster_id):
            of[repair.incident_id].append(repair)
            of_cause[_cause(repair)].append(repair)
    nodes: dict[str, Row] = {}
    edges: list[Row] = []
    for incident_id, tried in sorted(of.items()):
        tried.reverse()
        root_cause = _cause(tried[0])
        title = known.get(incident_id, {}).get("title", incident_id)
        nodes[f"cause:{root_cause}"] = _node(
            f"cause:{root_cause}", root_cause, of_cause[root_cause]
        )
        nodes[incident_id] = _node(incident_id, title, tried)
        edges.append(_edge(f"cause:{root_cause}", incident_id, "caused"))
        above, told = incident_id, "first"
        for repair in tried:
            nodes[repair.repair_id] = _repair_node(repair)
            edges.append(_edge(above, repair.repair_id, told))
            above, told = repair.repair_id, f"after {verdict_of(repair) or repair.state}"
    return list(nodes.values()), edges


def _cause(repair: Repair) -> str:
    return repair.root_cause or UNEXPLAINED


def _node(node_id: str, title: str, repairs: Sequence[Repair]) -> Row:
    worked = sum(verdict_of(each) == "effective" for each in repairs)
    failed = sum(verdict_of(each) in ("ineffective", "harmful") for each in repairs)
    total = len(repairs)
    return {
        "id": node_id,
        "title": title,
        "subtitle": "root cause" if node_id.startswith("cause:") else "incident",
        "mainstat": f"{worked} of {total}",
        "secondarystat": "effective",
        **_arcs(worked / total, failed / total),
        "icon": "crosshair" if node_id.startswith("cause:") else "exclamation-triangle",
        "detail__strategy": None,
        "detail__state": None,
    }


def _repair_node(repair: Repair) -> Row:
    verdict = verdict_of(repair)
    took_ms = None if repair.ended_ms is None else repair.ended_ms - repair.requested_ms
    return {
        "id": repair.repair_id,
        "title": repair.strategy,
        "subtitle": repair.target,
        "mainstat": verdict or str(repair.state),
        "secondarystat": "under way" if took_ms is None else f"{took_ms / 1000:.0f} s",
        **_arcs(float(verdict == "effective"), float(verdict in ("ineffective", "harmful"))),
        "icon": "wrench",
        "detail__strategy": repair.strategy,
        "detail__state": str(repair.state),
    }


def _arcs(worked: float, failed: float) -> Row:
    return {"arc__effective": worked, "arc__failed": failed, "arc__open": 1.0 - worked - failed}


def _edge(source: str, target: str, told: str) -> Row:
    return {"id": f"{source}>{target}", "source": source, "target": target, "mainstat": told}
