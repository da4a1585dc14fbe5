"""What changes and what recurs: drift of agents, failing paths, versions to go back to."""

from typing import Annotated

from fastapi import APIRouter, Query

from graphmind.jobs.drift import drift
from graphmind.jobs.paths import frequent_failing_paths
from graphmind.jobs.reading.fleet import recent
from graphmind.jobs.rollback_advice import rollback_advice
from graphmind_api.context import API, OpenStores
from graphmind_api.models import Int64
from graphmind_api.problems import UNKNOWN
from graphmind_api.trend_models import (
    DriftList,
    DriftOfGroup,
    FailingPath,
    FailingPaths,
    RollbackAdvice,
)

router = APIRouter(prefix=API, tags=["trends"])
Moment = Annotated[
    int | None, Query(ge=0, lt=2**43, description="Epoch ms; null: up to the last trace")
]


@router.get("/drift", summary="Agents that answer more slowly, or go other ways")
def read_drift(
    stores: OpenStores,
    until_ms: Moment = None,
    hours: Annotated[
        float, Query(gt=0, le=744, description="Length of the period, and of the one before")
    ] = 1.0,
) -> DriftList:
    """The hours before a moment against as many before; what the archive has where it has less."""
    found = drift(stores.archive, until_ms=until_ms, hours=hours)
    return DriftList(items=tuple(DriftOfGroup.model_validate(row) for row in found))


@router.get("/paths", summary="Frequent failing paths")
def read_paths(
    stores: OpenStores,
    *,
    since_ms: Annotated[
        Int64 | None, Query(description="Traces that start at or after, epoch ms; null: one hour")
    ] = None,
    until_ms: Moment = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> FailingPaths:
    """Along which modules traces fail more often than elsewhere, from a sample of the time."""
    time = recent(stores.archive, since_ms=since_ms, until_ms=until_ms)
    since, until = max(time.since_ms, 0), time.until_ms
    found = frequent_failing_paths(stores.archive, since_ms=since, until_ms=until, limit=limit)
    items = tuple(FailingPath.model_validate(row) for row in found)
    return FailingPaths(since_ms=since, until_ms=until, items=items)


@router.get("/rollback-advice", summary="Which version to go back to", responses=UNKNOWN)
def read_rollback_advice(
    stores: OpenStores,
    model: Annotated[
        str, Query(min_length=1, max_length=1_000, description="A model, or `model@version`")
    ],
    until_ms: Moment = None,
) -> RollbackAdvice:
    """The newest earlier version that is sure to fail less, or why there is none."""
    advice = rollback_advice(stores.archive, model, until_ms=until_ms)
    return RollbackAdvice.model_validate(advice)
