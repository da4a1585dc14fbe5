"""Copies of ended spans with something changed; the SDK's own are read-only."""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, Status

from graphmind_capture.attributes import START_MARKER


def changed(  # the SDK's constructor, with defaults taken from a span
    span: ReadableSpan,
    *,
    attributes: Mapping[str, Any] | None = None,
    context: SpanContext | None = None,
    parent: SpanContext | None = None,
    name: str | None = None,
    start_time: int | None = None,
    end_time: int | None = None,
    status: Status | None = None,
    events: Sequence[Any] | None = None,
) -> ReadableSpan:
    """Return a copy; what is None stays as it is."""
    return ReadableSpan(
        name=span.name if name is None else name,
        context=span.context if context is None else context,
        parent=span.parent if parent is None else parent,
        resource=span.resource,
        attributes=span.attributes if attributes is None else attributes,
        events=span.events if events is None else events,
        links=span.links,
        kind=span.kind,
        status=span.status if status is None else status,
        start_time=span.start_time if start_time is None else start_time,
        end_time=span.end_time if end_time is None else end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def marker_of(span: ReadableSpan) -> ReadableSpan:
    """Return the zero-length copy that tells of a span which has not ended."""
    return changed(
        span,
        attributes={**(span.attributes or {}), START_MARKER: True},
        end_time=span.start_time,
        status=Status(),
        events=(),
    )


def duration_ns(span: ReadableSpan) -> int:
    """Return how long an ended span took."""
    return (span.end_time or 0) - (span.start_time or 0)


def span_id_of(span: ReadableSpan) -> int:
    """Return the span's id."""
    return span.context.span_id if span.context else 0


def is_local_root(span: ReadableSpan) -> bool:
    """Whether the span's parent is in another process, or there is none."""
    return span.parent is None or span.parent.is_remote
