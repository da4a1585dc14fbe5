"""Real exporters of OpenTelemetry, for Python and JavaScript, send to the receivers."""

import json
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import grpc  # type: ignore[import-untyped]  # no stubs
import pytest
from graphmind_loaders.push import otlp_grpc, otlp_http
from opentelemetry.exporter.otlp.common.http import Compression as JsonCompression
from opentelemetry.exporter.otlp.json.http import trace_exporter as json_traces
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc_logs
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import Compression, metric_exporter
from opentelemetry.exporter.otlp.proto.http import _log_exporter as http_logs
from opentelemetry.exporter.otlp.proto.http import trace_exporter as proto_traces
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util.types import Attributes

from graphmind.settings import Settings
from graphmind.sources import Receiver
from graphmind.telemetry.spans import KIND_CLIENT, KIND_INTERNAL, STATUS_ERROR, STATUS_UNSET
from tests.live.conftest import CANNOT_BE_HAD
from tests.loaders.push.sinks import Full, Keeping

HERE = Path(__file__).parent
JS_VERSION, JS_SDK_VERSION = "0.223.1", "2.12.1"
TOKEN = "s3cret"
SETTINGS = Settings(otlp_http_port=0, otlp_grpc_port=0)
RESOURCE = Resource({"service.name": "shop"})


@pytest.fixture
def sink() -> Keeping:
    return Keeping()


@pytest.fixture
def http(sink: Keeping) -> Iterator[str]:
    receiver = otlp_http.listen(sink, SETTINGS, host="127.0.0.1")
    yield f"http://{receiver.address}"
    receiver.stop()


@pytest.fixture
def grpc_address(sink: Keeping) -> Iterator[str]:
    receiver = otlp_grpc.listen(sink, SETTINGS, host="127.0.0.1")
    yield receiver.address
    receiver.stop()


def two_spans():
    """Return a child that failed and its parent, ended."""
    ended = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(ended))
    tracer = provider.get_tracer("lib")
    own: Attributes = {"text": "é", "whole": 3, "part": 0.5, "truth": True, "list": ["a", "b"]}
    with (
        tracer.start_as_current_span("parent", kind=SpanKind.CLIENT, attributes=own),
        tracer.start_as_current_span("child") as child,
    ):
        child.add_event("retry", {"attempt": 2})
        child.set_status(StatusCode.ERROR, "timed out")
    return ended.get_finished_spans()


def test_spans_by_protobuf_over_http(http, sink):
    url = f"{http}/v1/traces"
    for compression in (Compression.NoCompression, Compression.Gzip):
        check(proto_traces.OTLPSpanExporter(url, compression=compression), sink)


def test_spans_by_json_over_http(http, sink):
    url = f"{http}/v1/traces"
    for compression in JsonCompression:
        check(json_traces.OTLPSpanExporter(url, compression=compression), sink)


def test_spans_over_grpc(grpc_address, sink):
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        check(
            grpc_traces.OTLPSpanExporter(grpc_address, insecure=True, compression=compression), sink
        )


def check(exporter: SpanExporter, sink: Keeping) -> None:
    child, parent = spans = two_spans()
    sink.batches.clear()

    result = exporter.export(spans)
    exporter.shutdown()

    assert result == SpanExportResult.SUCCESS
    first, second = sink.rows
    assert first["trace_id"] == second["trace_id"] == f"{parent.context.trace_id:032x}"
    assert first["parent_span_id"] == second["span_id"] == f"{parent.context.span_id:016x}"
    assert (first["start_ns"], first["end_ns"]) == (child.start_time, child.end_time)
    assert dict(second["resource"]) == {"service.name": "shop"}
    assert second["scope"] == "lib"
    check_rows(first, second)


def check_rows(child, parent) -> None:
    """Check what the exporters of both languages send of the two spans."""
    assert (parent["name"], parent["kind"], parent["status"]) == (
        *("parent", KIND_CLIENT),
        STATUS_UNSET,
    )
    assert (child["name"], child["kind"], child["status"], child["status_message"]) == (
        *("child", KIND_INTERNAL, STATUS_ERROR),
        "timed out",
    )
    assert dict(parent["attributes"]) == {
        "text": "é",
        "whole": "3",
        "part": "0.5",
        "truth": "true",
        "list": '["a","b"]',
    }
    [event] = child["events"]
    assert (event["name"], event["attributes"]) == ("retry", [("attempt", "2")])


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_log_records(http, grpc_address, sink, transport):
    exporter = (
        http_logs.OTLPLogExporter(f"{http}/v1/logs")
        if transport == "http"
        else grpc_logs.OTLPLogExporter(grpc_address, insecure=True)
    )
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("shop.cart").emit(body="no stock", severity_number=None)
    provider.shutdown()

    [row] = sink.rows
    assert (row["body"], row["scope"]) == ("no stock", "shop.cart")


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_metrics(http, grpc_address, sink, transport):
    exporter = (
        metric_exporter.OTLPMetricExporter(f"{http}/v1/metrics")
        if transport == "http"
        else grpc_metrics.OTLPMetricExporter(grpc_address, insecure=True)
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
    provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
    provider.get_meter("shop").create_counter("retries").add(3, {"agent": "a1"})
    provider.shutdown()

    [row] = sink.rows
    assert (row["name"], row["value"]) == ("retries", 3)
    assert row["labels"] == [("agent", "a1"), ("service.name", "shop")]


def test_an_exporter_is_told_to_come_again_and_does():
    """An exporter that is told 503 retries by itself until there is room."""
    keeping, full = Keeping(), Full()

    class Opening:
        asked = 0

        def offer(self, batch):
            self.asked += 1
            return (full if self.asked == 1 else keeping).offer(batch)

    sink = Opening()
    receivers: list[Receiver] = [
        otlp_http.listen(sink, SETTINGS, host="127.0.0.1"),
        otlp_grpc.listen(sink, SETTINGS, host="127.0.0.1"),
    ]
    exporters: list[SpanExporter] = [
        proto_traces.OTLPSpanExporter(f"http://{receivers[0].address}/v1/traces"),
        grpc_traces.OTLPSpanExporter(receivers[1].address, insecure=True),
    ]
    for exporter, receiver in zip(exporters, receivers, strict=True):
        sink.asked = 0
        assert exporter.export(two_spans()) == SpanExportResult.SUCCESS
        exporter.shutdown()
        receiver.stop()

    assert len(keeping.rows) == 4


def test_the_token_is_sent_as_a_header(sink):
    settings = Settings(otlp_http_port=0, otlp_token=TOKEN)
    receiver = otlp_http.listen(sink, settings, host="127.0.0.1")
    url = f"http://{receiver.address}/v1/traces"
    for headers, result in (
        ({"authorization": f"Bearer {TOKEN}"}, SpanExportResult.SUCCESS),
        ({}, SpanExportResult.FAILURE),
    ):
        exporter = proto_traces.OTLPSpanExporter(url, headers=headers)
        assert exporter.export(two_spans()) == result
        exporter.shutdown()
    receiver.stop()


@pytest.fixture(scope="session")
def js_folder():
    install = [str(HERE / "otel_js.sh"), "install", JS_VERSION, JS_SDK_VERSION]
    done = subprocess.run(install, check=False, capture_output=True, text=True)
    if done.returncode == CANNOT_BE_HAD:
        pytest.skip(f"no exporters for JavaScript: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.live
@pytest.mark.parametrize(
    "how", [*product(["http", "proto", "grpc"], ["none", "gzip"])], ids=" ".join
)
def test_spans_from_javascript(js_folder, http, grpc_address, sink, how):
    transport, compression = how
    url = f"http://{grpc_address}" if transport == "grpc" else f"{http}/v1/traces"

    command = ["node", HERE / "otel_js_export.js", js_folder, transport, url, compression]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["code"], told["said"]) == (0, None)
    child, parent = sink.rows
    assert child["trace_id"] == parent["trace_id"] == told["trace"]
    assert child["parent_span_id"] == parent["span_id"]
    check_rows(child, parent)
