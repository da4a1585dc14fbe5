"""What every route starts from: its prefix, and what the app was made with."""

from typing import Annotated, Final

from fastapi import Depends, Request

from graphmind.jobs.stores import Stores
from graphmind.serving.service import Service
from graphmind.settings import Settings

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


RunningService = Annotated[Service | None, Depends(_service)]
OpenStores = Annotated[Stores, Depends(_stores)]
CurrentSettings = Annotated[Settings, Depends(_settings)]
