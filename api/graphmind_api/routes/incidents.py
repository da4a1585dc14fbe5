"""Incidents: the list, one in full, its picture and its command."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from graphmind.jobs.incidents import Filter, list_incidents
from graphmind.jobs.topology import topology
from graphmind_api.context import API, OpenStores
from graphmind_api.models import (
    Command,
    Incident,
    IncidentPage,
    IncidentSummary,
    Int64,
    Severity,
    Symptom,
    Topology,
)
from graphmind_api.pages import Cursor, Limit, cursor_of, link_next, place_of
from graphmind_api.problems import UNKNOWN

router = APIRouter(prefix=f"{API}/incidents", tags=["incidents"])
Onset = Annotated[Int64, Query(description="Epoch ms, compared with the onset")]
NodesMax = Annotated[int, Query(ge=1, le=1500, description="Nodes at most; the rest is counted")]


@router.get("", summary="List incidents, newest first")
def read_incidents(
    request: Request,
    response: Response,
    stores: OpenStores,
    *,
    symptom: Symptom | None = None,
    severity: Severity | None = None,
    since_ms: Onset | None = None,
    until_ms: Onset | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> IncidentPage:
    """`since_ms` is the first onset wanted, `until_ms` the first no longer wanted."""
    wanted = Filter(symptom=symptom, severity=severity, since_ms=since_ms, until_ms=until_ms)
    after = place_of(cursor) if cursor is not None else None
    page = list_incidents(stores.archive, wanted, after=after, limit=limit)
    next_cursor = cursor_of(page.last) if page.last else None
    link_next(request, response, next_cursor)
    return IncidentPage(items=tuple(map(_summary, page.items)), next_cursor=next_cursor)


@router.get("/{incident_id}", summary="Everything known about an incident", responses=UNKNOWN)
def read_incident(incident_id: str, stores: OpenStores) -> Incident:
    """Where, what, how, since when and who else, with the evidence and the command."""
    return Incident.model_validate(stores.archive.incident(incident_id))


@router.get("/{incident_id}/topology", summary="An incident as a picture", responses=UNKNOWN)
def read_topology(incident_id: str, stores: OpenStores, nodes_max: NodesMax = 200) -> Topology:
    """Its causes and what its traces touch, collapsed to counts. The same picture every time."""
    return Topology(**asdict(topology(stores.archive, incident_id, nodes_max=nodes_max)))


@router.get("/{incident_id}/command", summary="The command proposed", responses=UNKNOWN)
def read_command(incident_id: str, stores: OpenStores) -> Command:
    """It is proposed only: nothing here runs it."""
    return Command.model_validate(stores.archive.incident(incident_id)["command"])


def _summary(incident: Mapping[str, Any]) -> IncidentSummary:
    cause = incident["causes"][0]["label"] if incident["causes"] else None
    return IncidentSummary(**incident, trace_count=len(incident["trace_ids"]), cause=cause)
