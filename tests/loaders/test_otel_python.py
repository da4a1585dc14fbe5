import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from graphmind_loaders import otel_python

from tests.contracts.trace_source import TRACE, TRACE_ID, Plain, TraceSourceContract, rows
from tests.loaders.reading import read, spans


def iso(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def python_span(plain: Plain, **fields) -> dict:
    return {
        "name": plain.name,
        "context": {
            "trace_id": f"0x{plain.trace_id}",
            "span_id": f"0x{plain.span_id}",
            "trace_state": "[]",
        },
        "kind": "SpanKind.INTERNAL",
        "parent_id": f"0x{plain.parent_id}" if plain.parent_id else None,
        "start_time": iso(plain.start_us),
        "end_time": iso(plain.end_us),
        "status": {"status_code": "ERROR" if plain.failed else "UNSET"},
        "attributes": {},
        "events": [],
        "links": [],
        "resource": {"attributes": {"service.name": "shop"}, "schema_url": ""},
    } | fields


class TestOtelPython(TraceSourceContract):
    source = otel_python

    def write(self, spans: Sequence[Plain]) -> bytes:
        return b"\n".join(json.dumps(python_span(span)).encode() for span in spans)


class TestOtelPythonConsole(TestOtelPython):
    """Indented objects one after another."""

    def write(self, spans: Sequence[Plain]) -> bytes:
        return b"\n".join(json.dumps(python_span(span), indent=4).encode() for span in spans)


def test_a_span_is_read_whole():
    span = python_span(
        TRACE[1],
        kind="SpanKind.CLIENT",
        status={"status_code": "ERROR", "description": "timed out"},
        attributes={"a": "b", "n": 3, "list": ["x"]},
        events=[{"name": "retry", "timestamp": iso(5), "attributes": {"n": 1}}],
        links=[{"context": {"trace_id": "0xaa", "span_id": "0xbb"}, "attributes": {}}],
    )

    assert spans(otel_python, json.dumps(span).encode()) == [
        {
            "trace_id": TRACE_ID,
            "span_id": TRACE[1].span_id,
            "parent_span_id": TRACE[0].span_id,
            "name": "op-1.",
            "kind": 3,
            "start_ns": TRACE[1].start_us * 1000,
            "end_ns": TRACE[1].end_us * 1000,
            "status": 2,
            "status_message": "timed out",
            "trace_state": None,
            "scope": None,
            "resource": [("service.name", "shop")],
            "attributes": [("a", "b"), ("n", "3"), ("list", '["x"]')],
            "events": [{"name": "retry", "time_ns": 5000, "attributes": [("n", "1")]}],
            "links": [{"trace_id": "aa", "span_id": "bb"}],
        }
    ]


@pytest.mark.parametrize(
    "resource", [{"service.name": "shop"}, {"attributes": {"service.name": "shop"}}]
)
def test_the_resource_is_read_as_old_and_new_versions_write_it(resource):
    [found] = spans(otel_python, json.dumps(python_span(TRACE[0], resource=resource)).encode())

    assert found["resource"] == [("service.name", "shop")]


def test_a_span_that_has_not_ended_has_no_end():
    [found] = spans(otel_python, json.dumps(python_span(TRACE[0], end_time=None)).encode())

    assert found["end_ns"] is None


def test_a_span_of_another_shape_is_counted_and_the_others_are_read():
    odd = [python_span(TRACE[0], start_time="noon"), {"context": 5}, 7]
    file = json.dumps([*odd, python_span(TRACE[1])]).encode()

    batches, rejected = read(otel_python, file)

    assert rows(batches) == [TRACE[1].row]
    assert rejected.counts == {"record of another shape": 3}
