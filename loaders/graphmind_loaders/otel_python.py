"""Spans as OpenTelemetry for Python writes them with ``span.to_json()`` and its console exporter.

One a line, or indented one after another.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.records import each, read_records
from graphmind_loaders.shape import Path, key_paths
from graphmind_loaders.span import Event, Link, Span
from graphmind_loaders.values import iso_ns, texts_of

name = "otel-python"


class _Context(msgspec.Struct, frozen=True):
    trace_id: str | None = None
    span_id: str | None = None
    trace_state: str | None = None


class _Status(msgspec.Struct, frozen=True):
    status_code: str = "UNSET"
    description: str | None = None


class _Event(msgspec.Struct, frozen=True):
    name: str | None = None
    timestamp: str | None = None
    attributes: dict[str, Any] | None = None


class _Link(msgspec.Struct, frozen=True):
    context: _Context = _Context()


class _Span(msgspec.Struct, frozen=True):
    context: _Context
    parent_id: str | None = None
    name: str | None = None
    kind: str = ""
    start_time: str | None = None
    end_time: str | None = None
    status: _Status = _Status()
    attributes: dict[str, Any] | None = None
    events: list[_Event] | None = None
    links: list[_Link] | None = None
    resource: dict[str, Any] | None = None


def recognises(head: bytes) -> bool:
    """Whether the head of a file is spans as OpenTelemetry for Python writes them."""
    return ("context", "trace_id") in key_paths(head)


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[pa.RecordBatch]:
    """Yield batches of spans."""
    return read_records(
        stream, rejected, is_record=_is_record, records_of=_records, span_of=_span_of
    )


def _is_record(path: Path) -> bool:
    return path == ()


def _records(document: Any, _rejected: Rejections) -> Iterator[Any]:
    return each(document)


_KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
_STATUSES = {"OK": 1, "ERROR": 2}
_NO_STATE = "[]"  # how the exporter writes an empty trace state


def _span_of(record: Any) -> Span:
    span = msgspec.convert(record, _Span)
    resource = span.resource or {}
    # Before 1.16 the resource was its attributes, not an object that holds them.
    attributes = resource.get("attributes", resource)
    return Span(
        _hex(span.context.trace_id),
        _hex(span.context.span_id),
        _hex(span.parent_id),
        span.name,
        iso_ns(span.start_time) if span.start_time else None,
        iso_ns(span.end_time) if span.end_time else None,
        texts_of(span.attributes),
        texts_of(attributes if isinstance(attributes, dict) else None),
        _KINDS.get(span.kind.removeprefix("SpanKind."), 0),
        _STATUSES.get(span.status.status_code, 0),
        span.status.description,
        None if span.context.trace_state == _NO_STATE else span.context.trace_state,
        events=tuple(map(_event, span.events or ())),
        links=tuple(
            Link(_hex(link.context.trace_id), _hex(link.context.span_id))
            for link in span.links or ()
        ),
    )


def _event(event: _Event) -> Event:
    time_ns = iso_ns(event.timestamp) if event.timestamp else None
    return Event(event.name, time_ns, texts_of(event.attributes))


def _hex(text: str | None) -> str | None:
    return text.removeprefix("0x") if text else None
