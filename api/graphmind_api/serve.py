"""The server: the app on an address, until it is told to stop."""

import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, NoReturn

import uvicorn
from fastapi import FastAPI

from graphmind.access.running_server import RunningServer, announced
from graphmind.errors import SettingsError
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.stores import Stores
from graphmind.serving.service import Service
from graphmind.settings import Settings
from graphmind_api.access.doors import Doors
from graphmind_api.app import create_app

SHUTDOWN_S = 10
"""Requests under way may take that long to finish after a stop (chosen)."""

COLLECTED_AFTER: Final = (5_000, 20, 20)
"""Objects, and rounds of the generations, after which Python looks for cycles."""


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

    Port 0 takes a free one. Meanwhile the data folder tells where the server is, and holds the
    local token. Raises SettingsError if the address cannot be listened on.
    """
    app = create_app(stores, settings, service, desk)
    collect_seldom()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        timeout_graceful_shutdown=SHUTDOWN_S,
        server_header=False,
        log_config=None,
        access_log=False,
    )
    doors: Doors = app.state.doors
    with _listening(host, port) as listening, _announced(settings, listening, doors):
        # Once stopped, uvicorn raises the signal again for whoever handled it before: by default
        # SIGTERM would end the process there and then, with the stores still open.
        former = signal.signal(signal.SIGTERM, _interrupt)
        try:
            with suppress(KeyboardInterrupt):
                AppServer(config, app).run(sockets=[listening])
        finally:
            signal.signal(signal.SIGTERM, former)


def collect_seldom() -> None:
    """Look for cycles seldom, and never among what stands already.

    By default every twentieth picture of an incident waited 0.2 s for a look through 300,000
    objects, nearly all of them modules (measured).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


@contextmanager
def _announced(settings: Settings, listening: socket.socket, doors: Doors) -> Iterator[None]:
    """Tell commands where the server is, and a person where the console is."""
    url = _url(listening)
    server = RunningServer(url=url, pid=os.getpid())
    with announced(settings.data_dir, server, doors.local_token):
        # Not by the log: it is kept, and read by others.
        sys.stdout.write(f"console: {url}/login?code={doors.login_code()}\n")
        sys.stdout.flush()
        yield


def _url(listening: socket.socket) -> str:
    """Return where this machine reaches what listens, loopback where that is everywhere."""
    address, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - compared
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host} port {port}: {error.strerror}. "
            "Choose another with --host and --port"
        ) from error
    # Connections inherit it. Without it the body of an answer, written after its head, waits for
    # the client's acknowledgement: 40 ms on a connection that is kept (measured).
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
