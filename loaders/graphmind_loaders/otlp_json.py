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
from graphmind_loaders.records import NOT_TRACES, each, read_as
from graphmind_loaders.shape import Path, key_paths
from graphmind_loaders.span import Event, Link, Span
from graphmind_loaders.values import Nanoseconds, text_of

name = "otlp-json"

S = TypeVar("S")
"""A span as far as it is decoded."""


class _AnyValue(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    string_value: str | None = None
    int_value: int | str | None = None
    bool_value: bool | None = None
    double_value: float | str | None = None
    bytes_value: str | None = None
    array_value: "_Values | None" = None
    kvlist_value: "_KeyValues | None" = None


class _KeyValue(msgspec.Struct, gc=False, frozen=True):
    key: str
    value: _AnyValue | None = None


class _Values(msgspec.Struct, frozen=True):
    values: list[_AnyValue] | None = None


class _KeyValues(msgspec.Struct, frozen=True):
    values: list[_KeyValue] | None = None


_Attributes = list[_KeyValue] | None


class _Status(msgspec.Struct, gc=False, frozen=True):
    code: int | str | None = None
    message: str | None = None


class _Event(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    name: str | None = None
    time_unix_nano: Nanoseconds | None = None
    attributes: _Attributes = None


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
    attributes: _Attributes = None
    status: _Status | None = None
    events: list[_Event] | None = None
    links: list[_Link] | None = None


class _Scope(msgspec.Struct, frozen=True):
    name: str | None = None


class _Resource(msgspec.Struct, frozen=True):
    attributes: _Attributes = None


class _ScopeSpans(msgspec.Struct, Generic[S], frozen=True, rename="camel"):
    spans: list[S] | None = None
    scope: _Scope | None = None
    # The name before OTLP 0.19.
    instrumentation_library: _Scope | None = None


class _ResourceSpans(msgspec.Struct, Generic[S], frozen=True, rename="camel"):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans[S]] | None = None
    instrumentation_library_spans: list[_ScopeSpans[S]] | None = None


class _Request(msgspec.Struct, Generic[S], frozen=True, rename="camel"):
    resource_spans: list[_ResourceSpans[S]] | None = None
    batches: list[_ResourceSpans[S]] | None = None
    trace: "_Request[S] | None" = None
    result: "_Request[S] | None" = None


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
    resource = _attributes(group.resource.attributes) if group.resource else {}
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
        _attributes(span.attributes),
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
        Event(event.name, event.time_unix_nano, _attributes(event.attributes)) for event in events
    )


def _attributes(pairs: _Attributes) -> dict[str, str | None]:
    return {
        pair.key: _text(value)
        if (value := pair.value) is None or value.string_value is None
        else value.string_value
        for pair in pairs or ()
    }


def _text(value: _AnyValue | None) -> str | None:
    if value is None:
        return None
    # Numbers are the most frequent values after strings: spare them the way through JSON.
    if value.int_value is not None:
        return str(value.int_value)
    return text_of(_plain(value, depth=0))


_DEPTH_MAX = 32  # chosen: deeper values are cut off, and nobody reads them


def _plain(value: _AnyValue, depth: int) -> Any:
    """Return the JSON value that an AnyValue stands for; a number as text stays text."""
    if value.array_value and depth < _DEPTH_MAX:
        return [_plain(item, depth + 1) for item in value.array_value.values or ()]
    if value.kvlist_value and depth < _DEPTH_MAX:
        pairs = value.kvlist_value.values or ()
        return {pair.key: _plain(pair.value, depth + 1) if pair.value else None for pair in pairs}
    for plain in (value.string_value, value.bool_value, value.double_value, value.bytes_value):
        if plain is not None:
            return plain
    if value.int_value is None:
        return None
    return int(value.int_value)
