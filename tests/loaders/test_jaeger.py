import json
from collections.abc import Sequence

import pytest
from graphmind_loaders import jaeger

from tests.contracts.trace_source import TRACE, TRACE_ID, Plain, TraceSourceContract, rows
from tests.loaders.reading import read, spans


def tag(key: str, value: object) -> dict:
    return {"key": key, "type": "string", "value": value}


def jaeger_span(plain: Plain) -> dict:
    parent = {"refType": "CHILD_OF", "traceID": plain.trace_id, "spanID": plain.parent_id}
    return {
        "traceID": plain.trace_id,
        "spanID": plain.span_id,
        "operationName": plain.name,
        "references": [parent] if plain.parent_id else [],
        "startTime": plain.start_us,
        "duration": plain.end_us - plain.start_us,
        "tags": [{"key": "error", "type": "bool", "value": True}] if plain.failed else [],
        "logs": [],
        "processID": "p1",
    }


def trace(*jaeger_spans: dict) -> dict:
    processes = {"p1": {"serviceName": "shop", "tags": [tag("host.name", "h")]}}
    return {"traceID": TRACE_ID, "processes": processes, "spans": list(jaeger_spans)}


def only(span: dict) -> dict:
    [found] = spans(jaeger, json.dumps(trace(span)).encode())
    return found


class TestJaeger(TraceSourceContract):
    source = jaeger

    def write(self, spans: Sequence[Plain]) -> bytes:
        return json.dumps({"data": [trace(*map(jaeger_span, spans))], "total": 1}).encode()


class TestJaegerTraceAlone(TestJaeger):
    def write(self, spans: Sequence[Plain]) -> bytes:
        return json.dumps(trace(*map(jaeger_span, spans)), indent=1).encode()


class TestJaegerTraceWrappedOnceMore(TestJaeger):
    def write(self, spans: Sequence[Plain]) -> bytes:
        return json.dumps({"data": trace(*map(jaeger_span, spans)), "id": "x"}).encode()


class TestJaegerElasticsearch(TestJaeger):
    """The reply of a search."""

    def write(self, spans: Sequence[Plain]) -> bytes:
        hits = [{"_id": "x", "_source": self.document(span)} for span in spans]
        return json.dumps({"took": 1, "hits": {"total": 9, "hits": hits}}).encode()

    def document(self, plain: Plain) -> dict:
        span = jaeger_span(plain) | {"parentSpanID": plain.parent_id, "references": []}
        if plain.failed:
            span |= {"tags": [], "tag": {"error": "true"}}
        return span | {"process": {"serviceName": "shop", "tag": {"host@name": "h"}}}


class TestJaegerElasticsearchLines(TestJaegerElasticsearch):
    def write(self, spans: Sequence[Plain]) -> bytes:
        return b"\n".join(json.dumps(self.document(span)).encode() for span in spans)


def test_a_span_is_read_whole():
    span = jaeger_span(TRACE[1]) | {
        "tags": [
            tag("span.kind", "client"),
            tag("otel.status_code", "ERROR"),
            tag("otel.status_description", "timed out"),
            tag("otel.scope.name", "lib"),
            tag("w3c.tracestate", "ot=th:8"),
            tag("n", 3),
        ],
        "logs": [{"timestamp": 5, "fields": [tag("event", "retry"), tag("x", "y")]}],
    }
    span["references"] += [
        {"refType": "FOLLOWS_FROM", "traceID": "00000000000000ff", "spanID": "0e"},
        {"refType": "CHILD_OF", "traceID": "00000000000000aa", "spanID": "0f"},
    ]

    assert only(span) == {
        "trace_id": TRACE_ID,
        "span_id": TRACE[1].span_id,
        "parent_span_id": TRACE[0].span_id,
        "name": "op-1.",
        "kind": 3,
        "start_ns": TRACE[1].start_us * 1000,
        "end_ns": TRACE[1].end_us * 1000,
        "status": 2,
        "status_message": "timed out",
        "trace_state": "ot=th:8",
        "scope": "lib",
        "resource": [("host.name", "h"), ("service.name", "shop")],
        "attributes": [("n", "3")],
        "events": [{"name": "retry", "time_ns": 5000, "attributes": [("x", "y")]}],
        "links": [
            {"trace_id": "00000000000000ff", "span_id": "0e"},
            {"trace_id": "00000000000000aa", "span_id": "0f"},
        ],
    }


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ([tag("error", "true")], 2),
        ([tag("error", True)], 2),
        ([tag("error", "unset")], 0),
        ([tag("error", False)], 0),
        ([tag("otel.status_code", "OK")], 1),
        ([tag("otel.status_code", "OK"), tag("error", True)], 2),
    ],
)
def test_the_status_is_told_by_tags(tags, status):
    assert only(jaeger_span(TRACE[0]) | {"tags": tags})["status"] == status


def test_the_parent_may_have_lost_its_zeros():
    reference = {"refType": "CHILD_OF", "traceID": TRACE_ID.lstrip("0"), "spanID": "f"}

    assert only(jaeger_span(TRACE[0]) | {"references": [reference]})["parent_span_id"] == "f"


def test_a_reference_that_follows_within_the_trace_is_the_parent_if_there_is_no_other():
    reference = {"refType": "FOLLOWS_FROM", "traceID": TRACE_ID, "spanID": "f"}

    found = only(jaeger_span(TRACE[0]) | {"references": [reference]})

    assert (found["parent_span_id"], found["links"]) == ("f", [])


def test_a_span_of_another_shape_is_counted_and_the_others_are_read():
    odd = jaeger_span(TRACE[0]) | {"startTime": "noon"}
    file = json.dumps([trace(odd, jaeger_span(TRACE[1])), 7, {"nothing": 1}]).encode()

    batches, rejected = read(jaeger, file)

    assert rows(batches) == [TRACE[1].row]
    assert rejected.counts == {"record of another shape": 1, "not traces": 2}
