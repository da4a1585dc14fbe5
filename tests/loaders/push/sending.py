"""Requests as senders make them."""

import json
import socket
import time
from collections.abc import Callable

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE_ID, SPAN_ID = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
NOW_NS = time.time_ns()


def traces(count: int = 1, *, name: str = "op", start_ns: int = NOW_NS) -> bytes:
    """Return a request of so many spans of one trace, as protobuf."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    spans = group.scope_spans.add().spans
    for number in range(count):
        spans.add(
            trace_id=bytes.fromhex(TRACE_ID),
            span_id=(int(SPAN_ID, 16) + number).to_bytes(8),
            name=name,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + 1,
        )
    return bytes(request.SerializeToString())


def json_traces(**span: object) -> bytes:
    """Return a request of one span as JSON."""
    whole = {"traceId": TRACE_ID.upper(), "spanId": SPAN_ID, "name": "op", **span}
    whole = {"startTimeUnixNano": str(NOW_NS), "endTimeUnixNano": NOW_NS + 1, **whole}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [whole]}]}]}).encode()


def logs(count: int = 1) -> bytes:
    """Return a request of so many log records, as protobuf."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for number in range(count):
        records.add(time_unix_nano=NOW_NS).body.string_value = f"line {number}"
    return bytes(request.SerializeToString())


def metrics() -> bytes:
    """Return a request of a gauge and of a histogram of two points, as protobuf."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    group.resource.attributes.add(key="host.name").value.string_value = "h1"
    found = group.scope_metrics.add().metrics
    point = found.add(name="retries").gauge.data_points.add(time_unix_nano=5, as_int=3)
    point.attributes.add(key="agent").value.string_value = "a1"
    point.exemplars.add(time_unix_nano=4, as_double=1.5, trace_id=bytes.fromhex(TRACE_ID))
    histogram = found.add(name="latency").histogram
    histogram.data_points.add(time_unix_nano=5)
    histogram.data_points.add(time_unix_nano=6)
    return bytes(request.SerializeToString())


def until(holds: Callable[[], bool], within_s: float = 10) -> None:
    """Wait until a condition holds."""
    end_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end_s, "did not happen in time"
        time.sleep(0.01)


def connected(address: str) -> socket.socket:
    """Open a bare connection."""
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
