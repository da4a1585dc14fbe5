"""A real HTTP server on loopback that keeps a state and answers JSON."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came."""

    method: str
    parts: tuple[str, ...]
    """Of the path, unquoted."""
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return orjson.loads(self.body)


Answer = tuple[int, Any]
"""Status and JSON document."""


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[int]:
    """Serve until the block ends; gives the port."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            at = urlsplit(self.path)
            length = int(self.headers.get("content-length", 0))
            asked = Asked(
                method=self.command,
                parts=tuple(unquote(part) for part in at.path.strip("/").split("/")),
                query={key: values[-1] for key, values in parse_qs(at.query).items()},
                headers={key.lower(): value for key, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            status, document = answer(asked)
            body = orjson.dumps(document)
            self.close_connection = True
            try:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                return  # the client gave up

        do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 - the base class names them so

        def log_message(self, format, *args):  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
