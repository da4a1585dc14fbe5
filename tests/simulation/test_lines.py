"""The lines as another reader of OTLP JSON sees them; ids are hex, where protobuf wants base64."""

import base64
from collections import Counter

import orjson
import pytest
from google.protobuf import json_format  # type: ignore[import-untyped]  # no stubs
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from graphmind.simulation.otlp import request_lines
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate

IDS = ("traceId", "spanId", "parentSpanId")


def lines_of(scenario):
    return [*request_lines(simulate(scenario).traces(), scenario)]


def spans_of(line):
    for group in orjson.loads(line)["resourceSpans"]:
        for scope in group["scopeSpans"]:
            yield from scope["spans"]


def with_base64_ids(request):
    for group in request["resourceSpans"]:
        for scope in group["scopeSpans"]:
            for span in scope["spans"]:
                for record in (span, *span.get("links", ())):
                    for name in record.keys() & set(IDS):
                        record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    return request


@pytest.fixture(scope="module")
def lines():
    return lines_of(Scenario(seed=3, traces=120, quiet=True, base_rate=0.3, lost=0.05))


def test_every_line_is_an_export_request_of_the_protocol(lines):
    requests = [
        json_format.ParseDict(with_base64_ids(orjson.loads(line)), ExportTraceServiceRequest())
        for line in lines
    ]

    spans = [
        span
        for request in requests
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]
    assert len(spans) == sum(1 for line in lines for _ in spans_of(line))
    assert {len(span.trace_id) for span in spans} == {16}
    assert {len(span.span_id) for span in spans} == {8}
    assert {len(span.parent_span_id) for span in spans} == {0, 8}


def test_spans_arrive_late_and_twice_and_are_lost():
    scenario = Scenario(seed=3, traces=100, quiet=True, duplicated=0.1, lost=0.1, late=0.1)
    recorded = [span for trace in simulate(scenario).traces() for span in trace.spans]
    arrived = Counter(span["spanId"] for line in lines_of(scenario) for span in spans_of(line))

    assert 0 < len(recorded) - len(arrived) < 0.2 * len(recorded)
    assert set(arrived.values()) == {1, 2}
    assert arrived.keys() <= {span.span_id for span in recorded}


def test_a_network_without_faults_brings_each_span_once():
    scenario = Scenario(seed=3, traces=100, quiet=True, duplicated=0, lost=0, late=0)
    recorded = {span.span_id for trace in simulate(scenario).traces() for span in trace.spans}

    arrived = [span["spanId"] for line in lines_of(scenario) for span in spans_of(line)]
    assert sorted(arrived) == sorted(recorded)


def test_a_resubmitted_job_links_to_the_trace_before(lines):
    spans = [span for line in lines for span in spans_of(line)]
    traces = {span["traceId"] for span in spans}
    linked = [link["traceId"] for span in spans for link in span.get("links", ())]

    assert linked
    assert set(linked) <= traces
