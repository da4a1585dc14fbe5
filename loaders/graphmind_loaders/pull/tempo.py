"""Traces of a Grafana Tempo: a search for ids, then each trace as protobuf.

Its JSON writes ids in base64; protobuf has one dialect. A trace that a search named but that is
not found yet comes with a later pull.
"""

import io
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

import msgspec
import pyarrow as pa

from graphmind.sources import PullSource, PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders import otlp_proto
from graphmind_loaders.pull.client import Client, Params, Reply
from graphmind_loaders.pull.options import Count, HttpOptions, read_options
from graphmind_loaders.pull.windows import SECOND_NS, Page, pages

UNKNOWN: Final = "trace found by search but not by id"
"""Reason: Tempo answers an id it does not know (yet) with an empty trace."""

_PROTOBUF: Final = {"accept": "application/protobuf"}
_KEPT_MAX: Final = 100_000  # chosen: traces remembered as read, about 30 MB


class TempoOptions(HttpOptions, frozen=True, kw_only=True):
    """Options of kind tempo."""

    query: str = "{}"
    """TraceQL that selects traces."""
    limit: Count = 1000  # chosen: ids only, so a small reply
    """Ids asked for at a time; more make the window be cut."""


class _Service(msgspec.Struct, frozen=True, rename="camel"):
    span_count: int = 0


class _Found(msgspec.Struct, frozen=True, rename="camel"):
    trace_id: str = msgspec.field(name="traceID")
    service_stats: dict[str, _Service] = {}

    @property
    def spans(self) -> int:
        """How many spans Tempo holds of the trace; 0 where it does not say (before 2.5)."""
        return sum(service.span_count for service in self.service_stats.values())


class _Search(msgspec.Struct, frozen=True):
    traces: list[_Found] = []


class Tempo:
    """One Tempo."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self._options = read_options(config, TempoOptions)
        self._client = Client(config, self._options)
        self._kept = _Kept()

    def pull(self, window: PullWindow, rejected: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the traces with a span that matches the query in the window.

        A trace is not read again while Tempo counts as many spans in it as when it was read by a
        pull that is known to be kept: its window ended where this one's overlap does, or before.
        """
        kept_until_ns = window.from_ns + int(self.config.overlap_s * SECOND_NS)
        asked: set[str] = set()
        for found in pages(window, self._search, step_ns=SECOND_NS, rejected=rejected):
            for trace in found:
                if trace.trace_id in asked or self._kept.is_same(trace, kept_until_ns):
                    continue
                asked.add(trace.trace_id)
                batches = list(self._trace(trace.trace_id, rejected))
                if batches:
                    yield from batches
                    self._kept.add(trace, window.until_ns)
                else:
                    rejected.add(UNKNOWN, trace.trace_id)

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _search(self, window: PullWindow) -> Page[list[_Found]]:
        asked: Params = {
            "q": self._options.query,
            "start": window.from_ns // SECOND_NS,
            "end": -(-window.until_ns // SECOND_NS),
            "limit": self._options.limit,
            "spss": 1,
        }
        found = self._client.get("api/search", asked).read_as(_Search).traces
        return Page(found=found, full=len(found) >= self._options.limit)

    def _trace(self, trace_id: str, rejected: Rejections) -> Iterator[pa.RecordBatch]:
        reply = self._client.get(f"api/v2/traces/{trace_id}", headers=_PROTOBUF, tolerated={404})
        if reply.status == 404:  # before 2.7 there is no v2; on v1 an unknown id is not found
            reply = self._client.get(f"api/traces/{trace_id}", headers=_PROTOBUF, tolerated={404})
        if reply.status == 404:
            return
        yield from otlp_proto.read(io.BytesIO(_protobuf(reply)), rejected)


def _protobuf(reply: Reply) -> bytes:
    """Return the message, empty where it holds no trace (field 1) but only figures (2 to 4).

    Raises SourceError where JSON or a page came instead.
    """
    if reply.content[:1] in {b"\x12", b"\x18", b"\x22"}:
        return b""
    if reply.content[:1] not in {b"", b"\n"}:
        reply.refuse("protobuf")
    return reply.content


class _Kept:
    """Which traces were read, how large they were, and by a pull until when."""

    def __init__(self) -> None:
        self._read: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def is_same(self, trace: _Found, kept_until_ns: int) -> bool:
        spans, until_ns = self._read.get(trace.trace_id, (0, 0))
        return 0 < spans == trace.spans and until_ns <= kept_until_ns

    def add(self, trace: _Found, until_ns: int) -> None:
        self._read[trace.trace_id] = (trace.spans, until_ns)
        self._read.move_to_end(trace.trace_id)
        if len(self._read) > _KEPT_MAX:
            self._read.popitem(last=False)


def open_source(config: SourceConfig) -> PullSource:
    """Open a Tempo; nothing is asked before the first pull."""
    return Tempo(config)
