"""A real Jaeger: what is sent to it by OTLP comes back by each of its APIs, span for span."""

import io
import time
from contextlib import closing

import httpx
import pytest
from graphmind_loaders import otlp_proto
from graphmind_loaders.pull.jaeger import APIS, Jaeger
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from graphmind.sources import PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from tests.live.servers import JaegerServer, jaeger

pytestmark = [pytest.mark.live, pytest.mark.slow]

FIRST_ID = 0x0AF7651916CD43DD8448EB211C803100
TRACES, SERVICES = 40, ["planner", "writer"]
SECOND_NS = 10**9
WAIT_S = 30


def value(of):
    kind = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
    return common_pb2.AnyValue(**{kind[type(of)]: of})


def pairs(**values):
    return [common_pb2.KeyValue(key=key, value=value(of)) for key, of in values.items()]


def request(start_ns):
    """Traces of a root in one service and a failing child in the other, 10 ms apart."""
    sent = trace_service_pb2.ExportTraceServiceRequest()
    for at, service in enumerate(SERVICES):
        group = sent.resource_spans.add()
        group.resource.attributes.extend(pairs(**{"service.name": service, "cloud.region": "eu"}))
        scope = group.scope_spans.add()
        scope.scope.name = "gm"
        for number in range(TRACES):
            span = scope.spans.add()
            span.trace_id = (FIRST_ID + number).to_bytes(16)
            span.span_id = (10 * number + at + 1).to_bytes(8)
            span.name = ("task", "chat m-1")[at]
            span.kind = (trace_pb2.Span.SPAN_KIND_SERVER, trace_pb2.Span.SPAN_KIND_CLIENT)[at]
            span.start_time_unix_nano = start_ns + number * 10_000_000 + at * 1_000_007
            span.end_time_unix_nano = span.start_time_unix_nano + 5_000_011
            span.attributes.extend(pairs(number=number, share=0.5, cached=True, agent="planner"))
            if at:
                span.parent_span_id = (10 * number + 1).to_bytes(8)
                span.status.code = trace_pb2.Status.STATUS_CODE_ERROR
                span.status.message = "timed out"
                event = span.events.add(
                    name="exception", time_unix_nano=span.start_time_unix_nano + 9_000
                )
                event.attributes.extend(pairs(**{"exception.type": "TimeoutError"}))
    return sent.SerializeToString()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with jaeger(tmp_path_factory.mktemp("jaeger")) as started:
        yield started


@pytest.fixture(scope="module")
def sent(server: JaegerServer):
    """The spans as they were sent, and when the first one started."""
    start_ns = time.time_ns() // SECOND_NS * SECOND_NS - 60 * SECOND_NS
    body = request(start_ns)
    headers = {"content-type": "application/x-protobuf"}
    reply = httpx.post(f"{server.otlp_url}/v1/traces", content=body, headers=headers)
    assert reply.status_code == 200
    batches = otlp_proto.read(io.BytesIO(body), Rejections())
    return start_ns, ordered(row for batch in batches for row in batch.to_pylist())


def ordered(spans):
    return sorted(({**span, **sets(span)} for span in spans), key=lambda span: span["span_id"])


def sets(span):
    return {key: dict(span[key]) for key in ("resource", "attributes")}


def pulled(server: JaegerServer, window, rejected=None, **how):
    options = how.pop("options", {})
    config = SourceConfig(kind="jaeger", name="j", url=server.query_url, options=options)
    with closing(Jaeger(config, **how)) as source:
        batches = list(source.pull(window, Rejections() if rejected is None else rejected))
    return ordered(row for batch in batches for row in batch.to_pylist())


def awaited(server, sent, **how):
    """Pull until all is there: Jaeger stores a moment after it has answered."""
    start_ns, spans = sent
    window = PullWindow(from_ns=start_ns, until_ns=start_ns + 60 * SECOND_NS)
    until = time.monotonic() + WAIT_S
    found: list[dict] = []
    while len(found) < len(spans) and time.monotonic() < until:
        time.sleep(0.2)
        found = pulled(server, window, **how)
    return found


def test_api_v3_gives_back_every_span_exactly(server, sent):
    assert awaited(server, sent, apis=APIS[:-1]) == sent[1]


def test_the_old_api_gives_back_every_span_to_the_microsecond(server, sent):
    found = awaited(server, sent, apis=APIS[-1:])

    assert [in_microseconds(span) for span in found] == [in_microseconds(s) for s in sent[1]]


def in_microseconds(span):
    duration = (span["end_ns"] - span["start_ns"]) // 1000
    start = span["start_ns"] // 1000
    events = [
        {**event, "time_ns": event["time_ns"] // 1000, "attributes": dict(event["attributes"])}
        for event in span["events"]
    ]
    return {**span, "start_ns": start, "end_ns": start + duration, "events": events}


def test_more_traces_than_the_limit_are_all_there(server, sent):
    awaited(server, sent)
    rejected = Rejections()

    found = pulled(
        server,
        PullWindow(from_ns=sent[0], until_ns=sent[0] + SECOND_NS),
        rejected,
        options={"limit": 3},
    )

    assert found == sent[1]
    assert rejected.counts == {}


def test_a_part_of_the_window_gives_the_traces_that_have_a_span_in_it(server, sent):
    awaited(server, sent)
    start_ns = sent[0]

    found = pulled(
        server, PullWindow(from_ns=start_ns + 50_000_000, until_ns=start_ns + 70_000_000)
    )

    assert {span["trace_id"] for span in found} == {
        f"{FIRST_ID + number:032x}" for number in (5, 6)
    }
    assert pulled(server, PullWindow(from_ns=1, until_ns=2)) == []
