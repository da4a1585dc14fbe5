"""Incidents: the list, one in full, its picture and its command."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from graphmind.jobs.incidents import Filter, list_incidents
from graphmind.jobs.reading.past import incident_as_of, until_ms
from graphmind.jobs.reading.repairs import newest_states
from graphmind.jobs.reading.sentence import sentence
from graphmind.jobs.topology import topology
from graphmind_api.context import API, AsOf, CurrentSettings, OpenStores
from graphmind_api.conversions import asked
from graphmind_api.models import (
    Command,
    Edge,
    Incident,
    IncidentPage,
    IncidentSummary,
    Int64,
    Node,
    Severity,
    Symptom,
    Topology,
)
from graphmind_api.pages import Cursor, Limit, cursor_of, link_next, place_of
from graphmind_api.problems import UNKNOWN

router = APIRouter(prefix=f"{API}/incidents", tags=["incidents"])
Onset = Annotated[Int64, Query(description="Epoch ms, compared with the onset")]
NodesMax = Annotated[int, Query(ge=1, le=1500, description="Nodes at most; the rest is counted")]
Text = Annotated[
    str, Query(max_length=200, description="In its id, title, module, cluster or cause")
]
NodeId = Annotated[
    str, Query(max_length=1000, description="Node whose neighbours are added: its `node_id`")
]


@router.get("", summary="List incidents, newest first")
def read_incidents(
    request: Request,
    response: Response,
    stores: OpenStores,
    *,
    symptom: Symptom | None = None,
    severity: Severity | None = None,
    state: Annotated[str | None, Query(max_length=50)] = None,
    q: Text | None = None,
    since_ms: Onset | None = None,
    until_ms: Onset | None = None,
    as_of_ms: AsOf = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> IncidentPage:
    """`since_ms` is the first onset wanted, `until_ms` the first no longer wanted."""
    wanted = Filter(
        symptom=symptom,
        severity=severity,
        state=state,
        text=q,
        since_ms=since_ms,
        until_ms=until_ms,
    )
    after = place_of(cursor) if cursor is not None else None
    page = list_incidents(stores.archive, wanted, after=after, limit=limit, as_of_ms=as_of_ms)
    next_cursor = cursor_of(page.last) if page.last else None
    link_next(request, response, next_cursor)
    states = newest_states(stores, as_of_ms) if page.items else {}
    items = tuple(IncidentSummary(**_summary(each, states, as_of_ms)) for each in page.items)
    return IncidentPage(items=items, next_cursor=next_cursor)


@router.get("/{incident_id}", summary="Everything known about an incident", responses=UNKNOWN)
def read_incident(incident_id: str, stores: OpenStores, as_of_ms: AsOf = None) -> Incident:
    """Where, what, how, since when and who else, with the evidence and the command."""
    incident = incident_as_of(stores.archive, incident_id, as_of_ms)
    summary = _summary(incident, newest_states(stores, as_of_ms), as_of_ms)
    return Incident.model_validate(summary)


@router.get("/{incident_id}/topology", summary="An incident as a picture", responses=UNKNOWN)
def read_topology(
    incident_id: str,
    stores: OpenStores,
    settings: CurrentSettings,
    *,
    nodes_max: NodesMax = 200,
    expand: NodeId | None = None,
    as_of_ms: AsOf = None,
) -> Topology:
    """Its causes and what its traces touch, collapsed to counts. The same picture every time."""
    found = topology(
        stores.archive, incident_id, nodes_max=nodes_max, expand=expand, as_of_ms=as_of_ms
    )
    return Topology(
        incident_id=incident_id,
        nodes=tuple(Node.model_construct(**vars(node)) for node in found.nodes),
        edges=tuple(Edge.model_construct(**vars(edge)) for edge in found.edges),
        hidden_nodes=found.hidden_nodes,
        hidden_edges=found.hidden_edges,
        hidden_traces=found.hidden_traces,
        query=asked(settings, "incident_resources", incident_id=incident_id),
    )


@router.get("/{incident_id}/command", summary="The command proposed", responses=UNKNOWN)
def read_command(incident_id: str, stores: OpenStores) -> Command:
    """It is proposed only: nothing here runs it."""
    return Command.model_validate(stores.archive.incident(incident_id)["command"])


def _summary(
    incident: Mapping[str, Any], states: Mapping[str, str], as_of_ms: int | None
) -> dict[str, Any]:
    count = len(incident["trace_ids"]) if "trace_ids" in incident else incident["trace_count"]
    return {
        **incident,
        "trace_count": count,
        "cause": incident["causes"][0]["label"] if incident["causes"] else None,
        "sentence": sentence(incident, count),
        "until_ms": until_ms(incident, as_of_ms),
        "repair_state": states.get(incident["incident_id"]),
    }
