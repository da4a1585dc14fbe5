"""Alerts: those that graphmind raised, and those that other systems hand in."""

from fastapi import APIRouter, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from graphmind.errors import Overloaded, SourceError
from graphmind.jobs.alerts import list_alerts
from graphmind_api.context import API, OpenStores, RunningService
from graphmind_api.live_models import AlertPage, TakenIn

router = APIRouter(prefix=f"{API}/alerts", tags=["alerts"])
intake = APIRouter(prefix=f"{API}/alerts", tags=["alerts"])
"""For senders, who need not be viewers."""


@router.get("", summary="The alerts raised")
def read_alerts(stores: OpenStores) -> AlertPage:
    """Return the alerts: those that fire first, then the latest."""
    return AlertPage.model_validate({"items": list_alerts(stores.archive)})


@intake.post(
    "/in",
    summary="Take in the alerts of an Alertmanager or of Grafana",
    responses={
        400: {"description": "The body is no alert webhook"},
        503: {"description": "The server does not take telemetry in, or its queue is full"},
    },
)
async def take_alerts(request: Request, service: RunningService) -> TakenIn:
    """Store each alert as a sample of a metric ``alert:NAME``; done when that is durable."""
    if service is None:
        raise HTTPException(503, "This server only answers. Send to one run by `graphmind serve`.")
    body = await request.body()
    try:
        return TakenIn(rows=await run_in_threadpool(service.take_alerts, body))
    except SourceError as error:
        raise HTTPException(400, str(error)) from error
    except Overloaded as error:
        headers = {"Retry-After": str(round(error.retry_after_s))}
        raise HTTPException(503, str(error), headers=headers) from error
