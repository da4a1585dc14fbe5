"""Stores made by the product's own pipeline, and clients of real servers over them."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from graphmind_api.app import create_app
from graphmind_loaders.files import read_spans

from graphmind.archive.port import Selection
from graphmind.jobs.analyze import analyze
from graphmind.jobs.load import load
from graphmind.jobs.settle import settle
from graphmind.jobs.stores import Stores
from graphmind.settings import Settings
from graphmind.simulation.files import write
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.rejections import Rejections
from graphmind.wiring import open_stores, resolver_table

SCENARIO = Scenario(seed=7, traces=600, incidents=2)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_dir=tmp_path_factory.mktemp("populated"))


@pytest.fixture(scope="session")
def stores(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    spans = tmp_path_factory.mktemp("spans")
    write(simulate(SCENARIO), spans)
    with open_stores(settings) as opened:
        fill(opened, settings, spans)
        yield opened


@pytest.fixture(scope="session")
def client(stores: Stores, settings: Settings) -> Iterator[httpx.Client]:
    with client_of(stores, settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of an app over a data folder into which nothing was ever loaded."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("empty"))
    with open_stores(settings) as opened, client_of(opened, settings) as client:
        yield client


@contextmanager
def client_of(stores: Stores, settings: Settings) -> Iterator[httpx.Client]:
    with serving(create_app(stores, settings)) as client:
        yield client


@contextmanager
def serving(app: FastAPI) -> Iterator[httpx.Client]:
    """Serve an app on a free loopback port, in a thread; the client may do everything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        port = listening.getsockname()[1]
        try:
            # The socket listens already: a request waits until the server is up.
            known = {"Authorization": f"Bearer {app.state.doors.local_token}"}
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", headers=known, timeout=60
            ) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def fill(
    stores: Stores,
    settings: Settings,
    spans: Path,
    chosen: Selection = Selection(),  # noqa: B008 - frozen
) -> None:
    """Load spans, settle them and analyse the traces chosen."""
    rejected = Rejections()
    load(
        read_spans([str(spans)], rejected, stdin=sys.stdin.buffer),
        stores.archive,
        settings,
        table=resolver_table(settings),
        rejected=rejected,
        now_ns=time.time_ns(),
    )
    settle(stores.archive, settings, rejected)
    analyze(stores, settings, chosen)
