import json
from collections.abc import Sequence

from graphmind_loaders import otel_js

from tests.contracts.trace_source import TRACE, TRACE_ID, Plain, TraceSourceContract, rows
from tests.loaders.reading import read, spans


def time(time_us: int) -> list[int]:
    return [time_us // 1_000_000, time_us % 1_000_000 * 1000]


def js_span(plain: Plain, **fields) -> dict:
    return {
        "name": plain.name,
        "spanContext": {"traceId": plain.trace_id, "spanId": plain.span_id},
        "attributes": {},
        "parentSpanId": plain.parent_id,
        "status": {"code": 2 if plain.failed else 0},
        "startTime": time(plain.start_us),
        "endTime": time(plain.end_us),
        "resource": {"attributes": {"service.name": "shop"}},
    } | fields


class TestOtelJs(TraceSourceContract):
    source = otel_js

    def write(self, spans: Sequence[Plain]) -> bytes:
        return json.dumps(list(map(js_span, spans)), indent=2).encode()


class TestOtelJsByOperation(TestOtelJs):
    """Lists under keys."""

    def write(self, spans: Sequence[Plain]) -> bytes:
        return json.dumps({f"ai.{span.number}": [js_span(span)] for span in spans}).encode()


class TestOtelJsLines(TestOtelJs):
    def write(self, spans: Sequence[Plain]) -> bytes:
        return b"\n".join(json.dumps(js_span(span)).encode() for span in spans)


def test_a_span_is_read_whole():
    span = js_span(
        TRACE[1],
        kind=2,
        parentSpanId=None,
        parentSpanContext={"traceId": TRACE_ID, "spanId": "0f"},
        status={"code": 2, "message": "timed out"},
        attributes={"a": "b", "n": 3, "list": ["x"]},
        events=[{"name": "retry", "time": [0, 5], "attributes": {"n": 1}}],
        links=[{"context": {"traceId": "aa", "spanId": "bb"}}],
        instrumentationLibrary={"name": "lib"},
        resource={"_attributes": {"service.name": "shop"}},
    )

    assert spans(otel_js, json.dumps([span]).encode()) == [
        {
            "trace_id": TRACE_ID,
            "span_id": TRACE[1].span_id,
            "parent_span_id": "0f",
            "name": "op-1.",
            "kind": 3,
            "start_ns": TRACE[1].start_us * 1000,
            "end_ns": TRACE[1].end_us * 1000,
            "status": 2,
            "status_message": "timed out",
            "trace_state": None,
            "scope": "lib",
            "resource": [("service.name", "shop")],
            "attributes": [("a", "b"), ("n", "3"), ("list", '["x"]')],
            "events": [{"name": "retry", "time_ns": 5, "attributes": [("n", "1")]}],
            "links": [{"trace_id": "aa", "span_id": "bb"}],
        }
    ]


def test_a_span_that_has_not_ended_has_no_end():
    [found] = spans(otel_js, json.dumps([js_span(TRACE[0], endTime=[0, 0])]).encode())

    assert found["end_ns"] is None


def test_a_span_of_another_shape_is_counted_and_the_others_are_read():
    odd = [js_span(TRACE[0], startTime=["noon"]), js_span(TRACE[0], endTime=[2**62, 0]), 7]
    file = json.dumps([*odd, js_span(TRACE[1])]).encode()

    batches, rejected = read(otel_js, file)

    assert rows(batches) == [TRACE[1].row]
    assert rejected.counts == {"record of another shape": 2, "not traces": 1}
