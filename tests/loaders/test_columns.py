from graphmind_loaders.columns import BATCH_SPANS_MAX, VALUE_CHARS_MAX, SpanColumns
from graphmind_loaders.span import Event, Link, Span
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.spans import SPANS, spans_from_rows

TEXTS = st.dictionaries(st.text(max_size=3), st.none() | st.text(max_size=3), max_size=3)
HEX = st.text("0123456789abcdef", min_size=1)
TIMES = st.none() | st.integers(0, 2**63 - 1)
SPANS_OF_ONE_PROCESS = st.builds(
    Span,
    trace_id=st.none() | HEX,
    span_id=st.none() | HEX,
    parent_span_id=st.none() | HEX.filter(lambda text: text.strip("0")),
    name=st.none() | st.text(),
    start_ns=TIMES,
    end_ns=TIMES,
    attributes=TEXTS,
    resource=TEXTS,
    kind=st.integers(0, 5),
    status=st.integers(0, 2),
    status_message=st.none() | st.text(),
    trace_state=st.none() | st.text(),
    scope=st.none() | st.text(),
    events=st.builds(Event, st.text(), TIMES, TEXTS).map(lambda event: (event,)) | st.just(()),
    links=st.builds(Link, HEX, HEX).map(lambda link: (link,)) | st.just(()),
)


def span(attributes: dict[str, str | None], **fields) -> Span:
    ids = {"trace_id": "a", "span_id": "b", "parent_span_id": None, "name": "x"}
    times = {"start_ns": 1, "end_ns": 2}
    return Span(**(ids | times | {"attributes": attributes, "resource": {}} | fields))


def batches(spans: list[Span], rejected: Rejections | None = None):
    columns = SpanColumns(rejected or Rejections())
    return [*columns.add(spans), *columns.rest()]


def as_row(found: Span) -> dict:
    fields = {name: getattr(found, name) for name in SPANS.names}
    events = [
        {"name": e.name, "time_ns": e.time_ns, "attributes": e.attributes} for e in found.events
    ]
    links = [{"trace_id": link.trace_id, "span_id": link.span_id} for link in found.links]
    return fields | {"events": events, "links": links}


@settings(max_examples=30)
@given(st.lists(SPANS_OF_ONE_PROCESS, min_size=1, max_size=5))
def test_columns_hold_what_the_spans_hold(spans):
    [batch] = batches(spans)

    expected = spans_from_rows([as_row(found) for found in spans])
    batch.validate(full=True)
    assert batch.schema.equals(SPANS)
    assert batch.to_pylist() == expected.to_pylist()


def test_a_resource_is_encoded_once():
    shop = {"service.name": "shop"}

    [batch] = batches([span({}, resource=r) for r in (shop, dict(shop), {"service.name": "pay"})])

    assert batch["resource"].indices.to_pylist() == [0, 0, 1]


def test_a_full_batch_is_handed_over_at_once():
    columns = SpanColumns(Rejections())

    full = list(columns.add([span({})] * (BATCH_SPANS_MAX + 10)))

    assert [batch.num_rows for batch in full] == [BATCH_SPANS_MAX]
    assert [batch.num_rows for batch in columns.rest()] == [10]
    assert list(columns.rest()) == []


def test_long_values_make_batches_smaller():
    value = "x" * VALUE_CHARS_MAX

    sizes = [batch.num_rows for batch in batches([span({"a": value})] * 3000)]

    assert sizes == [1024, 1024, 952]


def test_values_of_events_and_resources_are_cut_too():
    rejected = Rejections()
    long: dict[str, str | None] = {"a": "x" * (VALUE_CHARS_MAX + 1)}

    [batch] = batches([span({}, resource=long, events=(Event("e", 1, long),))], rejected)

    cut = [("a", "x" * VALUE_CHARS_MAX)]
    assert batch["resource"].to_pylist() == [cut]
    assert batch["events"].to_pylist()[0][0]["attributes"] == cut
    assert sum(rejected.counts.values()) == 2
