"""Calls from one agent to another: JSON over HTTP/1.1 on kept connections, with a client span.

A client of its own because httpx with its instrumentation takes some 3 ms of processor time a
call, and a task makes seven (README). It speaks to servers that state the length of what they
send, as all of the platform do. A network that loses what goes out of a region is met here.
"""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import orjson
from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from examples.agent_platform.conditions import Rule

CALL_S: Final = 30.0
"""Longer than any call takes, the hanging ones included (chosen)."""
LOST_S: Final = 1.5
"""What a connection into a lost network waits before it is given up (chosen)."""
IDLE_S: Final = 20.0
"""An idle connection is given up after so long, before its server does (chosen)."""
BODY_MAX: Final = 4_194_304


class CallFailed(Exception):  # noqa: N818 - reads as the finding it reports
    """There is no answer. ``code`` names the kind of failure."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    document: Any


class Connection(NamedTuple):
    """One connection to a server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    since: float
    """When it was last used, monotonic."""


def _lossless(_port: int) -> Rule | None:
    return None


class Wire:
    """Connections to others, kept while they are good."""

    def __init__(
        self,
        *,
        traced: bool = True,
        lost: Callable[[int], Rule | None] = _lossless,
        timeout_s: float = CALL_S,
    ) -> None:
        self._idle: dict[tuple[str, int], list[Connection]] = defaultdict(list)
        self._tracer = trace.get_tracer("agent-platform.wire") if traced else None
        self._lost = lost
        self._timeout_s = timeout_s

    async def post(self, url: str, document: Any) -> Answer:
        """Post JSON and return the answer, whatever its status. Raises CallFailed."""
        if self._tracer is None:
            return await self._call("POST", url, document, {})
        said = {"http.request.method": "POST", "url.full": url}
        with self._tracer.start_as_current_span(
            "POST", kind=SpanKind.CLIENT, attributes=said, record_exception=False
        ) as span:
            headers: dict[str, str] = {}
            propagate.inject(headers)
            try:
                answer = await self._call("POST", url, document, headers)
            except CallFailed as error:
                _failed(span, error.code, str(error))
                raise
            span.set_attribute("http.response.status_code", answer.status)
            if answer.status >= 400:
                _failed(span, str(answer.status), "")
            return answer

    async def get(self, url: str) -> Answer:
        """Get JSON, untraced. Raises CallFailed."""
        return await self._call("GET", url, None, {})

    def close(self) -> None:
        """Release connections."""
        for kept in self._idle.values():
            for connection in kept:
                connection.writer.close()
        self._idle.clear()

    async def _call(self, method: str, url: str, document: Any, headers: dict[str, str]) -> Answer:
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        rule = self._lost(port)
        if rule and os.urandom(1)[0] < 256 * rule["share"]:
            await asyncio.sleep(LOST_S)
            raise CallFailed("ConnectTimeout", f"{host}:{port}: no connection after {LOST_S} s")
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        message = _message(method, path, f"{host}:{port}", document, headers)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange((host, port), message)
        except TimeoutError as error:
            said = f"{host}:{port}{path}: no answer after {self._timeout_s:g} s"
            raise CallFailed("ReadTimeout", said) from error

    async def _exchange(self, place: tuple[str, int], message: bytes) -> Answer:
        while self._idle[place]:
            connection = self._idle[place].pop()
            idle_s = time.monotonic() - connection.since
            # Who sends on a connection that the other side is about to close gets no answer.
            if connection.reader.at_eof() or connection.writer.is_closing() or idle_s > IDLE_S:
                connection.writer.close()
                continue
            return await self._talk(place, connection, message)
        try:
            connection = Connection(*await asyncio.open_connection(*place), time.monotonic())
        except OSError as error:
            raise CallFailed("ConnectError", f"{place[0]}:{place[1]}: {error}") from error
        return await self._talk(place, connection, message)

    async def _talk(self, place: tuple[str, int], connection: Connection, message: bytes) -> Answer:
        kept = False
        try:
            connection.writer.write(message)
            head = await connection.reader.readuntil(b"\r\n\r\n")
            status, length, kept = read_head(head)
            body = await connection.reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError, ValueError) as error:
            kept = False
            said = f"{place[0]}:{place[1]} broke off: {error!r}"
            raise CallFailed("RemoteProtocolError", said) from error
        except BaseException:
            kept = False
            raise
        finally:
            if kept:
                self._idle[place].append(connection._replace(since=time.monotonic()))
            else:
                connection.writer.close()
        return Answer(status, orjson.loads(body) if body else {})


def read_head(head: bytes) -> tuple[int, int, bool]:
    """Return status, length of the body, whether the connection stays. Raises ValueError."""
    first, *lines = head.split(b"\r\n")
    length: int | None = None
    kept = True
    for line in lines:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name == b"content-length":
            length = int(value)
        elif name == b"connection":
            kept = value.strip().lower() != b"close"
        elif name == b"transfer-encoding":
            raise ValueError("expected a body of stated length, got a transfer encoding")
    if length is None or not 0 <= length <= BODY_MAX:
        raise ValueError(f"expected a length of 0 to {BODY_MAX}, got {length}")
    return int(first.split(b" ", 2)[1]), length, kept


def _message(method: str, path: str, host: str, document: Any, headers: dict[str, str]) -> bytes:
    body = b"" if document is None else orjson.dumps(document)
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
    if body:
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _failed(span: Span, code: str, message: str) -> None:
    span.set_attribute("error.type", code)
    span.set_status(Status(StatusCode.ERROR, message))
