"""OTLP as JSON: whole requests or one a line, ids in hex or base64, enums as numbers or names.

Also within the wrappings of server replies: Tempo's ``trace`` and ``batches``, Jaeger's ``result``.
A file of logs or metrics alone is of this kind too, and holds no spans.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec
import pyarrow as pa

from graphmind.telemetry.rejections import SAMPLE_CHARS_MAX, Rejections
from graphmind_loaders.columns import SpanColumns
from graphmind_loaders.documents import parsed, split
from graphmind_loaders.otlp_json_values import (
    Attributes,
    Resource,
    Scope,
    attributes_of,
    not_json,
    request_as,
)
from graphmind_loaders.records import NOT_TRACES, each, read_as
from graphmind_loaders.shape import Path, key_paths
from graphmind_loaders.span import Event, Link, Span
from graphmind_loaders.values import Nanoseconds

name = "otlp-json"

S = TypeVar("S")
"""A span as far as it is decoded."""


class _Status(msgspec.Struct, gc=False, frozen=True):
    code: int | str | None = None
    message: str | None = None


class _Event(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    name: str | None = None
    time_unix_nano: Nanoseconds | None = None
    attributes: Attributes = None


class _Link(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    trace_id: str | None = None
    span_id: str | None = None


class _Span(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    trace_state: str | None = None
    name: str | None = None
    kind: int | str | None = None
    start_time_unix_nano: Nanoseconds | None = None
    end_time_unix_nano: Nanoseconds | None = None
    attributes: Attributes = None
    status: _Status | None = None
    events: list[_Event] | None = None
    links: list[_Link] | None = None


class _ScopeSpans(msgspec.Struct, Generic[S], frozen=True, rename="camel"):
    spans: list[S] | None = None
    scope: Scope | None = None
    # The name before OTLP 0.19.
    instrumentation_library: Scope | None = None


class _ResourceSpans(msgspec.Struct, Generic[S], frozen=True, rename="camel"):
    resource: Resource | None = None
    scope_spans: list[_ScopeSpans[S]] | None = None
    instrumentation_library_spans: list[_ScopeSpans[S]] | None = None


class _Request(msgspec.Struct, Generic[S], frozen=True, rename="camel"):
    resource_spans: list[_ResourceSpans[S]] | None = None
    batches: list[_ResourceSpans[S]] | None = None
    trace: "_Request[S] | None" = None
    result: "_Request[S] | None" = None


_REQUEST = msgspec.json.Decoder(_Request[_Span], strict=False)
_REQUESTS = msgspec.json.Decoder(_Request[_Span] | list[_Request[_Span]], strict=False)

_SIGNATURES: tuple[Path, ...] = (
    ("resourceSpans",),
    ("batches", "scopeSpans"),
    ("batches", "resource"),
    ("trace", "resourceSpans"),
    ("trace", "batches"),
    ("result", "resourceSpans"),
    ("resourceLogs",),
    ("resourceMetrics",),
    ("resourceProfiles",),
)


def recognises(head: bytes) -> bool:
    """Whether the head of a file is OTLP as JSON."""
    return not key_paths(head).isdisjoint(_SIGNATURES)


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[pa.RecordBatch]:
    """Yield batches of spans; documents of logs, metrics or else are counted as not traces."""
    columns = SpanColumns(rejected)
    for document in split(stream):
        for resource_spans in _resource_spans(document, rejected):
            for spans in _spans(resource_spans):
                yield from columns.add(spans)
    yield from columns.rest()


def decode(body: bytes, rejected: Rejections) -> Iterator[pa.RecordBatch]:
    """Yield the batches of one ExportTraceServiceRequest, as a receiver takes it.

    Spans of another shape are counted. Raises SourceError for what is not a request at all.
    """
    columns = SpanColumns(rejected)
    for group in _groups(body, rejected):
        for spans in _spans(group):
            yield from columns.add(spans)
    yield from columns.rest()


def _groups(body: bytes, rejected: Rejections) -> list[_ResourceSpans[_Span]]:
    try:
        return _REQUEST.decode(body).resource_spans or []
    except msgspec.ValidationError:
        request = request_as(body, _Request[Any])
    except (ValueError, RecursionError) as error:
        raise not_json(body, error) from error
    return [
        _ResourceSpans(
            resource=group.resource,
            scope_spans=[_readable(scope_spans, rejected) for scope_spans in _scopes(group)],
        )
        for group in request.resource_spans or ()
    ]


def _resource_spans(document: bytes, rejected: Rejections) -> Iterator[_ResourceSpans[_Span]]:
    """Decode at the parser's speed; where that fails, span by span."""
    try:
        decoded = _REQUESTS.decode(document)
    except (ValueError, RecursionError):
        yield from _one_by_one(document, rejected)
        return
    for request in decoded if isinstance(decoded, list) else [decoded]:
        yield from _unwrap(request, document, rejected)


def _unwrap(request: _Request[S], document: bytes, rejected: Rejections) -> list[_ResourceSpans[S]]:
    while inner := request.trace or request.result:
        request = inner
    found = request.batches if request.resource_spans is None else request.resource_spans
    if found is None:
        rejected.add(NOT_TRACES, document[:SAMPLE_CHARS_MAX].decode("utf-8", "replace"))
    return found or []


def _one_by_one(document: bytes, rejected: Rejections) -> Iterator[_ResourceSpans[_Span]]:
    for value in each(parsed(document, rejected, _is_record)):
        request = read_as(value, _Request[Any], rejected)
        for group in _unwrap(request, document, rejected) if request else ():
            readable = [_readable(scope_spans, rejected) for scope_spans in _scopes(group)]
            yield _ResourceSpans(resource=group.resource, scope_spans=readable)


def _readable(scope_spans: _ScopeSpans[Any], rejected: Rejections) -> _ScopeSpans[_Span]:
    spans = [read_as(span, _Span, rejected) for span in scope_spans.spans or ()]
    return _ScopeSpans(
        spans=[span for span in spans if span is not None],
        scope=scope_spans.scope or scope_spans.instrumentation_library,
    )


def _is_record(path: Path) -> bool:
    return path[-1:] == ("spans",)


def _scopes(group: _ResourceSpans[S]) -> list[_ScopeSpans[S]]:
    return group.scope_spans or group.instrumentation_library_spans or []


def _spans(group: _ResourceSpans[_Span]) -> Iterator[list[Span]]:
    resource = attributes_of(group.resource.attributes) if group.resource else {}
    for scope_spans in _scopes(group):
        scope = scope_spans.scope or scope_spans.instrumentation_library
        scope_name = scope.name if scope else None
        yield [_span(span, resource, scope_name) for span in scope_spans.spans or ()]


def _span(span: _Span, resource: dict[str, str | None], scope: str | None) -> Span:
    status = span.status
    return Span(
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.name,
        # Zero is what protobuf writes for a time that is not set.
        span.start_time_unix_nano or None,
        span.end_time_unix_nano or None,
        attributes_of(span.attributes),
        resource,
        _KINDS.get(span.kind, 0),
        _STATUSES.get(status.code, 0) if status else 0,
        (status.message or None) if status else None,
        span.trace_state or None,
        scope,
        _events(span.events) if span.events else (),
        tuple(Link(link.trace_id, link.span_id) for link in span.links) if span.links else (),
    )


def _numbered(prefix: str, names: str) -> dict[int | str | None, int]:
    numbers: dict[int | str | None, int] = {}
    for number, word in enumerate(names.split()):
        numbers |= {number: number, str(number): number, f"{prefix}_{word}": number}
    return numbers


_KINDS = _numbered("SPAN_KIND", "UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER")
_STATUSES = _numbered("STATUS_CODE", "UNSET OK ERROR")


def _events(events: list[_Event]) -> tuple[Event, ...]:
    return tuple(
        Event(event.name, event.time_unix_nano, attributes_of(event.attributes)) for event in events
    )
