from collections.abc import Sequence

from graphmind_loaders import otlp_proto
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from tests.contracts.trace_source import TRACE, TRACE_ID, Plain, TraceSourceContract, rows
from tests.loaders.reading import read, spans


def message(plains: Sequence[Plain]) -> TracesData:
    traces = TracesData()
    group = traces.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope_spans = group.scope_spans.add()
    scope_spans.scope.name = "lib"
    for plain in plains:
        span = scope_spans.spans.add(
            trace_id=bytes.fromhex(plain.trace_id),
            span_id=bytes.fromhex(plain.span_id),
            parent_span_id=bytes.fromhex(plain.parent_id or ""),
            name=plain.name,
            start_time_unix_nano=plain.start_us * 1000,
            end_time_unix_nano=plain.end_us * 1000,
        )
        if plain.failed:
            span.status.code = Status.STATUS_CODE_ERROR
    return traces


def one_span() -> tuple[TracesData, Span]:
    traces = message(TRACE[:1])
    return traces, traces.resource_spans[0].scope_spans[0].spans[0]


def with_length(document: bytes) -> bytes:
    return len(document).to_bytes(4) + document


class TestOtlpProto(TraceSourceContract):
    source = otlp_proto
    broken = b"\n\x03\x12\x01\x12"

    def write(self, spans: Sequence[Plain]) -> bytes:
        return bytes(message(spans).SerializeToString())

    def join(self, documents: Sequence[bytes]) -> bytes:
        return b"".join(map(with_length, documents))


class TestOtlpProtoOfTempo(TestOtlpProto):
    """A message that holds the trace in its first field."""

    def write(self, spans: Sequence[Plain]) -> bytes:
        trace = bytes(message(spans).SerializeToString())
        return b"\n" + _varint(len(trace)) + trace


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + _varint(number >> 7)


def test_a_length_prefixed_file_is_recognised():
    assert otlp_proto.recognises(with_length(message(TRACE).SerializeToString()))


def test_a_span_is_read_whole():
    traces, span = one_span()
    span.kind = Span.SPAN_KIND_CLIENT
    span.trace_state = "ot=th:8"
    span.status.code = Status.STATUS_CODE_ERROR
    span.status.message = "timed out"
    span.attributes.add(key="n").value.int_value = 3
    span.attributes.add(key="absent")
    listed = span.attributes.add(key="list").value.array_value
    listed.values.add().bytes_value = b"\0\1"
    listed.values.add().kvlist_value.values.add(key="a").value.bool_value = True
    event = span.events.add(name="retry", time_unix_nano=5)
    event.attributes.add(key="x").value.double_value = 0.5
    span.links.add(trace_id=b"\xaa" * 16, span_id=b"\xbb" * 8)

    assert spans(otlp_proto, traces.SerializeToString()) == [
        {
            "trace_id": TRACE_ID,
            "span_id": TRACE[0].span_id,
            "parent_span_id": None,
            "name": "op-0.",
            "kind": 3,
            "start_ns": TRACE[0].start_us * 1000,
            "end_ns": TRACE[0].end_us * 1000,
            "status": 2,
            "status_message": "timed out",
            "trace_state": "ot=th:8",
            "scope": "lib",
            "resource": [("service.name", "shop")],
            "attributes": [("n", "3"), ("absent", None), ("list", '["AAE=",{"a":true}]')],
            "events": [{"name": "retry", "time_ns": 5, "attributes": [("x", "0.5")]}],
            "links": [{"trace_id": "aa" * 16, "span_id": "bb" * 8}],
        }
    ]


def test_spans_without_ids_are_handed_over():
    traces, span = one_span()
    span.trace_id = span.span_id = b""

    [found] = spans(otlp_proto, traces.SerializeToString())

    assert (found["trace_id"], found["span_id"], found["name"]) == (None, None, "op-0.")


def test_a_time_beyond_64_bits_costs_only_its_span():
    traces = message(TRACE)
    traces.resource_spans[0].scope_spans[0].spans[1].start_time_unix_nano = 2**63

    batches, rejected = read(otlp_proto, traces.SerializeToString())

    assert rows(batches) == [TRACE[0].row, TRACE[2].row, TRACE[3].row]
    assert rejected.counts == {"record of another shape": 1}


def test_log_records_are_counted_as_not_traces():
    logs = LogsData()
    record = logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=5)
    record.body.string_value = "hello"

    batches, rejected = read(otlp_proto, logs.SerializeToString())

    assert (batches, rejected.counts) == ([], {"not traces": 1})


def test_metrics_are_counted_as_not_traces():
    metrics = MetricsData()
    metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="requests", unit="1")

    batches, rejected = read(otlp_proto, metrics.SerializeToString())

    assert (batches, rejected.counts) == ([], {"not traces": 1})


def test_a_length_prefixed_file_cut_off_keeps_its_whole_messages():
    whole, cut = (with_length(message([plain]).SerializeToString()) for plain in TRACE[:2])

    batches, rejected = read(otlp_proto, whole + cut[:-3])

    assert rows(batches) == [TRACE[0].row]
    assert rejected.counts["broken protobuf"] >= 1
