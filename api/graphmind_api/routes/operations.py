"""For those who run the server: is it alive, can it answer, what does it measure."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from graphmind import __version__
from graphmind.errors import GraphmindError
from graphmind_api.context import OpenStores, RunningService
from graphmind_api.metrics import Metrics
from graphmind_api.models import Alive, Check, Readiness, Version

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Whether the server runs")
def read_health() -> Alive:
    """Answer without touching a store: restart the server if this does not answer."""
    return Alive(status="ok")


@router.get(
    "/readyz",
    summary="Whether requests can be answered",
    responses={503: {"model": Readiness, "description": "A store does not answer"}},
)
def read_readiness(stores: OpenStores, service: RunningService, response: Response) -> Readiness:
    """Ask both stores something small, and each loop whether it runs."""
    loops = service.checks() if service else {}
    checks = (
        _check("archive", stores.archive.first_start),
        _check("graph", lambda: stores.graph.read("incident_causes", limit=1)),
        *(Check(name=name, ready=not wrong, detail=wrong) for name, wrong in loops.items()),
    )
    ready = all(check.ready for check in checks)
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, checks=checks)


@router.get(
    "/metrics",
    summary="Numbers for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def read_metrics(request: Request) -> Response:
    """Traces, spans, incidents and requests, in Prometheus' text format."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


@router.get("/version", summary="Which graphmind answers")
def read_version() -> Version:
    """Return the version of the package and of the API."""
    return Version(version=__version__, api="v1")


def _check(name: str, probe: Callable[[], object]) -> Check:
    try:
        probe()
    except GraphmindError as error:
        return Check(name=name, ready=False, detail=str(error))
    return Check(name=name, ready=True, detail="")
