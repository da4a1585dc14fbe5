"""The app: routes, errors, limits and metrics put together over two open stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.concurrency import run_in_threadpool

from graphmind import __version__
from graphmind.errors import StoreError
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.stores import Stores
from graphmind.serving.service import Service
from graphmind.settings import Settings
from graphmind.wiring import workbench_over
from graphmind_api.access.doors import Doors
from graphmind_api.access.gate import Gate
from graphmind_api.access.surroundings import Surroundings
from graphmind_api.actor import may, may_send
from graphmind_api.body_limit import BodyLimit
from graphmind_api.console import add_console
from graphmind_api.context import API
from graphmind_api.guide_origins import GuideOrigins
from graphmind_api.idempotency import Idempotency
from graphmind_api.metrics import Metrics, RequestMetrics
from graphmind_api.openapi import document, openapi_route
from graphmind_api.problems import Faults, add_handlers
from graphmind_api.routes import (
    access,
    alerts,
    audit,
    commands,
    diagnosis,
    exploring,
    fleet,
    grafana,
    grafana_repairs,
    guides,
    incident_parts,
    incidents,
    login,
    operations,
    questions,
    repairs,
    review,
    root_cause,
    strategies,
    traces,
    trends,
)
from graphmind_api.under_way import UnderWay

GUARDED = (
    *(incidents, incident_parts, traces, fleet, trends, exploring),
    *(root_cause, diagnosis, repairs, strategies, audit, review),
    *(alerts, questions, access, commands, grafana, grafana_repairs),
)
"""Whoever asks there needs at least the role ``viewer``: a route need not say so."""
OPEN = (login, operations, guides)


def create_app(
    stores: Stores,
    settings: Settings,
    service: Service | None = None,
    desk: RepairDesk | None = None,
    doors: Doors | None = None,
) -> FastAPI:
    """Return the ASGI app over stores that the caller opened and will close.

    ``service`` is what works on them meanwhile; without it the app only answers. ``desk`` is where
    repairs are asked for; without it their routes answer 503. ``doors`` is who may come in; without
    it, whom the data folder's keys and the settings let in.
    """
    app = FastAPI(
        title="graphmind",
        version=__version__,
        summary="Which failing traces share a cause, how sure that is, and the repair to issue.",
        openapi_url=None,  # For callers only, as all else there: ``openapi_route``.
        # Their pages load scripts from elsewhere, which networks on call may not reach.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.stores = stores
    app.state.settings = settings
    app.state.service = service
    app.state.desk = desk
    app.state.closing = False
    app.state.metrics = Metrics(stores.archive, service)
    app.state.workbench = workbench_over(stores, settings, lambda: _required(desk))
    app.state.doors = doors or Doors(settings)
    for routes in GUARDED:
        app.include_router(routes.router, dependencies=[may("viewer")])
    app.include_router(openapi_route, dependencies=[may("viewer")])
    app.include_router(alerts.intake, dependencies=[Depends(may_send)])
    for routes in OPEN:
        app.include_router(routes.router)
    add_console(app)
    add_handlers(app)
    _add_middleware(app, settings)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


def _required(desk: RepairDesk | None) -> RepairDesk:
    if desk is None:
        raise StoreError("this server has no desk of repairs: it was started without one")
    return desk


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Put around the routes what every request passes: the last added sees it first."""
    app.add_middleware(Idempotency)
    app.add_middleware(BodyLimit)
    app.add_middleware(
        Gate,
        doors=app.state.doors,
        guarded=f"{API}/",
        requests_a_minute=settings.requests_a_minute,
    )
    if origins := settings.cors_origins.split():
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-Match", "Idempotency-Key"],
            expose_headers=["ETag", "Link", "Location", "Retry-After"],
        )
    app.add_middleware(GuideOrigins)
    app.add_middleware(Faults)
    app.add_middleware(Surroundings, hosts=frozenset(settings.hosts.lower().split()))
    app.add_middleware(RequestMetrics, metrics=app.state.metrics)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Wait at the end for repairs that run on after their request: the stores close next."""
    app.state.calls = UnderWay()
    yield
    await run_in_threadpool(app.state.calls.close)
