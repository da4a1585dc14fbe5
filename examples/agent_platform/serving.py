"""How each part serves HTTP: until it is told to end, or whoever started it is gone."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Coroutine
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette

from examples.agent_platform.lifeline import follow

GRACE_S: Final = 1
"""What requests in work are given at the end (chosen)."""

KEEP_ALIVE_S: Final = 60
"""An idle connection is closed after so long, later than who calls gives it up (chosen)."""


async def serve(
    app: Starlette,
    *,
    parent: int,
    port: int = 0,
    listening: socket.socket | None = None,
    beside: tuple[Coroutine[Any, Any, None], ...] = (),
) -> None:
    """Serve on a port or a listening socket; ``beside`` runs as long."""
    # uvicorn raises a signal again when it is done; what comes after it is still to be done then.
    signal.signal(signal.SIGTERM, lambda *_: None)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
    )

    def end() -> None:
        server.should_exit = True

    tasks = [asyncio.create_task(each) for each in (follow(parent, end), *beside)]
    await server.serve(sockets=[listening] if listening else None)
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
