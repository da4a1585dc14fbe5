"""One connection of HTTP/1.1: uvicorn's, with bounds on the head of a request.

uvicorn bounds neither the size of a head nor the time until it is whole.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from graphmind_loaders.push.refusals import BAD_DATA, Refused
from graphmind_loaders.push.signals import JSON

HEAD_WITHIN_S = 10.0  # chosen: a head is one packet
HEAD_BYTES_MAX = 64 * 2**10  # chosen: as most servers

# What uvicorn would log is counted, and logged once a minute, by the receiver.
_SILENT = logging.getLogger(f"{__name__}.silent")
_SILENT.propagate = False
_SILENT.addHandler(logging.NullHandler())


def connections(note: Callable[[Refused], None], head_within_s: float) -> type[HttpToolsProtocol]:
    """Return the class of connections that tell ``note`` of what is no HTTP request."""
    bound = {"note": staticmethod(note), "head_within_s": head_within_s}
    return type("Connection", (_Connection,), bound)


class _Connection(HttpToolsProtocol):
    note: Callable[[Refused], None]
    head_within_s: float

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.logger = _SILENT
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_whole()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head_timer is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_timer is not None and self._head_bytes > HEAD_BYTES_MAX:
            self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._head_is_whole()
        try:
            super().on_headers_complete()
        except (httptools.HttpParserError, UnicodeDecodeError):
            self.send_400_response("")

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self.head_within_s, self._close)

    def _head_is_whole(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _close(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn calls it so
        """Answer what is no request; the words are not uvicorn's but ours."""
        self._head_is_whole()
        if self.transport.is_closing():
            return
        refused = Refused(
            BAD_DATA,
            "expected an HTTP/1.1 request with a head of at most "
            f"{HEAD_BYTES_MAX} bytes, got something else: check the exporter's protocol and port",
        )
        type(self).note(refused)
        body = refused.status(JSON)
        head = (
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n"
            f"content-type: {JSON}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
