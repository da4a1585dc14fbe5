"""HTTP to one telemetry server: bounded in time and size, every failure a SourceError in words.

What a server answers is not trusted: it may be endless, compressed a thousandfold, of another
kind, or send us elsewhere. Secrets stand in headers alone and are blotted out of every message.
"""

import ssl
import time
import zlib
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeVar

import httpx
import msgspec

from graphmind.errors import SettingsError, SourceError
from graphmind.sources import SourceConfig
from graphmind_loaders.pull.address import Address, address_of
from graphmind_loaders.pull.options import HttpOptions
from graphmind_loaders.pull.retry_after import retry_after_s

T = TypeVar("T")
Params = Mapping[str, str | int]

_REDIRECTS_MAX = 3  # chosen: a path that moved, never a chain
_TEXT_CHARS_MAX = 200  # chosen: a server's own words, in a line of log
_EXPAND_BYTES = 2**16  # what a compressed chunk may become at a time
_DEADLINES = 6.0  # chosen: a whole reply may take so many times the pause allowed within it
_GZIP_WBITS = 31
_BUSY: Final = frozenset({429, 503})
_REFUSED: Final = frozenset({401, 403})


class ReplyTooLarge(SourceError):  # noqa: N818 - reads as the state it reports
    """The reply is over the limit: less should be asked for at a time."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a server answered."""

    status: int
    content: bytes
    where: str
    """How messages call the request."""
    address: Address = field(repr=False)
    """Of the server: a reply may repeat what it was asked with."""

    def json(self) -> Any:
        """Parse the body; raises SourceError where it is not JSON."""
        return self.read_as(object)

    def read_as(self, kind: type[T]) -> T:
        """Decode the body as JSON of that type; raises SourceError where it is another."""
        try:
            return msgspec.json.decode(self.content, type=kind, strict=False)
        except msgspec.ValidationError as error:
            raise SourceError(f"{self.where}: JSON of another shape came: {error}") from error
        except (ValueError, RecursionError):
            self.refuse("JSON")

    def refuse(self, expected: str) -> NoReturn:
        """Raise SourceError: something else than expected came."""
        raise SourceError(
            f"{self.where}: expected {expected}, but the answer starts {self.text()!r}; "
            "is `url` the address of its API?"
        ) from None

    def text(self) -> str:
        """Return the start of the body as text, on one line, without our secrets."""
        head = self.content[: 4 * _TEXT_CHARS_MAX].decode("utf-8", "replace")
        return self.address.blotted(" ".join(head.split()))[:_TEXT_CHARS_MAX]


class Client:
    """Asks the server of one source. For one thread at a time."""

    def __init__(
        self,
        config: SourceConfig,
        options: HttpOptions | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raise SettingsError for a URL or a certificate file that cannot be used."""
        options = options or HttpOptions()
        self._address = address_of(config)
        self._reply_bytes_max = options.reply_bytes_max
        self._deadline_s = _DEADLINES * config.timeout_s
        self._timeout_s = config.timeout_s
        self._clock = clock
        self.where = f"source {config.name} ({config.kind}, {self._address.url})"
        """How messages call the server; without secrets."""
        self._http = httpx.Client(
            headers={"user-agent": "graphmind", **config.headers, "accept-encoding": "gzip"},
            auth=_authorization(self._address),
            timeout=config.timeout_s,
            verify=_trust(config, self._address, options.ca_file),
            follow_redirects=False,
        )

    def close(self) -> None:
        """Release connections."""
        self._http.close()

    def get(
        self,
        path: str,
        params: Params | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        tolerated: Collection[int] = (),
    ) -> Reply:
        """GET a path below the source's URL.

        Only statuses 2xx and ``tolerated`` return. Raises SourceError for all else, with
        ``retry_after_s`` where the server said when; ReplyTooLarge for a reply over the limit.
        """
        request = self._request("GET", path, params=params, headers=headers)
        return self._send(request, tolerated)

    def post(
        self,
        path: str,
        *,
        form: Params | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        tolerated: Collection[int] = (),
    ) -> Reply:
        """POST a form or JSON to a path below the source's URL, as ``get`` does."""
        request = self._request("POST", path, data=form, json=json, headers=headers)
        return self._send(request, tolerated)

    def _request(self, method: str, path: str, **parts: Any) -> httpx.Request:
        base = str(self._address.url).rstrip("/")
        return self._http.build_request(method, f"{base}/{path.lstrip('/')}", **parts)

    def _send(self, request: httpx.Request, tolerated: Collection[int]) -> Reply:
        where = f"{self.where} {request.method} {request.url.path}"
        reply, headers = self._ask(request, where)
        if 200 <= reply.status < 300 or reply.status in tolerated:
            return reply
        error = _refusal(reply.status, reply.text(), headers)
        raise SourceError(f"{where}: {error}", retry_after_s=error.retry_after_s)

    def _ask(self, request: httpx.Request, where: str) -> tuple[Reply, httpx.Headers]:
        """Send, follow moves within the server, and read the reply within its bounds."""
        deadline = self._clock() + self._deadline_s
        for _ in range(_REDIRECTS_MAX + 1):
            try:
                response = self._http.send(request, stream=True)
                try:
                    if response.next_request is None:
                        content = b"".join(self._chunks(response, deadline, where))
                        reply = Reply(
                            status=response.status_code,
                            content=content,
                            where=where,
                            address=self._address,
                        )
                        return reply, response.headers
                    request = self._moved(request, response.next_request, where)
                finally:
                    response.close()
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise SourceError(
                    self._address.blotted(f"{where}: {self._in_words(error)}")
                ) from error
        raise SourceError(f"{where}: sends us on and on; set `url` to where it answers")

    def _moved(self, asked: httpx.Request, onward: httpx.Request, where: str) -> httpx.Request:
        """Return where to ask next, if that is the same server; credentials go nowhere else."""
        old, new = asked.url, onward.url
        if (old.scheme, old.host, old.port) != (new.scheme, new.host, new.port):
            place = new.copy_with(userinfo=b"", query=None, fragment=None, path="/")
            raise SourceError(
                f"{where}: sends us to another server, {place}, which is not followed; "
                "set `url` to it if that is right"
            )
        return onward

    def _chunks(self, response: httpx.Response, deadline: float, where: str) -> Iterator[bytes]:
        size = 0
        for chunk in _expanded(response, where):
            size += len(chunk)
            if size > self._reply_bytes_max:
                raise ReplyTooLarge(
                    f"{where}: the reply is over {self._reply_bytes_max} bytes; "
                    "lower its `limit` or raise `reply_bytes_max`"
                )
            if self._clock() > deadline:
                raise SourceError(
                    f"{where}: the reply has not ended after {self._deadline_s:g} s; "
                    "raise `timeout_s` if it is that slow"
                )
            yield chunk

    def _in_words(self, error: Exception) -> str:
        if _is_caused_by(error, ssl.SSLError):
            return f"TLS failed: {error}; set `ca_file` to the certificate it should show"
        if isinstance(error, httpx.TimeoutException):
            return f"does not answer within {self._timeout_s:g} s"
        if isinstance(error, httpx.ConnectError):
            return f"does not answer: {error}; is it running, and `url` right?"
        return f"breaks off: {error or type(error).__name__}"


def _trust(config: SourceConfig, address: Address, ca_file: str) -> ssl.SSLContext | bool:
    if not ca_file:
        # Reading all of the system's certificates takes 0.1 s; plain HTTP stays plain (`_moved`).
        return address.url.scheme == "https"
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise SettingsError(
            f"source {config.name!r}: `ca_file` {ca_file!r} should hold certificates (PEM): {error}"
        ) from error


def _authorization(address: Address) -> httpx.Auth | None:
    if address.bearer:
        return _Bearer(address.bearer)
    return httpx.BasicAuth(address.user, address.password) if address.user else None


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["authorization"] = f"Bearer {self._token}"
        yield request


def _refusal(status: int, text: str, headers: httpx.Headers) -> SourceError:
    if status in _REFUSED:
        return SourceError(
            f"credentials refused or expired (status {status}): "
            "set `token`, `token_env` or `token_file` of this source"
        )
    if status in _BUSY:
        wait_s = retry_after_s(headers.get("retry-after", ""), time.time())
        later = "asks to wait" if wait_s is None else f"asks to wait {wait_s:g} s"
        return SourceError(f"{later} (status {status}): {text}", retry_after_s=wait_s)
    if status == httpx.codes.NOT_FOUND:
        return SourceError(f"nothing is there (status 404): {text}; is `url` right?")
    return SourceError(f"refuses with status {status}: {text}")


def _expanded(response: httpx.Response, where: str) -> Iterator[bytes]:
    """Yield the body, unpacked in small pieces: a bomb is noticed before it bursts."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        yield from response.iter_raw()
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise SourceError(f"{where}: packed as {encoding[:20]!r}, which was not asked for")
    unpacking = zlib.decompressobj(wbits=_GZIP_WBITS)
    came = False
    try:
        for chunk in response.iter_raw():
            came, rest = True, chunk
            while rest:
                yield unpacking.decompress(rest, _EXPAND_BYTES)
                rest = unpacking.unconsumed_tail
        yield unpacking.flush()
    except zlib.error as error:
        raise SourceError(f"{where}: the gzip is broken: {error}") from error
    if came and not unpacking.eof:
        raise SourceError(f"{where}: the gzip is cut off")


def _is_caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False
