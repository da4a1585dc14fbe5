"""Serves a store for ``benchmarks.api`` until it is ended; says its port and token first."""

import asyncio
import socket
import sys
from pathlib import Path

import uvicorn
from graphmind_api.app import create_app
from graphmind_api.serve import collect_seldom

from graphmind.settings import Settings
from graphmind.wiring import open_stores


def main(folder: Path) -> None:
    """Serve on a free loopback port."""
    settings = Settings(data_dir=folder, requests_a_minute=0)
    with open_stores(settings, live=True) as stores:
        app = create_app(stores, settings)
        collect_seldom()
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print(listening.getsockname()[1], app.state.doors.local_token, flush=True)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        asyncio.run(server.serve(sockets=[listening]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
