"""Traces: the list by filter, one as a waterfall, and two cohorts held against each other."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict

from graphmind.jobs.reading.asked import jaeger_url
from graphmind.jobs.reading.compare import compare
from graphmind.jobs.reading.traces import list_traces, waterfall, with_incident
from graphmind_api.context import API, AsOf, CurrentSettings, OpenStores
from graphmind_api.conversions import asked, cohort_of, timed, wanted_of
from graphmind_api.pages import Cursor, Limit, cursor_of, link_next, place_of
from graphmind_api.problems import REFUSED, UNKNOWN
from graphmind_api.reading_models import Cohorts, Comparison, TraceFilter
from graphmind_api.trace_models import TraceInFull, TracePage

router = APIRouter(prefix=API, tags=["traces"])


class TraceListing(TraceFilter):
    """The parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    as_of_ms: AsOf = None
    cursor: Cursor | None = None
    limit: Limit = 50


@router.get("/traces", summary="List traces, newest first", responses=UNKNOWN)
def read_traces(
    request: Request,
    response: Response,
    stores: OpenStores,
    settings: CurrentSettings,
    listing: Annotated[TraceListing, Query()],
) -> TracePage:
    """Parameters not given do not filter; what several name is touched by the same trace."""
    wanted = with_incident(stores.archive, wanted_of(listing), listing.incident_id)
    page = list_traces(
        stores.archive,
        wanted,
        after=place_of(listing.cursor) if listing.cursor is not None else None,
        limit=listing.limit,
        as_of_ms=listing.as_of_ms,
    )
    next_cursor = cursor_of(page.last) if page.last else None
    link_next(request, response, next_cursor)
    time = {"from_ms": listing.since_ms, "until_ms": listing.until_ms}
    given = {name: max(at, 0) for name, at in time.items() if at is not None}
    return TracePage.model_validate(
        {
            "items": [timed(row) for row in page.items],
            "next_cursor": next_cursor,
            "query": asked(settings, "window_traffic", **given),
        }
    )


@router.get("/traces/{trace_id}", summary="A trace as a waterfall", responses=UNKNOWN)
def read_trace(trace_id: str, stores: OpenStores, settings: CurrentSettings) -> TraceInFull:
    """Spans in the order of the tree with their lines, what it touched, and its incidents."""
    found = waterfall(stores.archive, trace_id)
    query = asked(settings, "traces_sharing_with", trace_id=trace_id)
    links = {"jaeger": jaeger_url(settings, trace_id), "neo4j_browser": query.browser_url}
    return TraceInFull.model_validate({**timed(found), "links": links, "query": query})


@router.post("/compare", summary="What separates two cohorts of traces", responses=REFUSED)
def compare_cohorts(cohorts: Cohorts, stores: OpenStores, settings: CurrentSettings) -> Comparison:
    """By the same statistics as shared causes: each item tested, at the price of the search."""
    a, b = (
        with_incident(stores.archive, *cohort_of(cohort)) if cohort is not None else None
        for cohort in (cohorts.a, cohorts.b)
    )
    assert a is not None, "the first cohort is required"
    found = compare(stores.archive, settings, a, b)
    return Comparison.model_validate(found, from_attributes=True)
