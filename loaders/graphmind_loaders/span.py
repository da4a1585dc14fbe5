"""The record every source turns its own shape into, before spans become columns."""

import msgspec


class Event(msgspec.Struct, gc=False, frozen=True):
    """A point in time within a span; attribute values are text."""

    name: str | None
    time_ns: int | None
    attributes: dict[str, str | None]


class Link(msgspec.Struct, gc=False, frozen=True):
    """A span of another trace that this span continues."""

    trace_id: str | None
    span_id: str | None


class Span(msgspec.Struct, gc=False, frozen=True):
    """One span with the names and units of ``graphmind.telemetry.spans.SPANS``.

    Ids may be hex in either case, or base64 of 8 or 16 bytes. Spans of one process share one
    ``resource`` object, so that it is encoded once.
    """

    trace_id: str | None
    span_id: str | None
    parent_span_id: str | None
    name: str | None
    start_ns: int | None
    end_ns: int | None
    attributes: dict[str, str | None]
    resource: dict[str, str | None]
    kind: int = 0
    status: int = 0
    status_message: str | None = None
    trace_state: str | None = None
    scope: str | None = None
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
