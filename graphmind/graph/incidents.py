"""From incident documents to the rows of the graph that an analysis run derives. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from graphmind.graph.contamination import contamination_rows
from graphmind.graph.port import GraphRows, Row
from graphmind.graph.schema import Cause, Fingerprint, Incident, properties

LABEL_OF_ITEM: Final = {
    "agent": "Agent",
    "service": "Service",
    "instance": "AgentInstance",
    "model_version": "ModelVersion",
    "model_requested": "ModelVersion",
    "prompt_version": "PromptVersion",
    "tool": "Tool",
    "module": "Module",
    "region": "Region",
    "endpoint": "Endpoint",
    "kv_key": "KvKey",
    "written_by_agent": "Agent",
    "written_by_trace": "Trace",
    "fed_by_agent": "Agent",
    "fed_by_trace": "Trace",
    "task": "Task",
}
"""The label of the node that an item of a kind is named by."""


def derived_rows(
    incidents: Sequence[Mapping[str, Any]], lineages: Sequence[Mapping[str, Any]], run_id: str
) -> GraphRows:
    """Return the rows of incidents, causes and lineages, marked with the run that found them.

    Names are of the incident's JSON document; names that the schema does not know are left out.
    """
    causes = [(i["incident_id"], cause) for i in incidents for cause in _causes(i)]
    edges: dict[tuple[str, str, str], list[Row]] = {
        ("Trace", "PART_OF", "Incident"): list(chain.from_iterable(map(_part_of, incidents))),
        ("Incident", "CAUSED_BY", "Cause"): [
            {"from": incident_id, "to": _cause_key(incident_id, cause)}
            for incident_id, cause in causes
        ],
    }
    for incident_id, cause in causes:
        for label, row in _names(incident_id, cause):
            edges.setdefault(("Cause", "NAMES", label), []).append(row)
    seen = [(i["incident_id"], i["seen"]) for i in incidents if i.get("seen")]
    edges |= _resemblances(seen, {i["incident_id"] for i in incidents})
    edges["Trace", "CONTAMINATED_BY", "Trace"] = contamination_rows(lineages, run_id)
    return GraphRows(
        nodes={
            "Fingerprint": [_fingerprint(found["fingerprint"]) for _, found in seen],
            "Incident": _marked((_incident(document) for document in incidents), run_id),
            "Cause": _marked((_cause(*cause) for cause in causes), run_id),
        },
        edges={ends: _marked(rows, run_id) for ends, rows in edges.items()},
    )


def _causes(document: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Yield the causes by rank, then critical failures and impact as causes of their role."""
    yield from document["causes"]
    for rank, effect in enumerate(document["effects"], len(document["causes"]) + 1):
        item = {"kind": effect["kind"], "name": effect["name"]}
        yield {
            "rank": rank,
            "role": effect["role"],
            "kind": effect["kind"],
            "label": f"{effect['kind']} {effect['name']}",
            "failed_with": effect["failing"],
            "all_of": [item],
        }


def _incident(document: Mapping[str, Any]) -> Row:
    row = {p.stored: document.get(p.field) for p in properties(Incident)}
    return row | {"traceCount": len(document["trace_ids"])}


def _cause(incident_id: str, cause: Mapping[str, Any]) -> Row:
    row = {p.stored: cause.get(p.field) for p in properties(Cause)}
    tied = sorted(" + ".join(map(_text, group)) for group in cause.get("tied", ()))
    return row | {"key": _cause_key(incident_id, cause), "tied": tied}


def _resemblances(
    seen: Sequence[tuple[str, Mapping[str, Any]]], known: set[str]
) -> dict[tuple[str, str, str], list[Row]]:
    """Join incidents to their fingerprints, and to those past ones that are in the graph."""
    return {
        ("Incident", "MATCHED", "Fingerprint"): [
            {"from": incident_id, "to": found["fingerprint"]["hash"]} for incident_id, found in seen
        ],
        ("Incident", "RESEMBLES", "Incident"): [
            {"from": incident_id, "to": match["incident_id"], "score": match["score"]}
            for incident_id, found in seen
            for match in found["matches"]
            if match["incident_id"] in known
        ],
    }


def _fingerprint(document: Mapping[str, Any]) -> Row:
    return {p.stored: document.get(p.field) for p in properties(Fingerprint)}


def _part_of(document: Mapping[str, Any]) -> Iterable[Row]:
    ids = document["trace_ids"]
    certain = document.get("trace_confidence") or [None] * len(ids)
    for trace_id, confidence in zip(ids, certain, strict=True):
        yield {"from": trace_id, "to": document["incident_id"], "confidence": confidence}


def _names(incident_id: str, cause: Mapping[str, Any]) -> Iterable[tuple[str, Row]]:
    for item in cause["all_of"]:
        to = item["name"]
        yield LABEL_OF_ITEM[item["kind"]], {"from": _cause_key(incident_id, cause), "to": to}


def _cause_key(incident_id: str, cause: Mapping[str, Any]) -> str:
    return f"{incident_id}:{cause['rank']}"


def _text(item: Mapping[str, Any]) -> str:
    return f"{item['kind']}:{item['name']}"


def _marked(rows: Iterable[Row], run_id: str) -> list[Row]:
    return [{**row, "runId": run_id} for row in rows]
