import base64
import json
from collections.abc import Sequence

import pytest
from graphmind_loaders import otlp_json
from graphmind_loaders.columns import VALUE_CHARS_MAX

from tests.contracts.trace_source import TRACE_ID, Plain, TraceSourceContract
from tests.loaders.reading import read, spans


def string(key: str, value: str) -> dict:
    return {"key": key, "value": {"stringValue": value}}


def request(*otlp_spans: dict) -> dict:
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [string("service.name", "shop")]},
                "scopeSpans": [{"scope": {"name": "lib"}, "spans": list(otlp_spans)}],
            }
        ]
    }


def span(**fields) -> dict:
    return {
        "traceId": TRACE_ID,
        "spanId": "00f067aa0ba902b7",
        "name": "chat",
        "startTimeUnixNano": "1767225600000000000",
        "endTimeUnixNano": 1767225600500000000,
    } | fields


def line(document: object) -> bytes:
    return json.dumps(document).encode()


def only(*documents: object) -> dict:
    [found] = spans(otlp_json, b"\n".join(map(line, documents)))
    return found


class TestOtlpJson(TraceSourceContract):
    source = otlp_json

    def write(self, spans: Sequence[Plain]) -> bytes:
        return line(request(*map(self.span, spans)))

    def span(self, plain: Plain) -> dict:
        return span(
            traceId=plain.trace_id,
            spanId=plain.span_id,
            parentSpanId=plain.parent_id or "",
            name=plain.name,
            startTimeUnixNano=str(plain.start_us * 1000),
            endTimeUnixNano=plain.end_us * 1000,
            status={"code": 2} if plain.failed else {},
        )


class TestOtlpJsonOfServers(TestOtlpJson):
    """Base64 ids, names for enums, indented: the dialect of protobuf's own JSON."""

    def write(self, spans: Sequence[Plain]) -> bytes:
        return json.dumps(
            {"batches": request(*map(self.span, spans))["resourceSpans"]}, indent=2
        ).encode()

    def span(self, plain: Plain) -> dict:
        ids = {
            "traceId": base64.b64encode(bytes.fromhex(plain.trace_id)).decode(),
            "spanId": base64.b64encode(bytes.fromhex(plain.span_id)).decode(),
            "parentSpanId": base64.b64encode(bytes.fromhex(plain.parent_id or "")).decode(),
        }
        status = {"code": "STATUS_CODE_ERROR"} if plain.failed else {"code": "STATUS_CODE_OK"}
        return super().span(plain) | ids | {"status": status, "kind": "SPAN_KIND_SERVER"}


def test_a_span_is_read_whole():
    event = {"name": "retry", "timeUnixNano": "5", "attributes": [string("n", "1")]}

    found = only(
        request(
            span(
                traceId=TRACE_ID.upper(),
                parentSpanId="00F067AA0BA902B8",
                traceState="ot=th:8",
                kind=3,
                attributes=[string("a", "b")],
                status={"code": 2, "message": "timed out"},
                events=[event],
                links=[{"traceId": "AA", "spanId": "BB", "attributes": []}],
                droppedAttributesCount=3,
            )
        )
    )

    assert found == {
        "trace_id": TRACE_ID,
        "span_id": "00f067aa0ba902b7",
        "parent_span_id": "00f067aa0ba902b8",
        "name": "chat",
        "kind": 3,
        "start_ns": 1767225600000000000,
        "end_ns": 1767225600500000000,
        "status": 2,
        "status_message": "timed out",
        "trace_state": "ot=th:8",
        "scope": "lib",
        "resource": [("service.name", "shop")],
        "attributes": [("a", "b")],
        "events": [{"name": "retry", "time_ns": 5, "attributes": [("n", "1")]}],
        "links": [{"trace_id": "aa", "span_id": "bb"}],
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"stringValue": ""}, ""),
        ({"intValue": "12"}, "12"),
        ({"intValue": 12}, "12"),
        ({"intValue": "99999999999999999999"}, "99999999999999999999"),
        ({"boolValue": False}, "false"),
        ({"doubleValue": 0.5}, "0.5"),
        ({"doubleValue": "NaN"}, "NaN"),
        ({"bytesValue": "AAE="}, "AAE="),
        ({"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "b"}]}}, '[1,"b"]'),
        ({"arrayValue": {}}, "[]"),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}]}}, '{"a":true}'),
        ({}, None),
        (None, None),
    ],
)
def test_an_attribute_value_becomes_text(value, text):
    found = only(request(span(attributes=[{"key": "k", "value": value}])))

    assert found["attributes"] == [("k", text)]


def test_of_an_attribute_given_twice_the_last_counts():
    found = only(request(span(attributes=[string("a", "1"), string("b", "2"), string("a", "3")])))

    assert found["attributes"] == [("a", "3"), ("b", "2")]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda document: {"result": document},
        lambda document: {"trace": document, "metrics": {}},
        lambda document: {"trace": {"batches": document["resourceSpans"]}},
        lambda document: [document],
        lambda document: [{"resourceLogs": []}, document],
    ],
)
def test_replies_of_servers_are_unwrapped(wrap):
    assert only(wrap(request(span())))["name"] == "chat"


def test_the_names_before_version_0_19_are_known():
    old = request(span())
    [group] = old["resourceSpans"]
    [scope_spans] = group.pop("scopeSpans")
    scope_spans["instrumentationLibrary"] = scope_spans.pop("scope")
    group["instrumentationLibrarySpans"] = [scope_spans]

    assert only(old)["scope"] == "lib"


@pytest.mark.parametrize(
    "document", [{"resourceLogs": []}, {"resourceMetrics": []}, {"resourceProfiles": []}]
)
def test_logs_and_metrics_are_counted_as_not_traces(document):
    batches, rejected = read(otlp_json, line(document))

    assert otlp_json.recognises(line(document))
    assert (batches, rejected.counts) == ([], {"not traces": 1})


def test_spans_without_ids_are_handed_over():
    found = only(request({"name": "lost"}))

    assert (found["trace_id"], found["span_id"], found["name"]) == (None, None, "lost")


def test_a_parent_of_zeros_is_none():
    assert only(request(span(parentSpanId="0000000000000000")))["parent_span_id"] is None


def test_a_time_of_zero_is_absent():
    assert only(request(span(endTimeUnixNano="0")))["end_ns"] is None


@pytest.mark.parametrize(
    "field",
    [
        {"startTimeUnixNano": str(2**63)},
        {"startTimeUnixNano": -1},
        {"endTimeUnixNano": "yesterday"},
        {"name": 7},
        {"attributes": "none"},
        {"status": []},
    ],
)
def test_a_span_of_another_shape_is_counted_and_the_others_are_read(field):
    file = line(request(span(name="one"), span(**field), span(name="two")))

    batches, rejected = read(otlp_json, file)

    assert [name for batch in batches for name in batch["name"].to_pylist()] == ["one", "two"]
    assert rejected.counts == {"record of another shape": 1}


def test_logs_beside_a_span_of_another_shape_are_counted_too():
    file = line([{"resourceLogs": []}, request(span(name=7), span(name="one"))])

    batches, rejected = read(otlp_json, file)

    assert [name for batch in batches for name in batch["name"].to_pylist()] == ["one"]
    assert rejected.counts == {"not traces": 1, "record of another shape": 1}


def test_a_number_that_json_does_not_know_is_let_pass():
    file = line(request(span(attributes=[{"key": "k", "value": {"doubleValue": float("nan")}}])))

    assert b"NaN" in file
    assert spans(otlp_json, file)[0]["attributes"] == [("k", "NaN")]


def test_nul_bytes_in_text_are_kept():
    found = only(request(span(name="a\0b")))

    assert found["name"] == "a\0b"


def test_half_a_character_is_replaced():
    file = line(request(span(name="a\ud800b"), span(name="\U0001f600")))

    assert [found["name"] for found in spans(otlp_json, file)] == ["a\ufffdb", "\U0001f600"]


def test_bytes_that_are_not_utf8_are_replaced_and_counted():
    good, latin = line(request(span())), line(request(span(name="caf#"))).replace(b"#", b"\xe9")

    batches, rejected = read(otlp_json, good + b"\n" + latin)

    assert [name for batch in batches for name in batch["name"].to_pylist()] == [
        "chat",
        "caf\ufffd",
    ]
    assert rejected.counts == {"not UTF-8: read with replacement characters": 1}


def test_nesting_without_end_costs_only_its_line():
    deep = b'{"resourceSpans":' + b"[" * 100_000

    batches, rejected = read(otlp_json, b"\n".join([deep, line(request(span()))]))

    assert [batch.num_rows for batch in batches] == [1]
    assert rejected.counts == {"broken JSON": 1}


def test_a_value_nested_beyond_reason_is_cut_off():
    value: dict = {"stringValue": "end"}
    for _ in range(60):
        value = {"arrayValue": {"values": [value]}}

    [(_, text)] = only(request(span(attributes=[{"key": "k", "value": value}])))["attributes"]

    assert text == "[" * 32 + "null" + "]" * 32


def test_a_very_long_value_is_cut_and_counted():
    file = line(request(span(attributes=[string("prompt", "x" * 5_000_000), string("a", "b")])))

    batches, rejected = read(otlp_json, file)

    assert batches[0]["attributes"].to_pylist() == [[("prompt", "x" * VALUE_CHARS_MAX), ("a", "b")]]
    assert rejected.rows() == [
        {
            "reason": f"attribute value cut to {VALUE_CHARS_MAX} characters",
            "count": 1,
            "samples": ["prompt: 5000000 characters"],
        }
    ]


def test_every_line_of_a_long_file_is_read_in_order():
    file = b"\n".join(line(request(span(name=f"{n}"))) for n in range(3000))

    names = [found["name"] for found in spans(otlp_json, file)]

    assert names == [f"{n}" for n in range(3000)]


def test_indented_documents_in_a_row_are_told_apart():
    documents = [json.dumps(request(span(name=name)), indent=4).encode() for name in "ab"]

    names = [found["name"] for found in spans(otlp_json, b"\n".join(documents))]

    assert names == ["a", "b"]
