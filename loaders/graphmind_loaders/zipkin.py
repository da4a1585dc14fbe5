"""Zipkin v2 JSON: a list of spans, a list of traces, or one span a line.

Client and server of one call may share a span id in Zipkin; the server's half gets an id of its
own here, so that both stay, the server below the client.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.columns import SpanColumns
from graphmind_loaders.documents import values
from graphmind_loaders.records import NOT_TRACES, each, read_as, sample
from graphmind_loaders.shape import Path, key_paths
from graphmind_loaders.span import Event, Span
from graphmind_loaders.values import Microseconds, end_of, us_to_ns

name = "zipkin"

_GROUP_SPANS = 50_000  # chosen: spans among which the two halves of a call are looked for


class _Endpoint(msgspec.Struct, frozen=True, rename="camel"):
    service_name: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    port: int | None = None


class _Annotation(msgspec.Struct, frozen=True):
    timestamp: Microseconds | None = None
    value: str | None = None


class _Span(msgspec.Struct, frozen=True, rename="camel"):
    trace_id: str | None = None
    id: str | None = None
    parent_id: str | None = None
    name: str | None = None
    kind: str | None = None
    timestamp: Microseconds | None = None
    duration: Microseconds | None = None
    local_endpoint: _Endpoint = _Endpoint()
    remote_endpoint: _Endpoint = _Endpoint()
    tags: dict[str, str | None] = {}
    annotations: list[_Annotation] = []


_Key = tuple[str | None, str | None]
"""Trace id and span id."""

_Halves = dict[_Key, set[str | None]]
"""For each id that a client and a server share: the server's services."""


def recognises(head: bytes) -> bool:
    """Whether the head of a file is Zipkin v2 JSON."""
    paths = key_paths(head)
    return {("traceId",), ("id",)} <= paths and ("startTime",) not in paths


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[pa.RecordBatch]:
    """Yield batches of spans."""
    columns = SpanColumns(rejected)
    spans = (
        span
        for document in values(stream, rejected, _is_record)
        for span in _spans(document, rejected)
    )
    while group := list(islice(spans, _GROUP_SPANS)):
        halves = _shared_ids(group)
        yield from columns.add([_span_of(span, halves) for span in group])
    yield from columns.rest()


def _spans(document: Any, rejected: Rejections) -> Iterator[_Span]:
    for value in each(document):
        if not isinstance(value, dict) or value.keys().isdisjoint(_IDS):
            rejected.add(NOT_TRACES, sample(value))
        elif span := read_as(value, _Span, rejected):
            yield span


_IDS = {"traceId", "id"}


def _is_record(path: Path) -> bool:
    return path == ()


def _shared_ids(spans: Sequence[_Span]) -> _Halves:
    clients = {(span.trace_id, span.id) for span in spans if span.kind == "CLIENT"}
    halves: _Halves = {}
    for span in spans:
        key = (span.trace_id, span.id)
        if span.kind == "SERVER" and key in clients:
            halves.setdefault(key, set()).add(span.local_endpoint.service_name)
    return halves


def _server_half(trace_id: str | None, span_id: str | None) -> str:
    """Derive the id of a server's half: the same one in every load."""
    return hashlib.blake2b(f"{trace_id} {span_id} server".encode(), digest_size=8).hexdigest()


def _place(span: _Span, halves: _Halves) -> tuple[str | None, str | None]:
    """Return a span's id and its parent's, with shared ids made distinct."""
    if span.kind == "SERVER" and (span.trace_id, span.id) in halves:
        return _server_half(span.trace_id, span.id), span.id
    if span.local_endpoint.service_name in halves.get((span.trace_id, span.parent_id), ()):
        return span.id, _server_half(span.trace_id, span.parent_id)
    return span.id, span.parent_id


_KINDS = {"SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}


def _span_of(span: _Span, halves: _Halves) -> Span:
    span_id, parent_id = _place(span, halves)
    start_ns, error = us_to_ns(span.timestamp or None), span.tags.get("error")
    failed = error is not None and error != "false"
    service = span.local_endpoint.service_name
    return Span(
        span.trace_id,
        span_id,
        parent_id,
        span.name,
        start_ns,
        end_of(start_ns, us_to_ns(span.duration)),
        span.tags
        | _endpoint(span.local_endpoint, "network.local")
        | _endpoint(span.remote_endpoint, "network.peer"),
        {"service.name": service} if service else {},
        _KINDS.get(span.kind or "", 0),
        2 if failed else 0,
        (error or None) if failed else None,
        events=tuple(Event(note.value, us_to_ns(note.timestamp), {}) for note in span.annotations),
    )


def _endpoint(endpoint: _Endpoint, prefix: str) -> dict[str, str | None]:
    """Name an endpoint's parts as OpenTelemetry does; the remote service is the peer."""
    address, port = endpoint.ipv4 or endpoint.ipv6, endpoint.port
    named: dict[str, Any] = {
        f"{prefix}.address": address,
        f"{prefix}.port": str(port) if port else None,
        "peer.service": endpoint.service_name if prefix == "network.peer" else None,
    }
    return {key: value for key, value in named.items() if value}
