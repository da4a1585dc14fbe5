"""What Jaeger's own shapes share: tags that are really columns, parents, and processes."""

from collections.abc import Sequence
from typing import NamedTuple

from graphmind.telemetry.spans import STATUS_ERROR, STATUS_OK, STATUS_UNSET
from graphmind_loaders.span import Link

Texts = dict[str, str | None]

_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_STATUSES = {"OK": STATUS_OK, "ERROR": STATUS_ERROR}


class Columns(NamedTuple):
    """What a span's tags say about the span itself, and the tags that remain."""

    kind: int
    status: int
    status_message: str | None
    trace_state: str | None
    scope: str | None
    attributes: Texts


def columns_of(tags: Texts) -> Columns:
    """Split tags into columns and attributes, as the OpenTelemetry translation names them.

    ``error`` marks an error only if it says true: some writers set it on every span.
    """
    rest = dict(tags)
    failed = (tags.get("error") or "").lower() == "true"
    if failed:
        del rest["error"]
    stated = _STATUSES.get((rest.pop("otel.status_code", None) or "").upper(), STATUS_UNSET)
    old_scope = rest.pop("otel.library.name", None)
    return Columns(
        kind=_KINDS.get((rest.pop("span.kind", None) or "").lower(), 0),
        status=STATUS_ERROR if failed else stated,
        status_message=rest.pop("otel.status_description", None),
        trace_state=rest.pop("w3c.tracestate", None),
        scope=rest.pop("otel.scope.name", None) or old_scope,
        attributes=rest,
    )


class Reference(NamedTuple):
    """A reference of one span to another."""

    kind: str
    trace_id: str
    span_id: str


def parent_and_links(
    trace_id: str | None, parent: str | None, references: Sequence[Reference]
) -> tuple[str | None, tuple[Link, ...]]:
    """Choose the parent, and make links of all other references.

    The parent is the one stated, else the first CHILD_OF within the trace, else the first
    reference within the trace.
    """
    within = [ref for ref in references if _same(ref.trace_id, trace_id)]
    candidates = [ref for ref in within if ref.kind == "CHILD_OF"] or within
    if not parent and candidates:
        parent = candidates[0].span_id
    others = (ref for ref in references if ref not in within or not _same(ref.span_id, parent))
    return parent, tuple(Link(ref.trace_id, ref.span_id) for ref in others)


def _same(one: str | None, other: str | None) -> bool:
    """Compare ids of which one may have lost its leading zeros."""
    return (one or "").lstrip("0").lower() == (other or "").lstrip("0").lower()


def resource_of(service: str | None, tags: Texts) -> Texts:
    """Name a process as OpenTelemetry names a resource."""
    return ({"service.name": service} if service else {}) | tags


def event_name(fields: Texts) -> str | None:
    """Take the name of a log entry out of its fields."""
    return fields.pop("event", None)
