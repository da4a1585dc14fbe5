"""The fleet: agents, model versions, regions and keys with their health; heat map; capture."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from graphmind.jobs.reading import fleet
from graphmind.jobs.repairs.regions import outlook_of
from graphmind_api.context import API, AsOf, CurrentSettings, OpenStores, RunningService
from graphmind_api.conversions import asked
from graphmind_api.models import GraphQuery, Int64
from graphmind_api.pages import Cursor, Limit, cursor_of, link_next, place_of
from graphmind_api.problems import UNKNOWN
from graphmind_api.reading_models import (
    Capture,
    Health,
    HealthInTime,
    HealthPage,
    Heatmap,
    RegionsOutlook,
)

router = APIRouter(prefix=API, tags=["fleet"])
Since = Annotated[
    Int64 | None, Query(description="Traces that start at or after, epoch ms; null: one hour")
]
Until = Annotated[
    Int64 | None, Query(description="Traces that start before, epoch ms; null: to the last")
]
QUESTIONS: Final = {
    "agents": "agents_by_region",
    "model-versions": "failing_share_by_model_and_region",
}
"""Question that lists what a collection does; `blast_radius` asks about one of any."""
MILLI: Final = 1_000


def _list(collection: str) -> Any:
    kind = fleet.KINDS[collection]

    def read_health(
        request: Request,
        response: Response,
        stores: OpenStores,
        settings: CurrentSettings,
        *,
        since_ms: Since = None,
        until_ms: Until = None,
        as_of_ms: AsOf = None,
        cursor: Cursor | None = None,
        limit: Limit = 50,
    ) -> HealthPage:
        time = fleet.recent(stores.archive, since_ms=since_ms, until_ms=until_ms, as_of_ms=as_of_ms)
        found = fleet.health(stores.archive, kind, time, as_of_ms=as_of_ms)
        page, last = fleet.page_of(found, place_of(cursor) if cursor else None, limit)
        next_cursor = cursor_of(last) if last else None
        link_next(request, response, next_cursor)
        return HealthPage(
            since_ms=time.since_ms,
            until_ms=time.until_ms,
            items=tuple(Health.model_validate(row) for row in page),
            next_cursor=next_cursor,
            query=_query(settings, collection, time),
        )

    return read_health


def _one(collection: str) -> Any:
    kind = fleet.KINDS[collection]

    def read_one(
        name: Annotated[str, Path(max_length=1000)],
        stores: OpenStores,
        *,
        since_ms: Since = None,
        until_ms: Until = None,
        as_of_ms: AsOf = None,
    ) -> HealthInTime:
        time = fleet.recent(stores.archive, since_ms=since_ms, until_ms=until_ms, as_of_ms=as_of_ms)
        found = fleet.health_in_time(stores.archive, kind, name, time, as_of_ms=as_of_ms)
        return HealthInTime.model_validate(found)

    return read_one


def _query(settings: CurrentSettings, collection: str, time: fleet.Recent) -> GraphQuery | None:
    question = QUESTIONS.get(collection)
    if question is None:
        return None
    between = {"from_ms": max(time.since_ms, 0), "until_ms": max(time.until_ms, 0)}
    return asked(settings, question, **between)


for each in fleet.KINDS:
    words = each.replace("-", " ").replace("kv", "KV")
    router.add_api_route(
        f"/{each}",
        _list(each),
        methods=["GET"],
        summary=f"Health of {words}",
        description="Those with most failing traces first; by default of the last hour of traces.",
        operation_id=f"read_{each.replace('-', '_')}",
        response_model=HealthPage,
    )
    router.add_api_route(
        f"/{each}/{{name:path}}",
        _one(each),
        methods=["GET"],
        summary=f"One of the {words} in time",
        description="Step by step; by default the last hour of traces.",
        operation_id=f"read_one_of_{each.replace('-', '_')}",
        response_model=HealthInTime,
        responses=UNKNOWN,
    )


@router.get("/heatmap", summary="Module by time")
def read_heatmap(
    stores: OpenStores,
    minutes: Annotated[int, Query(ge=1, le=10_080, description="How long, to the last trace")] = 60,
    until_ms: Until = None,
    as_of_ms: AsOf = None,
) -> Heatmap:
    """Traces that passed each module in each step, and those that went wrong in it."""
    length_ms = minutes * fleet.MINUTE_MS
    time = fleet.recent(stores.archive, until_ms=until_ms, as_of_ms=as_of_ms, length_ms=length_ms)
    return Heatmap.model_validate(fleet.heatmap(stores.archive, time))


@router.get("/capture", summary="What telemetry there is, and where it is blind")
def read_capture(
    stores: OpenStores,
    service: RunningService,
    *,
    since_ms: Since = None,
    until_ms: Until = None,
    as_of_ms: AsOf = None,
) -> Capture:
    """Completeness by agent and module; by default of the last hour of traces."""
    time = fleet.recent(stores.archive, since_ms=since_ms, until_ms=until_ms, as_of_ms=as_of_ms)
    dropped = service.dropped() if service else {}
    return Capture.model_validate(fleet.capture(stores.archive, time, dropped))


@router.get("/region-watch", summary="What should be done about regions")
def read_region_watch(stores: OpenStores) -> RegionsOutlook:
    """What the region watcher saw last: health by traffic and incidents, and what it proposes."""
    found = outlook_of(stores.archive)
    return RegionsOutlook.model_validate(found) if found else RegionsOutlook(at_ms=None)
