import json
from collections.abc import Sequence

import pytest
from graphmind_loaders import zipkin

from tests.contracts.trace_source import TRACE, TRACE_ID, Plain, TraceSourceContract, rows
from tests.loaders.reading import read, spans


def zipkin_span(plain: Plain) -> dict:
    return {
        "traceId": plain.trace_id,
        "id": plain.span_id,
        **({"parentId": plain.parent_id} if plain.parent_id else {}),
        "name": plain.name,
        "timestamp": plain.start_us,
        "duration": plain.end_us - plain.start_us,
        "localEndpoint": {"serviceName": "shop"},
        "tags": {"error": "broke"} if plain.failed else {},
    }


def call(kind: str, service: str, **fields) -> dict:
    return {
        "traceId": TRACE_ID,
        "id": "0a",
        "kind": kind,
        "name": "get",
        "localEndpoint": {"serviceName": service},
    } | fields


class TestZipkin(TraceSourceContract):
    source = zipkin

    def write(self, spans: Sequence[Plain]) -> bytes:
        return json.dumps([zipkin_span(span) for span in spans]).encode()


class TestZipkinTraces(TestZipkin):
    """A list of traces."""

    def write(self, spans: Sequence[Plain]) -> bytes:
        return json.dumps([[zipkin_span(span)] for span in spans], indent=2).encode()


class TestZipkinLines(TestZipkin):
    def write(self, spans: Sequence[Plain]) -> bytes:
        return b"\n".join(json.dumps(zipkin_span(span)).encode() for span in spans)


def test_a_span_is_read_whole():
    span = zipkin_span(TRACE[2]) | {
        "kind": "CLIENT",
        "localEndpoint": {"serviceName": "shop", "ipv4": "10.0.0.1"},
        "remoteEndpoint": {"serviceName": "pay", "ipv6": "::1", "port": 80},
        "annotations": [{"timestamp": 5, "value": "ws"}],
        "tags": {"error": "broke", "http.path": "/"},
    }

    assert spans(zipkin, json.dumps([span]).encode()) == [
        {
            "trace_id": TRACE_ID,
            "span_id": TRACE[2].span_id,
            "parent_span_id": TRACE[1].span_id,
            "name": "op-2.",
            "kind": 3,
            "start_ns": TRACE[2].start_us * 1000,
            "end_ns": TRACE[2].end_us * 1000,
            "status": 2,
            "status_message": "broke",
            "trace_state": None,
            "scope": None,
            "resource": [("service.name", "shop")],
            "attributes": [
                ("error", "broke"),
                ("http.path", "/"),
                ("network.local.address", "10.0.0.1"),
                ("network.peer.address", "::1"),
                ("network.peer.port", "80"),
                ("peer.service", "pay"),
            ],
            "events": [{"name": "ws", "time_ns": 5000, "attributes": []}],
            "links": [],
        }
    ]


@pytest.mark.parametrize("layout", [json.dumps, lambda all_: "\n".join(map(json.dumps, all_))])
def test_client_and_server_of_one_id_become_two_spans(layout):
    file = layout(
        [
            call("CLIENT", "shop"),
            call("SERVER", "pay", shared=True),
            call("CLIENT", "pay", id="0b", parentId="0a"),
            call("SERVER", "bank", id="0c", parentId="0a"),
        ]
    ).encode()

    client, server, below_server, other = spans(zipkin, file)

    assert client["span_id"] == "0a"
    assert (server["parent_span_id"], len(server["span_id"])) == ("0a", 16)
    assert below_server["parent_span_id"] == server["span_id"]
    assert other["parent_span_id"] == "0a"


def test_a_server_whose_client_is_not_there_keeps_its_id():
    file = json.dumps([call("SERVER", "pay", shared=True, parentId="01")]).encode()

    [server] = spans(zipkin, file)

    assert (server["span_id"], server["parent_span_id"]) == ("0a", "01")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({}, (None, None)),
        ({"duration": 3}, (None, None)),
        ({"timestamp": 5}, (5000, None)),
        ({"timestamp": "5", "duration": 3}, (5000, 8000)),
    ],
)
def test_a_time_that_is_not_given_is_absent(times, expected):
    [span] = spans(zipkin, json.dumps([call("CLIENT", "shop", **times)]).encode())

    assert (span["start_ns"], span["end_ns"]) == expected


def test_a_span_of_another_shape_is_counted_and_the_others_are_read():
    odd = [7, {"traceId": 1}, zipkin_span(TRACE[0]) | {"timestamp": 2**63}]
    file = json.dumps([*odd, zipkin_span(TRACE[1])]).encode()

    batches, rejected = read(zipkin, file)

    assert rows(batches) == [TRACE[1].row]
    assert rejected.counts == {"record of another shape": 2, "not traces": 1}
