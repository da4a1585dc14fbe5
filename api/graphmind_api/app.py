"""The app: routes, errors, limits and metrics put together over two open stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from graphmind import __version__
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.stores import Stores
from graphmind.serving.service import Service
from graphmind.settings import Settings
from graphmind_api.body_limit import BodyLimit
from graphmind_api.context import API
from graphmind_api.metrics import Metrics, RequestMetrics
from graphmind_api.openapi import document
from graphmind_api.problems import Faults, add_handlers
from graphmind_api.routes import (
    alerts,
    audit,
    diagnosis,
    incidents,
    operations,
    questions,
    repairs,
    root_cause,
    strategies,
)
from graphmind_api.under_way import UnderWay


def create_app(
    stores: Stores,
    settings: Settings,
    service: Service | None = None,
    desk: RepairDesk | None = None,
) -> FastAPI:
    """Return the ASGI app over stores that the caller opened and will close.

    ``service`` is what works on them meanwhile; without it the app only answers. ``desk`` is where
    repairs are asked for; without it their routes answer 503.
    """
    app = FastAPI(
        title="graphmind",
        version=__version__,
        summary="Which failing traces share a cause, how sure that is, and the repair to issue.",
        openapi_url=f"{API}/openapi.json",
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
    for routes in (
        *(incidents, root_cause, diagnosis, repairs, strategies, audit),
        *(alerts, questions, operations),
    ):
        app.include_router(routes.router)
    add_handlers(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Faults)
    app.add_middleware(RequestMetrics, metrics=app.state.metrics)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Wait at the end for repairs that run on after their request: the stores close next."""
    app.state.calls = UnderWay()
    yield
    await run_in_threadpool(app.state.calls.close)
