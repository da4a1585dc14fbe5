"""OTLP over HTTP: traces, logs and metrics as protobuf or JSON, each stored before it is answered.

uvicorn holds the connections on a thread of its own; bodies are decoded on two more.
"""

import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import uvicorn

from graphmind.errors import SettingsError
from graphmind.settings import Settings
from graphmind.sources import Sink
from graphmind_loaders.push.counts import Counts, Totals
from graphmind_loaders.push.gathering import Gathering
from graphmind_loaders.push.http_app import BODY_WITHIN_S, STOP_WITHIN_S, HttpApp
from graphmind_loaders.push.http_connection import HEAD_WITHIN_S, connections
from graphmind_loaders.push.intake import Intake
from graphmind_loaders.push.refusals import RefusalLog, Refused

_LOG = logging.getLogger(__name__)

name = "otlp-http"

KEPT_ALIVE_S = 75  # chosen: longer than any exporter's interval, so connections are kept
BACKLOG = 2048  # uvicorn's own default


def listen(sink: Sink, settings: Settings, *, host: str) -> "OtlpHttp":
    """Listen on ``otlp_http_port``; return once connections are taken.

    Raises SettingsError where the port cannot be had.
    """
    return OtlpHttp(sink, settings, host=host)


class OtlpHttp:
    """The receiver while it listens."""

    name = name

    def __init__(
        self,
        sink: Sink,
        settings: Settings,
        *,
        host: str,
        head_within_s: float = HEAD_WITHIN_S,
        body_within_s: float = BODY_WITHIN_S,
    ) -> None:
        self._socket = _bound(host, settings.otlp_http_port)
        self._address = _address(self._socket)
        self._counts = Counts()
        log = RefusalLog(transport="http")
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="otlp-http-unpack")
        intake = Intake(sink=sink, settings=settings)
        self._gathering = Gathering(intake, name="otlp-http-decode")
        self._app = HttpApp(
            intake=intake,
            counts=self._counts,
            log=log,
            gathering=self._gathering,
            pool=self._pool,
            body_within_s=body_within_s,
        )

        def note(refused: Refused) -> None:
            self._counts.refused("", refused.outcome.name)
            log.note(refused, "connection")

        self._server = uvicorn.Server(_config(self._app, connections(note, head_within_s)))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="otlp-http", daemon=True
        )
        self._thread.start()
        _LOG.info("otlp_listening transport=http address=%s", self.address)

    @property
    def address(self) -> str:
        """Where it listens: ``host:port``."""
        return self._address

    @property
    def held_bytes(self) -> int:
        """Bytes of the bodies under way: read, waiting, or being stored."""
        return self._app.held_bytes

    def totals(self) -> Totals:
        """Return what was answered since it began."""
        return self._counts.totals()

    def stop(self) -> None:
        """Take no more requests, answer those under way, and return."""
        self._app.hurry()
        self._server.should_exit = True
        self._thread.join()
        self._gathering.close()
        self._pool.shutdown()
        self._socket.close()


def _config(app: HttpApp, protocol: type) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEPT_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"expected to listen on {host}:{port} for OTLP over HTTP, got: {error}. End what "
            "listens there, or set GRAPHMIND_OTLP_HTTP_PORT to another port (-1: do not listen)"
        ) from error


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
