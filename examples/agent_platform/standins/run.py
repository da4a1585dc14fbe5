"""Runs a stand-in until it is told to end."""

import asyncio
import contextlib
import signal
from pathlib import Path

from examples.agent_platform.layout import Layout
from examples.agent_platform.standins import haproxy, mlflow, redis


def main(name: str, folder: str) -> None:
    """Be the stand-in of a server for the platform in a folder."""
    asyncio.run(_until_told(name, Layout.load(Path(folder))))


async def _until_told(name: str, layout: Layout) -> None:
    serving = asyncio.ensure_future(_served(name, layout))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def _served(name: str, layout: Layout) -> None:
    if name == "redis-server":
        await redis.serve(layout.redis_port)
    elif name == "haproxy":
        await haproxy.serve(layout)
    else:
        await mlflow.serve(int(layout.mlflow.rpartition(":")[2]))
