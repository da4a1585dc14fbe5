"""OTLP as protobuf: one message, a stream of length-prefixed ones, or Tempo's ``trace`` reply.

The Collector's file exporter writes each message after its length in four bytes, big-endian.
Messages are walked on the wire down to the spans, so that a broken one costs no other.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no stubs
from google.protobuf.unknown_fields import (  # type: ignore[import-untyped]  # no stubs
    UnknownFieldSet,
)
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.columns import SpanColumns
from graphmind_loaders.records import MISSHAPEN, NOT_TRACES
from graphmind_loaders.span import Event, Link, Span
from graphmind_loaders.values import INT64_MAX, text_of
from graphmind_loaders.wire import LENGTH_DELIMITED, Field, fields

name = "otlp-proto"

BROKEN = "broken protobuf"

_LENGTH_BYTES = 4
_FIRST_BYTE = b"\n"  # field 1, length-delimited
_RESOURCE, _SCOPE = 1, 1
_SCOPE_SPANS, _SPANS = 2, 2
_GROUP_FIELDS = frozenset({1, 2, 3, 1000})  # of ResourceSpans, ever


def recognises(head: bytes) -> bool:
    """Whether the head of a file is OTLP as protobuf."""
    if head.lstrip()[:1] in b"{[":
        return False
    message = head if head.startswith(_FIRST_BYTE) else head[_LENGTH_BYTES:]
    first = next(fields(memoryview(message)), None)
    if first is None or (first.number, first.wire_type) != (1, LENGTH_DELIMITED):
        return False
    inner = [(field.number, field.wire_type) for field in fields(first.payload) if field.whole]
    return all(number in _GROUP_FIELDS and kind == LENGTH_DELIMITED for number, kind in inner) and (
        bool(inner) or not first.whole
    )


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[pa.RecordBatch]:
    """Yield batches of spans; messages of logs or metrics are counted as not traces."""
    columns = SpanColumns(rejected)
    for message in _messages(stream, rejected):
        for spans in _groups(message, rejected):
            yield from columns.add(spans)
    yield from columns.rest()


def _messages(stream: BinaryIO, rejected: Rejections) -> Iterator[memoryview]:
    prefix = stream.read(_LENGTH_BYTES)
    if prefix.startswith(_FIRST_BYTE):
        yield memoryview(prefix + stream.read())
        return
    while prefix:
        size = int.from_bytes(prefix)
        message = stream.read(size)
        if len(prefix) < _LENGTH_BYTES or len(message) < size:
            rejected.add(BROKEN, f"message of {size} bytes ends after {len(message)}")
        yield memoryview(message)
        prefix = stream.read(_LENGTH_BYTES)


def _groups(message: memoryview, rejected: Rejections) -> Iterator[list[Span]]:
    """Yield the spans of each scope; a reply that wraps its trace once more is unwrapped."""
    for outer in _children(message, 1, rejected):
        numbers = {field.number for field in fields(outer)}
        wrapped = _SCOPE_SPANS not in numbers
        for group in _children(outer, 1, rejected) if wrapped else [outer]:
            resource = resource_pb2.Resource()
            _parse(resource, _first(group, _RESOURCE), rejected)
            attributes = attributes_of(resource.attributes)
            for scope_spans in _children(group, _SCOPE_SPANS, rejected):
                yield list(_scope_spans(scope_spans, attributes, rejected))


def _children(message: memoryview, number: int, rejected: Rejections) -> Iterator[memoryview]:
    """Yield the payloads of one repeated message, the last one perhaps cut off."""
    for field in fields(message):
        if not field.whole and field.number != number:
            rejected.add(BROKEN, f"in field {field.number}")
        elif field.number == number and field.wire_type == LENGTH_DELIMITED:
            yield field.payload


def _first(message: memoryview, number: int) -> memoryview:
    for field in fields(message):
        if field.number == number and field.whole:
            return field.payload
    return memoryview(b"")


def _parse(message: Any, payload: memoryview, rejected: Rejections) -> bool:
    try:
        message.ParseFromString(bytes(payload))
    except DecodeError as error:
        rejected.add(BROKEN, str(error))
        return False
    return True


def _scope_spans(
    message: memoryview, resource: dict[str, str | None], rejected: Rejections
) -> Iterator[Span]:
    scope = common_pb2.InstrumentationScope()
    _parse(scope, _first(message, _SCOPE), rejected)
    for field in fields(message):
        if not field.whole:
            rejected.add(BROKEN, f"in field {field.number}")
        elif field.number == _SPANS:
            span = _span(field, resource, scope.name or None, rejected)
            if span is not None:
                yield span


def _span(
    field: Field, resource: dict[str, str | None], scope: str | None, rejected: Rejections
) -> Span | None:
    span = trace_pb2.Span()
    if not _parse(span, field.payload, rejected):
        return None
    if not _is_span(span):
        rejected.add(NOT_TRACES, f"a record named {span.name!r}")
        return None
    if max(span.start_time_unix_nano, span.end_time_unix_nano) > INT64_MAX:
        rejected.add(MISSHAPEN, f"time beyond 64 bits in {span.name!r}")
        return None
    return Span(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.name,
        span.start_time_unix_nano or None,
        span.end_time_unix_nano or None,
        attributes_of(span.attributes),
        resource,
        span.kind if 0 <= span.kind <= trace_pb2.Span.SPAN_KIND_CONSUMER else 0,
        span.status.code if 0 <= span.status.code <= trace_pb2.Status.STATUS_CODE_ERROR else 0,
        span.status.message or None,
        span.trace_state or None,
        scope,
        tuple(map(_event, span.events)),
        tuple(Link(link.trace_id.hex(), link.span_id.hex()) for link in span.links),
    )


def _is_span(span: trace_pb2.Span) -> bool:
    """Tell spans from log records and metrics, which stand at the same place in their messages."""
    if span.trace_id:
        return len(span.trace_id) == 16 and len(span.span_id) in {0, 8}
    return len(UnknownFieldSet(span)) == 0


def _event(event: trace_pb2.Span.Event) -> Event:
    time_ns = event.time_unix_nano
    return Event(
        event.name,
        time_ns if 0 < time_ns <= INT64_MAX else None,
        attributes_of(event.attributes),
    )


def attributes_of(pairs: Iterable[common_pb2.KeyValue]) -> dict[str, str | None]:
    """Return attributes by key, each value as text."""
    return {pair.key: text_of(plain(pair.value)) for pair in pairs}


def plain(value: common_pb2.AnyValue) -> Any:
    """Return the JSON value that an AnyValue stands for; bytes as base64."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind) if kind else None
