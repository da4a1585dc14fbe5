"""JSON over HTTP to a control plane; what every failure means for a repair is decided here.

A read that fails is a ConnectorError. A write that may have arrived is OutcomeUnknown: when the
connection breaks after the request went out, no answer comes in time, or the server fails (5xx).
"""

import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx
import msgspec

from graphmind.errors import SettingsError
from graphmind.repair.connector import ConnectorError, OutcomeUnknown
from graphmind.repair.connectors.calls import blotted

T = TypeVar("T")

REPLY_BYTES_MAX: Final = 64 * 2**20  # chosen: a list of all nodes of a large cluster is 20 MB
_TEXT_CHARS_MAX: Final = 200  # chosen: a server's own words, in a line of log
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_REFUSED: Final = frozenset({401, 403})
_BUSY: Final = frozenset({429, 503})


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a server answered."""

    status: int
    content: bytes
    where: str

    def read_as(self, kind: type[T]) -> T:
        """Decode the body as JSON of that type; raises ConnectorError where it is another."""
        try:
            return msgspec.json.decode(self.content, type=kind)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise ConnectorError(
                f"{self.where}: expected JSON of its API, but {error}; is `url` right?"
            ) from error


class Rest:
    """Asks one server. For one thread at a time."""

    def __init__(
        self,
        *,
        name: str,
        url: str,
        headers: Mapping[str, str],
        timeout_s: float,
        ca_file: str = "",
        secrets: Collection[str] = (),
    ) -> None:
        """Raise SettingsError for certificates that cannot be used.

        ``secrets`` are blotted out of what the server says.
        """
        self.where = f"{name} ({url})"
        self._timeout_s = timeout_s
        self._secrets = tuple(secrets)
        self._http = httpx.Client(
            base_url=url.rstrip("/") + "/",
            headers={"user-agent": "graphmind", "accept": "application/json", **headers},
            timeout=timeout_s,
            verify=_trust(ca_file, url, name),
            follow_redirects=False,
            trust_env=False,
        )

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Reply:
        """Read; raises ConnectorError for every status but 200."""
        return self._ask("GET", path, params=params, writes=False)

    def write(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        params: Mapping[str, str | int] | None = None,
        content_type: str = "application/json",
        writes: bool = True,
        tolerated: frozenset[int] = frozenset(),
    ) -> Reply:
        """Send JSON; only statuses 2xx and those tolerated return.

        ``writes`` is False for a dry run, of which nothing can be unknown.
        """
        return self._ask(
            method,
            path,
            params=params,
            writes=writes,
            tolerated=tolerated,
            content=msgspec.json.encode(body),
            headers={"content-type": content_type},
        )

    def close(self) -> None:
        """Release connections."""
        self._http.close()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        writes: bool,
        tolerated: frozenset[int] = frozenset(),
        **parts: Any,
    ) -> Reply:
        where = f"{self.where} {method} {path}"
        unknown = OutcomeUnknown if writes else ConnectorError
        try:
            with self._http.stream(method, path.lstrip("/"), **parts) as response:
                content = _bounded(response, where)
        except _NOT_SENT as error:
            raise ConnectorError(
                f"{where}: does not answer: {type(error).__name__}; is it running, `url` right?"
            ) from error
        except httpx.TimeoutException as error:
            raise unknown(f"{where}: no answer within {self._timeout_s:g} s") from error
        except httpx.HTTPError as error:
            raise unknown(f"{where}: the connection broke: {type(error).__name__}") from error
        if response.is_success or response.status_code in tolerated:
            return Reply(status=response.status_code, content=content, where=where)
        raise self._refusal(where, response, content, unknown)

    def _refusal(
        self, where: str, response: httpx.Response, content: bytes, unknown: type[ConnectorError]
    ) -> ConnectorError:
        status = response.status_code
        text = " ".join(content[: 4 * _TEXT_CHARS_MAX].decode("utf-8", "replace").split())
        said = f"{where}: status {status}: {blotted(text, self._secrets)[:_TEXT_CHARS_MAX]}"
        if status in _REFUSED:
            return ConnectorError(f"{where}: status {status}: credentials refused; set `token`")
        if status in _BUSY:
            after = response.headers.get("retry-after", "")
            return ConnectorError(said, retry_after_s=float(after) if after.isdecimal() else None)
        return unknown(said) if response.is_server_error else ConnectorError(said)


def _trust(ca_file: str, url: str, name: str) -> ssl.SSLContext | bool:
    if not ca_file:
        # Reading all of the system's certificates takes 0.1 s, which plain HTTP need not wait for.
        return url.startswith("https")
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise SettingsError(
            f"connector {name}: `ca_file` {ca_file!r} should hold certificates (PEM): {error}"
        ) from error


def _bounded(response: httpx.Response, where: str) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > REPLY_BYTES_MAX:
            raise OutcomeUnknown(f"{where}: the reply is over {REPLY_BYTES_MAX} bytes")
    return bytes(content)
