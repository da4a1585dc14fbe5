"""Spans from the table that the Collector's ClickHouse exporter writes: ``otel_traces``.

One row is one span; rows are read by the time a span started. All attribute values are text there.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Final, NoReturn

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.httputil import get_pool_manager_options
from urllib3 import BaseHTTPResponse, PoolManager

from graphmind.errors import SettingsError, SourceError
from graphmind.sources import PullSource, PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.columns import SpanColumns
from graphmind_loaders.pull.address import Address, address_of
from graphmind_loaders.pull.options import HttpOptions, read_options
from graphmind_loaders.records import MISSHAPEN, sample
from graphmind_loaders.span import Event, Link, Span
from graphmind_loaders.values import text_of

_GROUP_SPANS = 4096  # chosen: spans made into columns at a time
_TABLE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?", re.ASCII)
_REFUSED: Final = frozenset({192, 193, 194, 497, 516})
"""ClickHouse's errors of unknown users, wrong passwords and missing rights."""
_NO_TABLE: Final = frozenset({60, 81})
_MESSAGE_CHARS_MAX = 300  # chosen: the server's own words, in a line of log

_QUERY = """
SELECT
    TraceId, SpanId, ParentSpanId, SpanName, toUnixTimestamp64Nano(Timestamp) AS StartNs, Duration,
    SpanAttributes, ResourceAttributes, ServiceName, SpanKind, StatusCode, StatusMessage,
    TraceState, ScopeName,
    arrayMap(time -> toUnixTimestamp64Nano(time), Events.Timestamp) AS EventNs,
    Events.Name, Events.Attributes, Links.TraceId, Links.SpanId
FROM {table}
WHERE Timestamp >= fromUnixTimestamp64Nano({{from_ns:Int64}})
    AND Timestamp < fromUnixTimestamp64Nano({{until_ns:Int64}})
"""


class ClickHouseOptions(HttpOptions, frozen=True, kw_only=True):
    """Options of kind clickhouse; ``reply_bytes_max`` has no meaning: rows are streamed."""

    table: str = "otel_traces"
    """The table, with its database if that is not the user's own: ``otel.otel_traces``."""


class ClickHouse:
    """One table of a ClickHouse; connects at the first pull, and anew after a failure."""

    def __init__(self, config: SourceConfig, connect: Callable[[], Client] | None = None) -> None:
        """Raise SettingsError for an address or a table name that cannot be used."""
        self.config = config
        options = read_options(config, ClickHouseOptions)
        if not _TABLE.fullmatch(options.table):
            raise SettingsError(
                f"source {config.name!r}: expected `table` as name or database.name, "
                f"got {options.table!r}"
            )
        self._address = address_of(config)
        quoted = ".".join(f"`{part}`" for part in options.table.split("."))
        self._table, self._query = options.table, _QUERY.format(table=quoted)
        self._connect = connect or (lambda: _connect(config, self._address, options.ca_file))
        self._client: Client | None = None

    def pull(self, window: PullWindow, rejected: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the spans that started within the window."""
        columns = SpanColumns(rejected)
        rows = self._rows({"from_ns": window.from_ns, "until_ns": window.until_ns})
        spans = _spans(rows, rejected)
        while group := list(islice(spans, _GROUP_SPANS)):
            yield from columns.add(group)
        yield from columns.rest()

    def close(self) -> None:
        """Release the connection."""
        if self._client is not None:
            with suppress(ClickHouseError, OSError):
                self._client.close()
            self._client = None

    def _rows(self, parameters: dict[str, int]) -> Iterator[tuple[Any, ...]]:
        try:
            if self._client is None:
                self._client = self._connect()
            with self._client.query_row_block_stream(self._query, parameters=parameters) as blocks:
                for block in blocks:
                    yield from block
        except ClickHouseError as error:
            self.close()
            self._refuse(error)
        # What is no answer of a ClickHouse fails anywhere in the driver's decoding.
        except (OSError, ValueError, LookupError, ArithmeticError, MemoryError) as error:
            self.close()
            self._refuse(error)

    def _refuse(self, error: Exception) -> NoReturn:
        code = getattr(error, "code", None)
        words = self._address.blotted(" ".join(str(error).split()))[:_MESSAGE_CHARS_MAX]
        if code in _REFUSED:
            words = (
                f"credentials refused or expired (code {code}): "
                "set `token` (user:password), `token_env` or `token_file` of this source"
            )
        elif code in _NO_TABLE:
            words = f"no table {self._table!r}: set `table` to where the Collector writes; {words}"
        elif code is None:
            words = f"does not answer as a ClickHouse: {words}; is `url` its HTTP port (8123)?"
        raise SourceError(
            f"source {self.config.name} (clickhouse, {self._address.url}): {words}"
        ) from None


def open_source(config: SourceConfig) -> PullSource:
    """Open a ClickHouse; nothing is asked before the first pull."""
    return ClickHouse(config)


class _OneServer(PoolManager):
    """Connections that are never sent on to another server."""

    def urlopen(self, method: str, url: str, **parts: Any) -> BaseHTTPResponse:  # type: ignore[override]  # all by keyword
        return super().urlopen(method, url, **{**parts, "redirect": False})


def _connect(config: SourceConfig, address: Address, ca_file: str) -> Client:
    secure = address.url.scheme == "https"
    return clickhouse_connect.get_client(
        host=address.url.host,
        port=address.url.port or (443 if secure else 80),
        secure=secure,
        username=address.user or None,
        password=address.password,
        access_token=address.bearer or None,
        headers=dict(config.headers),
        proxy_path=address.url.path.strip("/"),
        pool_mgr=_OneServer(**get_pool_manager_options(ca_cert=ca_file or None, retries=0)),
        connect_timeout=config.timeout_s,
        send_receive_timeout=config.timeout_s,
        query_retries=0,
        autogenerate_session_id=False,
    )


def _spans(rows: Iterable[tuple[Any, ...]], rejected: Rejections) -> Iterator[Span]:
    resources: dict[tuple[Any, ...], dict[str, str | None]] = {}
    for row in rows:
        try:
            yield _span(row, resources)
        except (ValueError, TypeError, AttributeError) as error:
            rejected.add(MISSHAPEN, f"{error}: {sample(row)}")


def _span(row: tuple[Any, ...], resources: dict[tuple[Any, ...], dict[str, str | None]]) -> Span:
    (trace_id, span_id, parent_id, name, start_ns, duration_ns, attributes, resource, service,
     kind, status, message, trace_state, scope, event_times, event_names, event_attributes,
     link_traces, link_spans) = row  # fmt: skip
    own = _texts(resource)
    if service:
        own.setdefault("service.name", service)
    # Spans of one process share one object, so that it is encoded once.
    own = resources.setdefault(tuple(sorted(own.items())), own)
    return Span(
        trace_id,
        span_id,
        parent_id,
        name,
        start_ns,
        start_ns + duration_ns,
        _texts(attributes),
        own,
        _KINDS.get(kind, 0),
        _STATUSES.get(status, 0),
        message or None,
        trace_state or None,
        scope or None,
        tuple(
            Event(event, time_ns, _texts(values))
            for event, time_ns, values in zip(
                event_names, event_times, event_attributes, strict=True
            )
        ),
        tuple(Link(*ids) for ids in zip(link_traces, link_spans, strict=True)),
    )


def _texts(values: dict[str, Any]) -> dict[str, str | None]:
    return {key: text_of(value) for key, value in values.items()}


def _spellings(prefix: str, names: str) -> dict[str, int]:
    """Number the names of an enumeration, in the spelling of either age of the exporter."""
    numbers: dict[str, int] = {}
    for number, word in enumerate(names.split()):
        numbers |= {word: number, f"{prefix}_{word.upper()}": number}
    return numbers


_KINDS = _spellings("SPAN_KIND", "Unspecified Internal Server Client Producer Consumer")
_STATUSES = _spellings("STATUS_CODE", "Unset Ok Error")
