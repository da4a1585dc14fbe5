"""Spans as OpenTelemetry for JavaScript holds them (ReadableSpan), written out as JSON.

A list of spans, lists of spans under keys, or one span a line; times are pairs of seconds and
nanoseconds.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.records import NOT_TRACES, each, read_records, sample
from graphmind_loaders.shape import Path, key_paths
from graphmind_loaders.span import Event, Link, Span
from graphmind_loaders.values import Nanoseconds, Seconds, end_of, texts_of

name = "otel-js"

_Time = tuple[Seconds, Nanoseconds] | None


class _Context(msgspec.Struct, frozen=True, rename="camel"):
    trace_id: str | None = None
    span_id: str | None = None
    trace_state: Any = None


class _Status(msgspec.Struct, frozen=True):
    code: int = 0
    message: str | None = None


class _Event(msgspec.Struct, frozen=True):
    name: str | None = None
    time: _Time = None
    attributes: dict[str, Any] | None = None


class _Link(msgspec.Struct, frozen=True):
    context: _Context = _Context()


class _Named(msgspec.Struct, frozen=True):
    name: str | None = None


class _Resource(msgspec.Struct, frozen=True):
    attributes: dict[str, Any] | None = None
    private: dict[str, Any] | None = msgspec.field(default=None, name="_attributes")


class _Span(msgspec.Struct, frozen=True, rename="camel"):
    span_context: _Context
    parent_span_id: str | None = None
    parent_span_context: _Context | None = None
    name: str | None = None
    kind: int | None = None
    start_time: _Time = None
    end_time: _Time = None
    status: _Status | None = None
    attributes: dict[str, Any] | None = None
    events: list[_Event] | None = None
    links: list[_Link] | None = None
    resource: _Resource | None = None
    instrumentation_scope: _Named | None = None
    instrumentation_library: _Named | None = None


_IDS = ("spanContext", "traceId")


def recognises(head: bytes) -> bool:
    """Whether the head of a file is a list of ReadableSpans."""
    return any(path[-2:] == _IDS and len(path) <= 3 for path in key_paths(head))


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[pa.RecordBatch]:
    """Yield batches of spans."""
    return read_records(
        stream, rejected, is_record=_is_record, records_of=_records, span_of=_span_of
    )


def _is_record(path: Path) -> bool:
    return len(path) <= 1


def _records(document: Any, rejected: Rejections) -> Iterator[Any]:
    for value in each(document):
        if not isinstance(value, dict):
            rejected.add(NOT_TRACES, sample(value))
        elif "spanContext" in value:
            yield value
        else:
            yield from each(list(value.values()))


# JavaScript counts kinds from 0 for INTERNAL, one less than OTLP.
_KINDS: dict[int | None, int] = {kind: kind + 1 for kind in range(5)}


def _span_of(record: Any) -> Span:
    span = msgspec.convert(record, _Span, strict=False)
    status = span.status or _Status()
    scope = span.instrumentation_scope or span.instrumentation_library
    parent = span.parent_span_context.span_id if span.parent_span_context else None
    state = span.span_context.trace_state
    return Span(
        span.span_context.trace_id,
        span.span_context.span_id,
        span.parent_span_id or parent,
        span.name,
        _ns(span.start_time),
        _ns(span.end_time),
        texts_of(span.attributes),
        texts_of(span.resource.attributes or span.resource.private) if span.resource else {},
        _KINDS.get(span.kind, 0),
        status.code if status.code in {0, 1, 2} else 0,
        status.message or None,
        state if isinstance(state, str) else None,
        scope.name if scope else None,
        tuple(_event(event) for event in span.events or ()),
        tuple(Link(link.context.trace_id, link.context.span_id) for link in span.links or ()),
    )


def _event(event: _Event) -> Event:
    return Event(event.name, _ns(event.time), texts_of(event.attributes))


def _ns(time: _Time) -> int | None:
    """Join seconds and nanoseconds; the zeros of a span that has not ended are no time."""
    return (end_of(time[0] * 1_000_000_000, time[1]) or None) if time else None
