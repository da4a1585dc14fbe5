"""Traces of a Jaeger query service: api_v3 in either spelling, else the API of its old UI.

Which one answers is found out once and remembered until it fails. A search gives whole traces
that have a span of the service within the window.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec
import pyarrow as pa

from graphmind.errors import SourceError
from graphmind.sources import PullSource, PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders import jaeger, otlp_json
from graphmind_loaders.pull.client import Client, Params, Reply
from graphmind_loaders.pull.options import Count, HttpOptions, read_options
from graphmind_loaders.pull.windows import Page, pages, trace_ids, unseen

_US_NS, _SECOND_NS = 1000, 10**9
_ABSENT = frozenset({400, 404, 405, 501})
"""Statuses by which servers say that they have no such API, or spell its words differently."""


class JaegerOptions(HttpOptions, frozen=True, kw_only=True):
    """Options of kind jaeger."""

    services: tuple[str, ...] = ()
    """Only these; empty: all that the server lists."""
    limit: Count = 500  # chosen: a few MB of JSON
    """Traces asked for at a time; more make the window be cut."""


class _Services(msgspec.Struct, frozen=True):
    services: list[str] | None = None
    data: list[str] | None = None


class _NothingFound(msgspec.Struct, frozen=True):
    """How api_v3 says, with status 404, that no trace matched."""

    error: dict[str, int | str]


class _ApiV3(msgspec.Struct, frozen=True):
    """api_v3, with the names of its parameters."""

    service: str
    start_min: str
    start_max: str
    depth: str
    raw: str

    def services(self, client: Client) -> list[str] | None:
        reply = client.get("api/v3/services", tolerated=_ABSENT)
        return _listed(reply)

    def search(
        self, client: Client, service: str, window: PullWindow, limit: int
    ) -> tuple[Reply | None, bool]:
        """Return the reply (None: nothing matched), and whether this API is there."""
        parameters: Params = {
            self.service: service,
            self.start_min: _rfc3339(window.from_ns),
            self.start_max: _rfc3339(window.until_ns - 1),
            self.depth: limit,
            # As they were sent: Jaeger moves times by its guess of clock skew, and adds warnings.
            self.raw: "true",
        }
        reply = client.get("api/v3/traces", parameters, tolerated={400, 404})
        if reply.status == 404:
            reply.read_as(_NothingFound)
        return (reply if reply.status == 200 else None), reply.status != 400

    def read(self, reply: Reply, rejected: Rejections) -> Iterator[pa.RecordBatch]:
        return otlp_json.read(io.BytesIO(reply.content), rejected)


class _Legacy(msgspec.Struct, frozen=True):
    """The API that the old UI used."""

    def services(self, client: Client) -> list[str] | None:
        return _listed(client.get("api/services", tolerated=_ABSENT))

    def search(
        self, client: Client, service: str, window: PullWindow, limit: int
    ) -> tuple[Reply | None, bool]:
        parameters: Params = {
            "service": service,
            "start": window.from_ns // _US_NS,
            "end": (window.until_ns - 1) // _US_NS,
            "limit": limit,
            "raw": "true",
        }
        return client.get("api/traces", parameters), True

    def read(self, reply: Reply, rejected: Rejections) -> Iterator[pa.RecordBatch]:
        return jaeger.read(io.BytesIO(reply.content), rejected)


_Api = _ApiV3 | _Legacy

_CAMEL = _ApiV3(
    "query.serviceName",
    "query.startTimeMin",
    "query.startTimeMax",
    "query.searchDepth",
    "query.rawTraces",
)
# Before 2.19.
_SNAKE = _ApiV3(
    "query.service_name",
    "query.start_time_min",
    "query.start_time_max",
    "query.num_traces",
    "query.raw_traces",
)
APIS: Sequence[_Api] = (_CAMEL, _SNAKE, _Legacy())


class Jaeger:
    """One Jaeger, asked by whichever of its APIs answers."""

    def __init__(self, config: SourceConfig, apis: Sequence[_Api] = APIS) -> None:
        self.config = config
        self._apis = apis
        self._options = read_options(config, JaegerOptions)
        self._client = Client(config, self._options)
        self._api: _Api | None = None

    def pull(self, window: PullWindow, rejected: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the traces of each service; one seen under another service is not repeated."""
        seen: set[str] = set()
        try:
            for service in self._services():
                for batches in self._of_service(service, window, rejected):
                    yield from unseen(batches, seen)
        except SourceError:
            self._api = None
            raise

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _services(self) -> list[str]:
        for api in [self._api] if self._api else self._apis:
            found = api.services(self._client)
            if found is not None:
                self._api = api
                return [name for name in found if self._is_wanted(name)]
        raise SourceError(
            f"{self._client.where}: neither api/v3/services nor api/services is there; "
            "is `url` the address of Jaeger's query service (port 16686), with its base path?"
        )

    def _is_wanted(self, service: str) -> bool:
        return not self._options.services or service in self._options.services

    def _of_service(
        self, service: str, window: PullWindow, rejected: Rejections
    ) -> Iterator[list[pa.RecordBatch]]:
        def read(part: PullWindow) -> Page[list[pa.RecordBatch]]:
            api, reply = self._search(service, part)
            batches = list(api.read(reply, rejected)) if reply else []
            return Page(found=batches, full=len(trace_ids(batches)) >= self._options.limit)

        # The old API tells microseconds apart.
        return pages(window, read, step_ns=_US_NS, rejected=rejected)

    def _search(self, service: str, window: PullWindow) -> tuple[_Api, Reply | None]:
        """Ask the API that listed the services; where it lacks the search, those after it."""
        first = self._apis.index(self._api) if self._api else 0
        for api in self._apis[first:]:
            reply, is_there = api.search(self._client, service, window, self._options.limit)
            if is_there:
                self._api = api
                return api, reply
        raise SourceError(
            f"{self._client.where}: api/v3/services is there, but no search for traces"
        )


def open_source(config: SourceConfig) -> PullSource:
    """Open a Jaeger; nothing is asked before the first pull."""
    return Jaeger(config)


def _listed(reply: Reply) -> list[str] | None:
    """Return the services listed; None where the answer is of no such API.

    Servers without an API often answer its path with the page of their UI.
    """
    if reply.status in _ABSENT or reply.content.lstrip()[:1] != b"{":
        return None
    listed = reply.read_as(_Services)
    return sorted(set(listed.services or listed.data or ()))


def _rfc3339(time_ns: int) -> str:
    second, fraction = divmod(time_ns, _SECOND_NS)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"
