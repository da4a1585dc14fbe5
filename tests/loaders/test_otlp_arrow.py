"""The receivers' fast decoder makes the same table as the reader of files."""

import io

import pytest
from graphmind_loaders import otlp_proto
from graphmind_loaders.columns import VALUE_CHARS_MAX
from graphmind_loaders.otlp_arrow import decode_logs, decode_spans
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from graphmind.errors import SourceError
from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.spans import SPANS

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
scalars = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=texts),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
    st.builds(AnyValue, double_value=st.floats()),
    st.builds(AnyValue, bytes_value=st.binary(max_size=4)),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(
            AnyValue,
            array_value=st.builds(ArrayValue, values=st.lists(inner, max_size=3)),
        ),
        st.builds(
            AnyValue,
            kvlist_value=st.builds(
                KeyValueList, values=st.lists(st.builds(KeyValue, key=texts, value=inner))
            ),
        ),
    ),
    max_leaves=4,
)
# Few keys, so that some are repeated.
pairs = st.builds(KeyValue, key=st.sampled_from(["a", "b", "", "é"]), value=anything)
attributes = st.lists(st.one_of(pairs, st.builds(KeyValue, key=texts)), max_size=4)
times = st.one_of(st.just(0), st.integers(0, 2**64 - 1), st.integers(0, 2**62))
trace_ids = st.one_of(st.binary(min_size=16, max_size=16), st.binary(max_size=17))
span_ids = st.one_of(st.binary(min_size=8, max_size=8), st.sampled_from([b"", b"\0" * 8, b"x"]))
span = st.builds(
    Span,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_span_id=span_ids,
    trace_state=texts,
    name=texts,
    kind=st.integers(-1, 7),
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=attributes,
    events=st.lists(
        st.builds(Span.Event, name=texts, time_unix_nano=times, attributes=attributes), max_size=2
    ),
    links=st.lists(st.builds(Span.Link, trace_id=trace_ids, span_id=span_ids), max_size=2),
    status=st.one_of(st.none(), st.builds(Status, message=texts, code=st.integers(-1, 4))),
)
request = st.builds(
    ExportTraceServiceRequest,
    resource_spans=st.lists(
        st.builds(
            ResourceSpans,
            resource=st.one_of(st.none(), st.builds(Resource, attributes=attributes)),
            scope_spans=st.lists(
                st.builds(
                    ScopeSpans,
                    scope=st.one_of(st.none(), st.builds(InstrumentationScope, name=texts)),
                    spans=st.lists(span, max_size=4),
                ),
                # Without any, a file's reader takes the group for a wrapping of groups.
                min_size=1,
                max_size=3,
            ),
        ),
        max_size=3,
    ),
)


def both(body: bytes) -> tuple[tuple[list[object], Rejections], tuple[list[object], Rejections]]:
    """Return rows and rejections of the file's reader, and those of the receivers' decoder."""
    slow, fast = Rejections(), Rejections()
    wanted = [row for batch in otlp_proto.read(io.BytesIO(body), slow) for row in batch.to_pylist()]
    batch = decode_spans(body, fast)
    batch.validate(full=True)
    assert batch.schema == SPANS
    return (wanted, slow), (batch.to_pylist(), fast)


@settings(max_examples=60, deadline=None)
@given(request)
def test_every_request_makes_the_table_that_a_file_of_it_makes(request):
    wanted, found = both(request.SerializeToString())

    # NaN is written as text, so rows compare.
    assert found == wanted


def test_values_beyond_the_limit_are_cut_and_counted_alike():
    long = AnyValue(string_value="é" * (VALUE_CHARS_MAX + 1))
    just = AnyValue(string_value="é" * VALUE_CHARS_MAX)
    pairs = [KeyValue(key="long", value=long), KeyValue(key="just", value=just)]
    one = Span(trace_id=b"t" * 16, span_id=b"s" * 8, attributes=pairs)
    one.events.add(attributes=pairs)
    group = ResourceSpans(
        resource=Resource(attributes=pairs), scope_spans=[ScopeSpans(spans=[one])]
    )

    wanted, found = both(ExportTraceServiceRequest(resource_spans=[group]).SerializeToString())

    assert found == wanted
    assert found[1].counts == {f"attribute value cut to {VALUE_CHARS_MAX} characters": 3}


def test_equal_resources_are_encoded_once():
    pairs = [KeyValue(key=key, value=AnyValue(string_value=key)) for key in "ab"]
    spans = [ScopeSpans(spans=[Span(trace_id=b"t" * 16, span_id=b"s" * 8)])]
    groups = [
        ResourceSpans(resource=Resource(attributes=order), scope_spans=spans)
        for order in (pairs, pairs[::-1], pairs[:1])
    ]

    batch = decode_spans(
        ExportTraceServiceRequest(resource_spans=groups).SerializeToString(), Rejections()
    )

    resources = batch.column("resource")
    assert resources.indices.to_pylist() == [0, 0, 1]
    assert resources.dictionary.to_pylist() == [[("a", "a"), ("b", "b")], [("a", "a")]]


def test_a_resource_too_large_to_be_remembered_is_read():
    value = AnyValue(string_value="v" * 10_000)
    resource = Resource(attributes=[KeyValue(key="k", value=value)])
    spans = [ScopeSpans(spans=[Span(trace_id=b"t" * 16, span_id=b"s" * 8)])]
    group = ResourceSpans(resource=resource, scope_spans=spans)

    wanted, found = both(ExportTraceServiceRequest(resource_spans=[group]).SerializeToString())

    assert found == wanted


# A resource, a value and a list of values that do not decode, each in a message that does.
BAD_RESOURCE = b"\n\x09\n\x01\xff\x12\x04\x12\x02\x12\x00"
BAD_LIST = b"\n\x0f\x12\x0d\x12\x0b" + b"\x4a\x09\n\x01a\x12\x04\x2a\x02\n\x05"


@pytest.mark.parametrize("decode", [decode_spans, decode_logs])
@pytest.mark.parametrize(
    "body", [b"abc", b"\xff" * 100, b"\n\x03\x12\x01\x12", b'{"resourceSpans":[]}', BAD_RESOURCE]
)
def test_broken_protobuf_is_refused_with_what_to_do(decode, body):
    with pytest.raises(SourceError, match=r"expected .*, got \d+ bytes"):
        decode(body, Rejections())


def test_a_list_of_values_that_does_not_decode_is_refused():
    with pytest.raises(SourceError, match="expected a list or map as the value"):
        decode_spans(BAD_LIST, Rejections())


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(body):
    for decode, schema in ((decode_spans, SPANS), (decode_logs, LOGS)):
        try:
            batch = decode(body, Rejections())
        except SourceError:
            continue
        assert batch.schema == schema


@settings(max_examples=40, deadline=None)
@given(request.map(lambda message: message.SerializeToString()), st.data())
def test_a_request_with_a_wrong_byte_is_decoded_or_refused(body, data):
    at = data.draw(st.integers(0, max(len(body) - 1, 0)))
    changed = body[:at] + data.draw(st.binary(max_size=2)) + body[at + 1 :]

    try:
        batch = decode_spans(changed, Rejections())
    except SourceError:
        return

    batch.validate(full=True)


def test_a_log_record_is_read_whole():
    logs = ExportLogsServiceRequest()
    group = logs.resource_logs.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = group.scope_logs.add()
    scope.scope.name = "logger"
    record = scope.log_records.add(
        time_unix_nano=5,
        severity_number=17,
        trace_id=b"\xaa" * 16,
        span_id=b"\xbb" * 8,
        event_name="retry",
    )
    record.body.kvlist_value.values.add(key="a").value.int_value = 1
    record.attributes.add(key="n").value.int_value = 3
    scope.log_records.add(
        observed_time_unix_nano=7, severity_number=99, trace_id=b"\0" * 16, span_id=b"x"
    ).body.string_value = "hello"

    batch = decode_logs(logs.SerializeToString(), Rejections())

    shared = {"scope": "logger", "resource": [("service.name", "shop")]}
    assert batch.to_pylist() == [
        {
            "time_ns": 5,
            "severity": 17,
            "body": '{"a":1}',
            "event_name": "retry",
            "trace_id": "aa" * 16,
            "span_id": "bb" * 8,
            "attributes": [("n", "3")],
            **shared,
        },
        {
            "time_ns": 7,
            "severity": 0,
            "body": "hello",
            "event_name": None,
            "trace_id": None,
            "span_id": None,
            "attributes": [],
            **shared,
        },
    ]


def test_an_empty_request_is_an_empty_batch():
    assert decode_spans(b"", Rejections()).num_rows == 0
    assert decode_logs(b"", Rejections()).num_rows == 0
