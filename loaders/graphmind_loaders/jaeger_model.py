"""Jaeger's inner shapes as JSON: its domain model, and a Thrift batch as its clients send it."""

from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, NamedTuple

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
from graphmind_loaders.values import (
    Microseconds,
    duration_ns,
    end_of,
    hex_of,
    iso_ns,
    text_of,
    us_to_ns,
)

name = "jaeger-model"

_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Tag(msgspec.Struct, frozen=True, rename="camel"):
    key: str
    v_str: str | None = None
    v_bool: bool | None = None
    v_int64: int | None = msgspec.field(default=None, name="vInt64")
    v_long: int | None = None
    v_float64: float | None = msgspec.field(default=None, name="vFloat64")
    v_double: float | None = None
    v_binary: str | None = None


class _Log(msgspec.Struct, frozen=True):
    timestamp: str | Microseconds | None = None
    fields: list[_Tag] = []


class _Process(msgspec.Struct, frozen=True, rename="camel"):
    service_name: str | None = None
    tags: list[_Tag] = []


class _Ids(msgspec.Struct, frozen=True, rename="camel"):
    """Ids as base64 (domain model), or as signed numbers, the trace's in two halves (Thrift)."""

    trace_id: str | None = None
    trace_id_high: _Int64 = 0
    trace_id_low: _Int64 | None = None
    span_id: str | _Int64 | None = None


class _Reference(_Ids, frozen=True, rename="camel"):
    ref_type: str = "CHILD_OF"


class _Span(_Ids, frozen=True, rename="camel"):
    parent_span_id: str | _Int64 | None = None
    operation_name: str | None = None
    references: list[_Reference] = []
    start_time: str | Microseconds | None = None
    duration: str | Microseconds | None = None
    tags: list[_Tag] = []
    logs: list[_Log] = []
    process: _Process | None = None
    process_id: str | None = None


class _Record(NamedTuple):
    span: Any
    resource: Texts


def recognises(head: bytes) -> bool:
    """Whether the head of a file is Jaeger's domain model or a Thrift batch, as JSON."""
    paths = key_paths(head)
    thrift = ("spans", "traceIdLow") in paths
    return thrift or {("spans", "traceId"), ("spans", "operationName")} <= paths


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[pa.RecordBatch]:
    """Yield batches of spans."""
    return read_records(
        stream, rejected, is_record=_is_record, records_of=_records, span_of=_span_of
    )


def _is_record(path: Path) -> bool:
    return path[-1:] == ("spans",)


def _records(document: Any, rejected: Rejections) -> Iterator[_Record]:
    for batch in each(document):
        if not isinstance(batch, dict) or not isinstance(batch.get("spans"), list):
            rejected.add(NOT_TRACES, sample(batch))
            continue
        process = read_as(batch.get("process") or {}, _Process, rejected)
        resource = _resource(process) if process else {}
        for span in batch["spans"]:
            yield _Record(span, resource)


def _span_of(record: _Record) -> Span:
    span = msgspec.convert(record.span, _Span, strict=False)
    columns = columns_of(_texts(span.tags))
    trace_id = _trace_id(span)
    references = [
        Reference(ref.ref_type, _trace_id(ref) or "", _span_id(ref.span_id) or "")
        for ref in span.references
    ]
    parent, links = parent_and_links(trace_id, _span_id(span.parent_span_id), references)
    start_ns = _time_ns(span.start_time)
    length_ns = (
        duration_ns(span.duration) if isinstance(span.duration, str) else _time_ns(span.duration)
    )
    return Span(
        trace_id,
        _span_id(span.span_id),
        parent,
        span.operation_name,
        start_ns,
        end_of(start_ns, length_ns),
        columns.attributes,
        _resource(span.process) if span.process else record.resource,
        columns.kind,
        columns.status,
        columns.status_message,
        columns.trace_state,
        columns.scope,
        tuple(map(_event, span.logs)),
        links,
    )


def _trace_id(ids: _Ids) -> str | None:
    if ids.trace_id_low is None:
        return hex_of(ids.trace_id)
    high = _span_id(ids.trace_id_high) if ids.trace_id_high else ""
    return f"{high}{_span_id(ids.trace_id_low)}"


def _span_id(number: str | int | None) -> str | None:
    return f"{number & (2**64 - 1):016x}" if isinstance(number, int) else hex_of(number)


def _time_ns(time: str | int | None) -> int | None:
    return iso_ns(time) if isinstance(time, str) else us_to_ns(time)


def _event(log: _Log) -> Event:
    fields = _texts(log.fields)
    return Event(event_name(fields), _time_ns(log.timestamp), fields)


def _resource(process: _Process) -> Texts:
    return resource_of(process.service_name, _texts(process.tags))


def _texts(tags: list[_Tag]) -> Texts:
    return {tag.key: _text(tag) for tag in tags}


def _text(tag: _Tag) -> str | None:
    typed = (tag.v_bool, tag.v_int64, tag.v_long, tag.v_float64, tag.v_double, tag.v_binary)
    return tag.v_str or next((text_of(value) for value in typed if value is not None), tag.v_str)
