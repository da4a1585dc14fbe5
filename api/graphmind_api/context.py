"""What every route starts from: its prefix, and what the app was made with."""

from typing import Annotated, Final

from fastapi import Depends, HTTPException, Query, Request

from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.stores import Stores
from graphmind.serving.service import Service
from graphmind.settings import Settings
from graphmind_api.under_way import UnderWay

API: Final = "/api/v1"
"""Where the routes for programs begin. A router states it whole: metrics name routes by it."""


def _stores(request: Request) -> Stores:
    stores: Stores = request.app.state.stores
    return stores


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _service(request: Request) -> Service | None:
    service: Service | None = request.app.state.service
    return service


def _desk(request: Request) -> RepairDesk:
    desk: RepairDesk | None = request.app.state.desk
    if desk is None:
        raise HTTPException(503, "This server has no desk of repairs: it was started without one.")
    return desk


def _connected(desk: Annotated[RepairDesk, Depends(_desk)]) -> RepairDesk:
    if not desk.connectors:
        raise HTTPException(
            503,
            "No control plane is configured, so nothing can be planned, run or undone: name them "
            "in a file and set GRAPHMIND_CONNECTORS to it.",
        )
    return desk


def _long_calls(request: Request) -> UnderWay:
    calls: UnderWay = request.app.state.calls
    return calls


RunningService = Annotated[Service | None, Depends(_service)]
OpenStores = Annotated[Stores, Depends(_stores)]
CurrentSettings = Annotated[Settings, Depends(_settings)]
OpenDesk = Annotated[RepairDesk, Depends(_desk)]
"""503 where the app has none."""
ConnectedDesk = Annotated[RepairDesk, Depends(_connected)]
"""503 also where it has no connector."""
LongCalls = Annotated[UnderWay, Depends(_long_calls)]
AsOf = Annotated[
    int | None,
    Query(ge=0, lt=2**62, description="Show it as it stood at this moment, epoch ms; null: now"),
]
