"""Jaeger's JSON: what its UI and query API give, and the span documents of its Elasticsearch store.

A trace stands alone, within ``data`` (once or twice), or its spans within ``hits``; a span is also
read alone, one a line.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec
import pyarrow as pa

from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.jaeger_tags import (
    Reference,
    Texts,
    columns_of,
    event_name,
    parent_and_links,
    resource_of,
)
from graphmind_loaders.records import NOT_TRACES, each, read_as, read_records, sample
from graphmind_loaders.shape import Path, key_paths
from graphmind_loaders.span import Event, Span
from graphmind_loaders.values import Microseconds, end_of, text_of, us_to_ns

name = "jaeger-json"


class _Tag(msgspec.Struct, frozen=True):
    key: str
    value: Any = None


_Tags = list[_Tag] | dict[str, Any] | None


class _Log(msgspec.Struct, frozen=True):
    timestamp: Microseconds | None = None
    fields: _Tags = None


class _Process(msgspec.Struct, frozen=True, rename="camel"):
    service_name: str | None = None
    tags: _Tags = None
    tag: dict[str, Any] | None = None


class _Reference(msgspec.Struct, frozen=True, rename={"trace_id": "traceID", "span_id": "spanID"}):
    ref_type: str = msgspec.field(default="CHILD_OF", name="refType")
    trace_id: str = ""
    span_id: str = ""


class _Span(
    msgspec.Struct,
    frozen=True,
    rename={
        "trace_id": "traceID",
        "span_id": "spanID",
        "parent_span_id": "parentSpanID",
        "operation_name": "operationName",
        "start_us": "startTime",
        "duration_us": "duration",
        "process_id": "processID",
    },
):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    operation_name: str | None = None
    references: list[_Reference] | None = None
    start_us: Microseconds | None = None
    duration_us: Microseconds | None = None
    tags: _Tags = None
    # Elasticsearch: tags that are fields of their own, with dots written as @.
    tag: dict[str, Any] | None = None
    logs: list[_Log] | None = None
    process: _Process | None = None
    process_id: str | None = None


class _Record(NamedTuple):
    span: Any
    resources: dict[str, Texts]


_WRAPPINGS: tuple[Path, ...] = ((), ("data",), ("data", "data"), ("hits", "hits", "_source"))


def recognises(head: bytes) -> bool:
    """Whether the head of a file is Jaeger's JSON."""
    paths = key_paths(head)
    return any(
        not paths.isdisjoint({(*at, "spans", "traceID"), (*at, "traceID"), (*at, "processes")})
        for at in (*_WRAPPINGS, ("_source",))
    )


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[pa.RecordBatch]:
    """Yield batches of spans."""
    return read_records(
        stream, rejected, is_record=_is_record, records_of=_records, span_of=_span_of
    )


def _is_record(path: Path) -> bool:
    return path[-1:] == ("spans",) or path in {(), ("hits", "hits")}


def _records(document: Any, rejected: Rejections) -> Iterator[_Record]:
    for value in each(document):
        if not isinstance(value, dict):
            rejected.add(NOT_TRACES, sample(value))
        elif isinstance(value.get("spans"), list):
            yield from _trace(value, rejected)
        elif "spanID" in value:
            yield _Record(value, {})
        else:
            inner = next((value[key] for key in ("data", "hits", "_source") if key in value), None)
            if inner is None:
                rejected.add(NOT_TRACES, f"an object of {sorted(value)}")
            else:
                yield from _records(inner, rejected)


def _trace(trace: dict[str, Any], rejected: Rejections) -> Iterator[_Record]:
    processes = read_as(trace.get("processes") or {}, dict[str, _Process], rejected) or {}
    resources = {key: _resource(process) for key, process in processes.items()}
    for span in trace["spans"]:
        yield _Record(span, resources)


def _span_of(record: _Record) -> Span:
    span = msgspec.convert(record.span, _Span, strict=False)
    tags = _texts(span.tags) | _texts(_dotted(span.tag))
    columns = columns_of(tags)
    references = [Reference(r.ref_type, r.trace_id, r.span_id) for r in span.references or ()]
    parent, links = parent_and_links(span.trace_id, span.parent_span_id, references)
    own = _resource(span.process) if span.process else {}
    start_ns = us_to_ns(span.start_us)
    return Span(
        span.trace_id,
        span.span_id,
        parent,
        span.operation_name,
        start_ns,
        end_of(start_ns, us_to_ns(span.duration_us)),
        columns.attributes,
        own or record.resources.get(span.process_id or "", {}),
        columns.kind,
        columns.status,
        columns.status_message,
        columns.trace_state,
        columns.scope,
        tuple(map(_event, span.logs or ())),
        links,
    )


def _event(log: _Log) -> Event:
    fields = _texts(log.fields)
    return Event(event_name(fields), us_to_ns(log.timestamp), fields)


def _resource(process: _Process) -> Texts:
    return resource_of(process.service_name, _texts(process.tags) | _texts(_dotted(process.tag)))


def _texts(tags: _Tags) -> Texts:
    if isinstance(tags, dict):
        return {key: text_of(value) for key, value in tags.items()}
    return {tag.key: text_of(tag.value) for tag in tags or ()}


def _dotted(tag: dict[str, Any] | None) -> dict[str, Any]:
    return {key.replace("@", "."): value for key, value in (tag or {}).items()}
