"""The server: the app on an address, until it is told to stop."""

import signal
import socket
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import uvicorn
from fastapi import FastAPI

from graphmind.errors import SettingsError
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.stores import Stores
from graphmind.serving.service import Service
from graphmind.settings import Settings
from graphmind_api.app import create_app

SHUTDOWN_S = 10
"""Requests under way may take that long to finish after a stop (chosen)."""


class AppServer(uvicorn.Server):
    """Tells the app when it closes: streams of events end then, and hold no stop up."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell it, then finish what is under way."""
        self._app.state.closing = True
        await super().shutdown(sockets)


def serve(
    stores: Stores,
    settings: Settings,
    service: Service | None,
    *,
    host: str,
    port: int,
    desk: RepairDesk | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what is under way and return.

    Port 0 takes a free one. Raises SettingsError if the address cannot be listened on.
    """
    app = create_app(stores, settings, service, desk)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        timeout_graceful_shutdown=SHUTDOWN_S,
        server_header=False,
        log_config=None,
        access_log=False,
    )
    with _listening(host, port) as listening:
        # Once stopped, uvicorn raises the signal again for whoever handled it before: by default
        # SIGTERM would end the process there and then, with the stores still open.
        former = signal.signal(signal.SIGTERM, _interrupt)
        try:
            with suppress(KeyboardInterrupt):
                AppServer(config, app).run(sockets=[listening])
        finally:
            signal.signal(signal.SIGTERM, former)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host} port {port}: {error.strerror}. "
            "Choose another with --host and --port"
        ) from error
