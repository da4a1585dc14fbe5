"""What every route works on: the stores and the settings that the app was made with."""

from typing import Annotated

from fastapi import Depends, Request

from graphmind.jobs.stores import Stores
from graphmind.settings import Settings


def _stores(request: Request) -> Stores:
    stores: Stores = request.app.state.stores
    return stores


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


OpenStores = Annotated[Stores, Depends(_stores)]
CurrentSettings = Annotated[Settings, Depends(_settings)]
