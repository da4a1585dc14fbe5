import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from graphmind_loaders import jaeger_model

from tests.contracts.trace_source import TRACE, Plain, TraceSourceContract, rows
from tests.loaders.reading import read, spans


def b64(text: str | None) -> str:
    return base64.b64encode(bytes.fromhex(text or "")).decode()


def domain_span(plain: Plain) -> dict:
    error = {"key": "error", "vType": "BOOL", "vBool": True}
    parent = {"refType": "CHILD_OF", "traceId": b64(plain.trace_id), "spanId": b64(plain.parent_id)}
    return {
        "traceId": b64(plain.trace_id),
        "spanId": b64(plain.span_id),
        "references": [parent] if plain.parent_id else [],
        "operationName": plain.name,
        "startTime": datetime.fromtimestamp(plain.start_us / 1e6, UTC).isoformat(),
        "duration": f"{plain.end_us - plain.start_us}us",
        "tags": [error] if plain.failed else [],
        "process": {"serviceName": "shop"},
    }


class TestJaegerDomainModel(TraceSourceContract):
    source = jaeger_model

    def write(self, spans: Sequence[Plain]) -> bytes:
        return json.dumps({"spans": [domain_span(span) for span in spans]}).encode()


class TestJaegerThrift(TraceSourceContract):
    source = jaeger_model

    def write(self, spans: Sequence[Plain]) -> bytes:
        process = {"serviceName": "shop", "tags": []}
        return json.dumps({"process": process, "spans": [self.span(s) for s in spans]}).encode()

    def span(self, plain: Plain) -> dict:
        return {
            "traceIdHigh": _signed(plain.trace_id[:16]),
            "traceIdLow": _signed(plain.trace_id[16:]),
            "spanId": _signed(plain.span_id),
            "parentSpanId": _signed(plain.parent_id or "0"),
            "operationName": plain.name,
            "startTime": plain.start_us,
            "duration": plain.end_us - plain.start_us,
            "tags": [{"key": "error", "vType": "STRING", "vStr": "true"}] if plain.failed else [],
        }


def _signed(hex_id: str) -> int:
    number = int(hex_id, 16)
    return number - 2**64 if number >= 2**63 else number


def test_every_type_of_tag_becomes_text():
    tags = [
        {"key": "string", "vStr": "a"},
        {"key": "empty", "vStr": ""},
        {"key": "bool", "vBool": False},
        {"key": "int", "vInt64": "9223372036854775222"},
        {"key": "long", "vLong": 5},
        {"key": "float", "vFloat64": 72.5},
        {"key": "double", "vDouble": 0.5},
        {"key": "bytes", "vBinary": "AAE="},
        {"key": "none"},
    ]

    file = json.dumps({"spans": [domain_span(TRACE[0]) | {"tags": tags}]}).encode()

    assert spans(jaeger_model, file)[0]["attributes"] == [
        ("string", "a"),
        ("empty", ""),
        ("bool", "false"),
        ("int", "9223372036854775222"),
        ("long", "5"),
        ("float", "72.5"),
        ("double", "0.5"),
        ("bytes", "AAE="),
        ("none", None),
    ]


def test_logs_and_other_references_are_events_and_links():
    log = {"timestamp": 5, "fields": [{"key": "event", "vStr": "retry"}]}
    reference = {"refType": "FOLLOWS_FROM", "traceIdLow": 255, "spanId": 14}
    span = {"traceIdLow": 1, "spanId": 2, "logs": [log], "references": [reference]}

    [found] = spans(jaeger_model, json.dumps({"spans": [span]}).encode())

    assert found["events"] == [{"name": "retry", "time_ns": 5000, "attributes": []}]
    assert found["links"] == [{"trace_id": "00000000000000ff", "span_id": "000000000000000e"}]


def test_a_span_of_another_shape_is_counted_and_the_others_are_read():
    odd = [{"startTime": "noon"}, {"duration": "long"}, {"duration": "9999999h"}]
    found = [domain_span(TRACE[0]) | fields for fields in odd]
    file = json.dumps([{"spans": [*found, domain_span(TRACE[1])]}, {"nothing": 1}]).encode()

    batches, rejected = read(jaeger_model, file)

    assert rows(batches) == [TRACE[1].row]
    assert rejected.counts == {"record of another shape": 3, "not traces": 1}
