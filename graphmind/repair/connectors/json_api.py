"""JSON over HTTP to one control plane: bounded, and sure about what may have taken effect.

A question that fails is a ConnectorError: nothing was done. A change that was sent and not answered
well is OutcomeUnknown. Connections are not kept: a stale one looks like a lost answer.
"""

import ssl
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from graphmind.errors import SettingsError
from graphmind.repair.connector import ConnectorError, OutcomeUnknown
from graphmind.repair.connectors.calls import blotted
from graphmind.repair.connectors.config import HttpOptions, Section

T = TypeVar("T")

REPLY_BYTES_MAX: Final = 8 * 2**20  # chosen: what a control plane says of one thing is small
_TEXT_CHARS_MAX: Final = 200  # chosen: a server's own words, in a line of log
_RETRY_AFTER_S_MAX: Final = 3600.0  # chosen: no repair waits longer
_REFUSED: Final = frozenset({401, 403})
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class _Shapeless(Exception):  # noqa: N818 - never leaves this module
    """The reply cannot be read; says why."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a control plane answered."""

    status: int
    content: bytes = field(repr=False)
    where: str
    """How messages call the request."""
    doubt: type[ConnectorError]
    """What is raised where the reply cannot be read."""
    secrets: Collection[str] = field(repr=False)

    def read_as(self, kind: type[T]) -> T:
        """Decode the body as JSON of that type."""
        try:
            return msgspec.json.decode(self.content, type=kind)
        except msgspec.ValidationError as error:
            said = blotted(str(error), self.secrets)
            raise self.doubt(f"{self.where}: JSON of another shape came: {said}") from None
        except (ValueError, RecursionError):
            raise self.doubt(
                f"{self.where}: expected JSON, but the answer starts {self.text()!r}; is `url` "
                "the address of its API?"
            ) from None

    def text(self) -> str:
        """Return the start of the body as text, on one line, without secrets."""
        head = self.content[: 4 * _TEXT_CHARS_MAX].decode("utf-8", "replace")
        return blotted(" ".join(head.split()), self.secrets)[:_TEXT_CHARS_MAX]


class JsonApi:
    """Asks and changes one control plane. Any thread may."""

    def __init__(
        self,
        section: Section,
        options: HttpOptions,
        *,
        auth: httpx.Auth | None = None,
        secrets: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raise SettingsError for a certificate file that cannot be read."""
        self.where = f"connector {section.name} ({section.kind}, {options.url})"
        """How messages call the system."""
        self._base = options.url.rstrip("/")
        self._timeout_s = options.timeout_s
        self._secrets = (*section.secrets, *secrets)
        self._clock = clock
        self._http = httpx.Client(
            headers={"user-agent": "graphmind", "accept-encoding": "identity"},
            auth=auth,
            timeout=options.timeout_s,
            verify=_trust(section, options),
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def close(self) -> None:
        """Release connections."""
        self._http.close()

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        tolerated: Collection[int] = (),
    ) -> Reply:
        """Ask; statuses 2xx and ``tolerated`` return. Raises ConnectorError for all else."""
        request = self._http.build_request("GET", self._at(path), params=params)
        return self._send(request, tolerated, ConnectorError)

    def change(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        tolerated: Collection[int] = (),
    ) -> Reply:
        """Change something, with a JSON document or bytes.

        Raises ConnectorError where nothing was done: it was not sent, or refused (3xx, 4xx); and
        OutcomeUnknown where nobody can tell: no answer, a broken one, 5xx.
        """
        if content is None:
            content = msgspec.json.encode(body)
            headers = {"content-type": "application/json", **(headers or {})}
        request = self._http.build_request(method, self._at(path), content=content, headers=headers)
        return self._send(request, tolerated, OutcomeUnknown)

    def _at(self, path: str) -> str:
        return f"{self._base}/{path}" if path else self._base

    def _send(
        self, request: httpx.Request, tolerated: Collection[int], doubt: type[ConnectorError]
    ) -> Reply:
        where = f"{self.where} {request.method} {request.url.path}"
        deadline = self._clock() + self._timeout_s
        try:
            response = self._http.send(request, stream=True)
            try:
                content = b"".join(self._chunks(response, deadline))
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, _Shapeless) as error:
            kind = ConnectorError if isinstance(error, _NOT_SENT) else doubt
            # Without the cause: its words may repeat what was sent.
            raise kind(blotted(f"{where}: {self._in_words(error)}", self._secrets)) from None
        reply = Reply(
            status=response.status_code,
            content=content,
            where=where,
            doubt=doubt,
            secrets=self._secrets,
        )
        if response.is_success or reply.status in tolerated:
            return reply
        raise _refusal(reply, response.headers, doubt)

    def _chunks(self, response: httpx.Response, deadline: float) -> Generator[bytes]:
        packed = response.headers.get("content-encoding", "identity")
        if packed != "identity":
            raise _Shapeless(f"packed as {packed[:20]!r}, which was not asked for")
        size = 0
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > REPLY_BYTES_MAX:
                raise _Shapeless(f"the reply is over {REPLY_BYTES_MAX} bytes; is `url` right?")
            if self._clock() > deadline:
                raise _Shapeless(f"the reply has not ended within {self._timeout_s:g} s")
            yield chunk

    def _in_words(self, error: Exception) -> str:
        match error:
            case _Shapeless():
                return str(error)
            case httpx.TimeoutException():
                return (
                    f"does not answer within {self._timeout_s:g} s; see whether it hangs, or "
                    "raise `timeout_s`"
                )
            case httpx.ConnectError():
                return f"cannot be reached: {error}; is it running, and `url` right?"
            case _:
                return f"breaks off: {type(error).__name__}; does HTTP run there?"


class Bearer(httpx.Auth):
    """Shows a token with each request, and nowhere else."""

    def __init__(
        self, token: str, *, header: str = "authorization", scheme: str = "Bearer "
    ) -> None:
        self._header, self._value = header, f"{scheme}{token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the header."""
        request.headers[self._header] = self._value
        yield request


def segment(name: str) -> str:
    """Return a name as one part of a path. Raises ConnectorError for one that cannot be."""
    if not name or name in {".", ".."}:
        raise ConnectorError(f"expected a name as target, got {name!r}")
    return quote(name, safe="")


def _trust(section: Section, options: HttpOptions) -> ssl.SSLContext | bool:
    if not options.ca_file:
        # Reading all of the system's certificates takes 0.1 s; redirects are not followed.
        return options.url.startswith("https:")
    try:
        return ssl.create_default_context(cafile=options.ca_file)
    except OSError as error:
        raise SettingsError(
            f"{section.where}: connector {section.name}: `ca_file` {options.ca_file!r} should hold "
            f"certificates (PEM): {error}"
        ) from error


def _refusal(reply: Reply, headers: httpx.Headers, doubt: type[ConnectorError]) -> ConnectorError:
    status, wait_s = reply.status, _retry_after_s(headers.get("retry-after", ""))
    if status in _REFUSED:
        return ConnectorError(
            f"{reply.where}: credentials refused (status {status}): set those of this connector "
            "in the connectors file"
        )
    said = f"{reply.where}: refuses with status {status}: {reply.text()}"
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return doubt(said, retry_after_s=wait_s)
    if httpx.codes.is_redirect(status):
        said += "; set `url` to where it answers"
    return ConnectorError(said, retry_after_s=wait_s)


def _retry_after_s(text: str) -> float | None:
    """Read seconds; a date is left to the runner's own pace."""
    text = text.strip()
    return min(float(text[:9]), _RETRY_AFTER_S_MAX) if text.isascii() and text.isdigit() else None
