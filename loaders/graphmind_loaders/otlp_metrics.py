"""Metric requests, protobuf or JSON, into samples: gauges and sums; the other kinds are counted."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no stubs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

from graphmind.errors import SourceError
from graphmind.telemetry.metrics import SAMPLES
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.spans import ATTRIBUTES
from graphmind_loaders import otlp_json_values, otlp_proto
from graphmind_loaders.otlp_json_values import Attributes, Resource, not_json, request_as
from graphmind_loaders.records import MISSHAPEN, read_as
from graphmind_loaders.values import INT64_MAX, Nanoseconds, hex_of

NOT_NUMBERS = "metric that is neither a gauge nor a sum"
"""Reason: histograms and summaries have no one value."""
NO_VALUE = "metric point without a finite value and a time"

_NUMBERS = ("gauge", "sum")
_OTHERS = ("histogram", "exponential_histogram", "summary")
_RESOURCE_PREFIXES = ("service.", "deployment.", "cloud.", "k8s.", "gen_ai.", "graphmind.")
"""Attributes of a process that tell its series from others; the rest describes its machine."""


class _Value(NamedTuple):
    time_ns: int
    number: float | None
    attributes: dict[str, str | None]
    trace_id: str | None
    exemplars: "tuple[_Value, ...]"


def decode_proto(body: bytes, rejected: Rejections) -> pa.RecordBatch:
    """Turn an ExportMetricsServiceRequest into a batch of SAMPLES. Raises SourceError."""
    try:
        request = metrics_service_pb2.ExportMetricsServiceRequest.FromString(body)
    except DecodeError as error:
        raise SourceError(
            f"expected an OTLP metrics request as protobuf, got {len(body)} bytes that do not "
            f"decode ({error}): send each signal to its own path or service, in the format stated"
        ) from error
    rows: list[dict[str, Any]] = []
    for group in request.resource_metrics:
        labels = _labels(otlp_proto.attributes_of(group.resource.attributes))
        for metric in (one for scope in group.scope_metrics for one in scope.metrics):
            kind = metric.WhichOneof("data")
            if kind is None:
                continue
            points = getattr(metric, kind).data_points
            if kind in _NUMBERS:
                rows += _rows(metric.name, labels, map(_proto_value, points), rejected)
            elif points:
                rejected.add(NOT_NUMBERS, f"{kind} {metric.name}", len(points))
    return _batch(rows)


def _proto_value(point: Any) -> _Value:
    kind = point.WhichOneof("value")
    exemplar = not hasattr(point, "exemplars")
    attributes = point.filtered_attributes if exemplar else point.attributes
    return _Value(
        point.time_unix_nano,
        getattr(point, kind) if kind else None,
        otlp_proto.attributes_of(attributes),
        point.trace_id.hex() if exemplar else None,
        () if exemplar else tuple(map(_proto_value, point.exemplars)),
    )


class _Exemplar(msgspec.Struct, frozen=True, rename="camel"):
    time_unix_nano: Nanoseconds | None = None
    as_double: float | str | None = None
    as_int: int | None = None
    trace_id: str | None = None
    filtered_attributes: Attributes = None


class _Point(msgspec.Struct, frozen=True, rename="camel"):
    time_unix_nano: Nanoseconds | None = None
    as_double: float | str | None = None
    as_int: int | None = None
    attributes: Attributes = None
    exemplars: list[_Exemplar] | None = None


class _Points(msgspec.Struct, frozen=True, rename="camel"):
    data_points: list[Any] | None = None


class _Metric(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    gauge: _Points | None = None
    sum: _Points | None = None
    histogram: _Points | None = None
    exponential_histogram: _Points | None = None
    summary: _Points | None = None


class _ScopeMetrics(msgspec.Struct, frozen=True, rename="camel"):
    metrics: list[Any] | None = None


class _ResourceMetrics(msgspec.Struct, frozen=True, rename="camel"):
    resource: Resource | None = None
    scope_metrics: list[_ScopeMetrics] | None = None


class _Request(msgspec.Struct, frozen=True, rename="camel"):
    resource_metrics: list[_ResourceMetrics] | None = None


def decode_json(body: bytes, rejected: Rejections) -> pa.RecordBatch:
    """Turn an ExportMetricsServiceRequest as JSON into a batch of SAMPLES. Raises SourceError."""
    try:
        request = request_as(body, _Request)
    except (ValueError, RecursionError) as error:
        raise not_json(body, error) from error
    rows: list[dict[str, Any]] = []
    for group in request.resource_metrics or ():
        resource = group.resource.attributes if group.resource else None
        labels = _labels(otlp_json_values.attributes_of(resource))
        for raw in (one for scope in group.scope_metrics or () for one in scope.metrics or ()):
            metric = read_as(raw, _Metric, rejected)
            if metric is not None:
                rows += _metric_rows(metric, labels, rejected)
    return _batch(rows)


def _metric_rows(
    metric: _Metric, labels: dict[str, str | None], rejected: Rejections
) -> Iterator[dict[str, Any]]:
    for kind in _OTHERS:
        others = getattr(metric, kind)
        if others is not None and others.data_points:
            rejected.add(NOT_NUMBERS, f"{kind} {metric.name}", len(others.data_points))
    for numbers in (metric.gauge, metric.sum):
        raws = numbers.data_points or () if numbers is not None else ()
        points = (read_as(raw, _Point, rejected) for raw in raws)
        values = (_json_value(point) for point in points if point is not None)
        yield from _rows(metric.name, labels, values, rejected)


def _json_value(point: _Point | _Exemplar) -> _Value:
    exemplar = isinstance(point, _Exemplar)
    attributes = point.filtered_attributes if isinstance(point, _Exemplar) else point.attributes
    trace_id = (hex_of(point.trace_id) or "").lower() if isinstance(point, _Exemplar) else None
    exemplars = () if isinstance(point, _Exemplar) else point.exemplars or ()
    return _Value(
        point.time_unix_nano or 0,
        point.as_int if point.as_double is None else _double(point.as_double),
        otlp_json_values.attributes_of(attributes),
        trace_id if exemplar else None,
        tuple(map(_json_value, exemplars)),
    )


def _double(value: float | str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _rows(
    name: str, labels: dict[str, str | None], values: Iterable[_Value], rejected: Rejections
) -> Iterator[dict[str, Any]]:
    """Yield a sample for each point, and one for each exemplar that names a trace."""
    for value in values:
        own = labels | value.attributes
        for each in (value, *value.exemplars):
            if each is not value and not (each.trace_id or "").strip("0"):
                continue
            number = each.number
            if number is None or not math.isfinite(number) or not 0 < each.time_ns <= INT64_MAX:
                rejected.add(NO_VALUE if each is value else MISSHAPEN, name)
                continue
            yield {
                "name": name,
                "time_ns": each.time_ns,
                "value": float(number),
                "labels": sorted((own | each.attributes).items()),
                "trace_id": each.trace_id,
            }


def _labels(resource: dict[str, str | None]) -> dict[str, str | None]:
    return {key: value for key, value in resource.items() if key.startswith(_RESOURCE_PREFIXES)}


def _batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    columns = [
        pa.array([row[field.name] for row in rows], ATTRIBUTES)
        if field.name == "labels"
        else pa.array([row[field.name] for row in rows], field.type)
        for field in SAMPLES
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SAMPLES)
