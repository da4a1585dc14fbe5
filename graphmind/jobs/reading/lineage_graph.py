"""How a bad value spread, as a graph of layers: writer, key, reader, key, reader..."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphmind.archive.port import Archive
from graphmind.jobs.lineage import lineage_of_incident
from graphmind.jobs.reading.past import MS_NS

NODES_MAX: Final = 400
"""Traces and keys drawn, infected and near ones first (chosen: more cannot be read)."""
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class LineageGraph:
    """What a picture of a lineage needs; counts are whole, lists may be cut."""

    patient_zero: Row | None
    basis: str
    nodes: list[Row]
    edges: list[Row]
    infected: int
    at_risk: int
    hidden_nodes: int
    quarantine: Mapping[str, Any]
    lost_by_rollback: Sequence[Row]


def lineage_graph(archive: Archive, incident_id: str) -> LineageGraph:
    """Follow what poisoned an incident's traces. Raises UnknownName."""
    found = lineage_of_incident(archive, incident_id).document()
    nodes = _nodes(found)
    shown = sorted(nodes, key=lambda node: (not node["infected"], node["layer"], node["id"]))
    kept = {node["id"] for node in shown[:NODES_MAX]}
    counts = found["counts"]
    return LineageGraph(
        patient_zero=_first_write(found["patient_zero"]),
        basis=found["basis"],
        nodes=sorted(
            (node for node in nodes if node["id"] in kept),
            key=lambda node: (node["layer"], not node["infected"], node["id"]),
        ),
        edges=[edge for edge in _edges(found) if {edge["source"], edge["target"]} <= kept],
        infected=counts["harmed"],
        at_risk=counts["at_risk_traces"],
        hidden_nodes=len(nodes) - len(kept),
        quarantine=found["command"],
        lost_by_rollback=found["rollbacks"],
    )


def _first_write(zero: Mapping[str, Any] | None) -> Row | None:
    if zero is None:
        return None
    write = zero["write"]
    return {
        **{name: write[name] for name in ("trace_id", "agent", "key")},
        "at_ms": write["at_ns"] // MS_NS,
        "explained": zero["explained"],
        "share": zero["share"],
    }


def _nodes(found: Mapping[str, Any]) -> list[Row]:
    """Return origins in layer 0, keys in odd layers, readers in even ones."""
    nodes: dict[str, Row] = {}
    for trace in found["traces"]:
        node = _node("trace", trace["trace_id"], 2 * trace["hops"])
        nodes[node["id"]] = node | {"infected": trace["harmed"], "at_risk": trace["healthy"]}
    for key in found["keys"]:
        node = _node("kv_key", key["key"], 2 * key["hops"] + 1)
        nodes[node["id"]] = node | {"infected": key["holds"], "at_risk": key["harmed"] == 0}
    for write in found["origins"]:
        node = _node("trace", write["trace_id"], 0)
        known = nodes.get(node["id"], {"infected": True, "at_risk": False})
        nodes[node["id"]] = node | {name: known[name] for name in ("infected", "at_risk")}
    return list(nodes.values())


def _node(kind: str, name: str, layer: int) -> Row:
    return {"id": f"{kind}:{name}", "kind": kind, "name": name, "layer": layer}


def _edges(found: Mapping[str, Any]) -> list[Row]:
    """Join who wrote a key to it, and it to who read it; each pair once."""
    pairs: dict[tuple[str, str, str], None] = {}
    for write in found["origins"]:
        pairs[f"trace:{write['trace_id']}", f"kv_key:{write['key']}", "WROTE"] = None
    for trace in found["traces"]:
        key = f"kv_key:{trace['key']}"
        pairs[f"trace:{trace['writer_id']}", key, "WROTE"] = None
        pairs[key, f"trace:{trace['trace_id']}", "READ_BY"] = None
    return [{"source": a, "target": b, "kind": kind} for a, b, kind in pairs]
