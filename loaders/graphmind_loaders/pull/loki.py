"""Log records of a Grafana Loki, in the order of time, page by page.

A page may end among records of one time. The next one begins with that time again, and what came
already is dropped.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from graphmind.errors import SourceError
from graphmind.sources import PullSource, PullWindow, SourceConfig
from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.spans import ATTRIBUTES
from graphmind_loaders.pull.client import Client, Params, Reply
from graphmind_loaders.pull.log_line import fields_of, ids_of, message_of, severity_of
from graphmind_loaders.pull.options import Count, HttpOptions, read_options
from graphmind_loaders.pull.windows import NARROW, Page
from graphmind_loaders.records import MISSHAPEN, read_as, sample
from graphmind_loaders.values import INT64_MAX, text_of

LIMIT_MAX: Final = 100_000  # chosen: records of one nanosecond; more are a fault of a clock

_CATEGORIZED: Final = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}

Texts = dict[str, str | None]


class LokiOptions(HttpOptions, frozen=True, kw_only=True):
    """Options of kind loki."""

    query: str = '{service_name=~".+"}'
    """LogQL that selects lines; at least one matcher may not match the empty label."""
    limit: Count = 5000  # Loki's own limit where it is not raised (max_entries_limit_per_query)
    """Lines asked for at a time."""
    tenant: str = ""
    """Sent as ``X-Scope-OrgID``."""


class _Stream(msgspec.Struct, frozen=True):
    stream: dict[str, str] = {}
    values: list[Any] = []


class _Found(msgspec.Struct, frozen=True, rename="camel"):
    result_type: str
    result: list[Any] = []


class _Reply(msgspec.Struct, frozen=True):
    data: _Found


class _Entry(NamedTuple):
    time_ns: int
    line: str
    labels: tuple[tuple[str, str | None], ...]
    """Of the stream."""
    attributes: tuple[tuple[str, str | None], ...]
    """Structured metadata, and what the query parsed."""


class Loki:
    """One Loki, read by one query."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self._options = read_options(config, LokiOptions)
        self._client = Client(config, self._options)
        tenant = self._options.tenant
        self._headers = _CATEGORIZED | ({"X-Scope-OrgID": tenant} if tenant else {})

    def pull(self, window: PullWindow, rejected: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the lines of the window."""
        for entries in self._pages(window, rejected):
            if entries:
                yield _batch(entries)

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _pages(self, window: PullWindow, rejected: Rejections) -> Iterator[list[_Entry]]:
        start_ns, limit = window.from_ns, self._options.limit
        came: set[_Entry] = set()
        while start_ns < window.until_ns:
            part = PullWindow(from_ns=start_ns, until_ns=window.until_ns)
            page = self._page(part, limit, rejected)
            if page is None:
                rejected.add(NARROW, f"{start_ns} ns")
                start_ns, limit, came = start_ns + 1, self._options.limit, set()
                continue
            yield [entry for entry in page.found if entry not in came]
            if not page.full:
                return
            last_ns = page.found[-1].time_ns
            if last_ns > start_ns:
                start_ns, limit = last_ns, self._options.limit
                came = {entry for entry in page.found if entry.time_ns == last_ns}
            else:
                came |= set(page.found)
                limit *= 2

    def _page(
        self, part: PullWindow, limit: int, rejected: Rejections
    ) -> Page[list[_Entry]] | None:
        """Return the first lines of a window, by time; None where so many are not allowed."""
        if limit > LIMIT_MAX:
            return None
        asked: Params = {
            "query": self._options.query,
            "start": part.from_ns,
            "end": part.until_ns,
            "limit": limit,
            "direction": "forward",
        }
        enlarged = limit > self._options.limit
        reply = self._client.get(
            "loki/api/v1/query_range",
            asked,
            headers=self._headers,
            tolerated={400} if enlarged else (),
        )
        if reply.status == 400:
            return None
        streams = self._streams(reply, rejected)
        full = sum(len(stream.values) for stream in streams) >= limit
        entries = (entry for stream in streams for entry in _entries(stream, rejected))
        found = sorted(
            (entry for entry in entries if part.from_ns <= entry.time_ns < part.until_ns),
            key=lambda entry: entry.time_ns,
        )
        if full and not found:
            raise SourceError(f"{reply.where}: none of {limit} records can be read")
        return Page(found=found, full=full)

    def _streams(self, reply: Reply, rejected: Rejections) -> list[_Stream]:
        found = reply.read_as(_Reply).data
        if found.result_type != "streams":
            raise SourceError(
                f"{self._client.where}: `query` should select lines, but it gives a "
                f"{found.result_type[:20]}; take the function around the selector away"
            )
        read = (read_as(one, _Stream, rejected) for one in found.result)
        return [stream for stream in read if stream is not None]


def open_source(config: SourceConfig) -> PullSource:
    """Open a Loki; nothing is asked before the first pull."""
    return Loki(config)


def _entries(stream: _Stream, rejected: Rejections) -> Iterator[_Entry]:
    labels = tuple(sorted(stream.stream.items()))
    for value in stream.values:
        try:
            yield _entry(value, labels)
        except (ValueError, TypeError) as error:
            rejected.add(MISSHAPEN, f"{error}: {sample(value)}")


def _entry(value: Any, labels: tuple[tuple[str, str | None], ...]) -> _Entry:
    time, line, *more = value
    time_ns = int(time)
    if not isinstance(line, str) or not 0 <= time_ns <= INT64_MAX:
        raise ValueError("expected [time in ns, line]")
    said: Texts = {}
    for place in ("structuredMetadata", "parsed"):
        named = msgspec.convert(more[0].get(place) or {}, dict[str, Any]) if more else {}
        said |= {key: text_of(text) for key, text in named.items()}
    return _Entry(time_ns, line, labels, tuple(sorted(said.items())))


def _batch(entries: Iterable[_Entry]) -> pa.RecordBatch:
    resources: dict[tuple[tuple[str, str | None], ...], int] = {}
    codes, rows = [], []
    for entry in entries:
        codes.append(resources.setdefault(entry.labels, len(resources)))
        rows.append(_row(entry))
    columns: list[pa.Array] = []
    for field in LOGS:
        if field.name == "resource":
            values = pa.array([list(labels) for labels in resources], ATTRIBUTES)
            codes_array = pa.array(codes, pa.int32())
            columns.append(pa.DictionaryArray.from_arrays(codes_array, values))
        else:
            columns.append(pa.array([row.get(field.name) for row in rows], field.type))
    return pa.RecordBatch.from_arrays(columns, schema=LOGS)


def _row(entry: _Entry) -> dict[str, Any]:
    fields = fields_of(entry.line)
    labels, said = dict(entry.labels), dict(entry.attributes)
    # What Loki or the query made of the line goes before what we read in it.
    attributes = fields | said
    trace_id, span_id = ids_of(attributes, labels)
    return {
        "time_ns": entry.time_ns,
        "severity": severity_of(fields, said, labels),
        "body": message_of(entry.line, fields),
        "trace_id": trace_id,
        "span_id": span_id,
        "attributes": list(attributes.items()),
    }
