"""The parts of an incident: traces, causes, evidence, time, likeness, exposure, lineage."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from graphmind.jobs.reading import incident_parts as parts
from graphmind.jobs.reading.evidence import evidence
from graphmind.jobs.reading.lineage_graph import lineage_graph
from graphmind.jobs.reading.past_cases import past_cases
from graphmind.jobs.reading.timeline import timeline
from graphmind_api.context import API, AsOf, CurrentSettings, OpenStores
from graphmind_api.conversions import asked, timed
from graphmind_api.incident_models import (
    Evidence,
    Exposed,
    IncidentCauses,
    IncidentTraces,
    LineageGraph,
    SimilarIncidents,
    Timeline,
)
from graphmind_api.pages import Cursor, Limit, cursor_of, link_next, place_of
from graphmind_api.problems import UNKNOWN

router = APIRouter(prefix=f"{API}/incidents/{{incident_id}}", tags=["incidents"])
Explained = Annotated[
    bool, Query(description="Only traces that a cause explains, or only those that none does")
]
Rank = Annotated[int, Query(ge=1, description="Explained by the cause of this rank; else by any")]


@router.get("/traces", summary="Its failing traces, oldest first", responses=UNKNOWN)
def read_incident_traces(
    request: Request,
    response: Response,
    incident_id: str,
    stores: OpenStores,
    settings: CurrentSettings,
    *,
    explained: Explained | None = None,
    cause: Rank | None = None,
    as_of_ms: AsOf = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> IncidentTraces:
    """A trace is explained by a cause that names what it touches."""
    page = parts.incident_traces(
        stores.archive,
        incident_id,
        after=place_of(cursor) if cursor is not None else None,
        limit=limit,
        explained=explained,
        cause=cause,
        as_of_ms=as_of_ms,
    )
    next_cursor = cursor_of(page.last) if page.last else None
    link_next(request, response, next_cursor)
    rows = ({**timed(row), "root_module": row["fault_module"]} for row in page.items)
    return IncidentTraces.model_validate(
        {
            "items": list(rows),
            "next_cursor": next_cursor,
            "query": asked(settings, "incident_resources", incident_id=incident_id),
        }
    )


@router.get("/causes", summary="Its causes, strongest first", responses=UNKNOWN)
def read_causes(
    incident_id: str, stores: OpenStores, settings: CurrentSettings, as_of_ms: AsOf = None
) -> IncidentCauses:
    """With shares, what each leaves unexplained, and why rivals lost."""
    found = parts.incident_causes(stores.archive, incident_id, as_of_ms=as_of_ms)
    query = asked(settings, "incident_causes", incident_id=incident_id)
    return IncidentCauses.model_validate({"items": found, "query": query})


@router.get("/evidence", summary="What speaks for its causes", responses=UNKNOWN)
def read_evidence(
    incident_id: str, stores: OpenStores, settings: CurrentSettings, as_of_ms: AsOf = None
) -> Evidence:
    """The counts of each cause, and a failing trace beside a healthy one of the same task."""
    found = evidence(stores.archive, incident_id, as_of_ms=as_of_ms)
    query = asked(settings, "incident_causes", incident_id=incident_id)
    return Evidence.model_validate(found | {"query": query})


@router.get("/timeline", summary="It in time", responses=UNKNOWN)
def read_timeline(
    incident_id: str, stores: OpenStores, settings: CurrentSettings, as_of_ms: AsOf = None
) -> Timeline:
    """Failing traces by step, the onset with its bounds, changes, states and repairs."""
    found = timeline(stores, incident_id, as_of_ms=as_of_ms)
    query = asked(settings, "changes_before_incident", incident_id=incident_id)
    return Timeline.model_validate(found | {"query": query}, from_attributes=True)


@router.get("/similar", summary="Past incidents like it, and what worked", responses=UNKNOWN)
def read_similar(
    incident_id: str, stores: OpenStores, settings: CurrentSettings, as_of_ms: AsOf = None
) -> SimilarIncidents:
    """As found when it was analysed; with what was done about those since."""
    found = past_cases(stores, incident_id, as_of_ms=as_of_ms)
    query = asked(settings, "similar_incidents", incident_id=incident_id)
    return SimilarIncidents.model_validate(found | {"query": query})


@router.get("/exposure", summary="Who else touches its cause", responses=UNKNOWN)
def read_exposure(
    incident_id: str, stores: OpenStores, settings: CurrentSettings, as_of_ms: AsOf = None
) -> Exposed:
    """Since the onset, healthy ones told apart."""
    found = parts.exposure(stores.archive, incident_id, as_of_ms=as_of_ms)
    query = asked(settings, "repair_scope", **parts.scope_of(stores.archive, incident_id))
    return Exposed.model_validate(found | {"query": query})


@router.get("/lineage", summary="How a bad value spread", responses=UNKNOWN)
def read_lineage(incident_id: str, stores: OpenStores, settings: CurrentSettings) -> LineageGraph:
    """Writer, keys, readers in layers; what to quarantine, and what a rollback would lose."""
    found = lineage_graph(stores.archive, incident_id)
    query = asked(settings, "patient_zero", incident_id=incident_id)
    return LineageGraph.model_validate({**vars(found), "query": query})
