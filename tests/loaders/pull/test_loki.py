import pyarrow as pa
import pytest
from graphmind_loaders.pull.loki import open_source
from graphmind_loaders.pull.windows import NARROW
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.errors import SourceError
from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.rejections import Rejections
from tests.loaders.pull.asking import START_NS, opened, rows, window
from tests.loaders.pull.serving import Answer

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def streams(*found):
    return Answer.of({"status": "success", "data": {"resultType": "streams", "result": found}})


def loki(offsets_ns, *, limit_max=1000):
    """A Loki with one line at each of these times after START_NS, in two streams."""
    lines = [(START_NS + at, number) for number, at in enumerate(sorted(offsets_ns))]

    def answer(asked):
        limit = int(asked.query["limit"])
        if limit > limit_max:
            words = b"max entries limit per query exceeded, limit > max_entries_limit_per_query"
            return Answer(status=400, body=words)
        low, high = int(asked.query["start"]), int(asked.query["end"])
        found = [line for line in lines if low <= line[0] < high][:limit]
        return streams(
            *(
                {
                    "stream": {"s": str(of)},
                    "values": [[str(t), str(n)] for t, n in found if n % 2 == of],
                }
                for of in range(2)
            )
        )

    return answer


@given(st.lists(st.integers(0, 12), max_size=40), st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_every_line_comes_exactly_once_however_pages_end(offsets, limit):
    rejected = Rejections()
    with opened(open_source, loki(offsets), limit=limit) as (source, server):
        found = rows(source, window(), rejected)

    times = [row["time_ns"] for row in found]
    assert times == sorted(times)
    assert sorted(int(row["body"]) for row in found) == list(range(len(offsets)))
    assert rejected.counts == {}
    assert len(server.asked) <= 3 * len(offsets) + 3


def test_more_of_one_time_than_the_server_allows_is_counted_and_passed_by():
    rejected = Rejections()
    with opened(open_source, loki([5] * 9 + [7], limit_max=4), limit=4) as (source, _):
        found = rows(source, window(), rejected)

    assert [row["time_ns"] - START_NS for row in found] == [5, 5, 5, 5, 7]
    assert rejected.counts == {NARROW: 1}


def one(line, metadata=None, **labels):
    value = [str(START_NS + 1), line, *([metadata] if metadata else [])]
    with opened(open_source, lambda _: streams({"stream": labels, "values": [value]})) as (s, _):
        (batch,) = s.pull(window(), Rejections())
    assert isinstance(batch, pa.RecordBatch)
    assert batch.schema == LOGS
    (row,) = batch.to_pylist()
    return row


def test_labels_are_the_resource_and_metadata_the_attributes():
    row = one(
        "stale",
        {
            "structuredMetadata": {"trace_id": TRACE, "span_id": SPAN, "detected_level": "error"},
            "parsed": {"key": "user:42"},
        },
        service_name="planner",
    )

    assert row == {
        "time_ns": START_NS + 1,
        "severity": 17,
        "body": "stale",
        "event_name": None,
        "trace_id": TRACE,
        "span_id": SPAN,
        "scope": None,
        "resource": [("service_name", "planner")],
        "attributes": [
            ("detected_level", "error"),
            ("key", "user:42"),
            ("span_id", SPAN),
            ("trace_id", TRACE),
        ],
    }


@pytest.mark.parametrize(
    "line",
    [
        f'{{"msg":"stale kv","traceId":"{TRACE}","level":"warn","n":3}}',
        f'msg="stale kv" traceId={TRACE} level=warn n=3',
    ],
)
def test_what_the_line_holds_is_read(line):
    row = one(line)

    assert (row["trace_id"], row["severity"], row["body"]) == (TRACE, 13, "stale kv")
    assert dict(row["attributes"])["n"] == "3"


def test_the_level_of_the_line_goes_before_the_one_loki_guessed():
    row = one('{"level":"error"}', {"structuredMetadata": {"detected_level": "info"}})

    assert row["severity"] == 17


def test_the_query_the_tenant_and_the_encoding_are_asked_for():
    options = {"query": '{app="x"} | json', "tenant": "team-a", "limit": 7}
    with opened(open_source, loki([]), **options) as (source, server):
        rows(source, window())

    (asked,) = server.asked
    assert asked.path == "/loki/api/v1/query_range"
    assert asked.query == {
        "query": '{app="x"} | json',
        "start": str(START_NS),
        "end": str(START_NS + 60 * 10**9),
        "limit": "7",
        "direction": "forward",
    }
    assert asked.headers["x-scope-orgid"] == "team-a"
    assert asked.headers["x-loki-response-encoding-flags"] == "categorize-labels"


def test_the_plain_text_of_an_error_is_told():
    words = b"queries require at least one regexp or equality matcher"
    with (
        opened(open_source, lambda _: Answer(status=400, body=words)) as (source, _),
        pytest.raises(SourceError, match="status 400: queries require at least one"),
    ):
        rows(source, window())


def test_a_metric_query_is_refused():
    answer = Answer.of({"data": {"resultType": "matrix", "result": []}})
    with (
        opened(open_source, lambda _: answer) as (source, _),
        pytest.raises(SourceError, match="`query` should select lines, but it gives a matrix"),
    ):
        rows(source, window())


def test_broken_records_are_counted_and_cut_no_page_short():
    def answer(asked):
        if int(asked.query["start"]) > START_NS:
            return streams()
        at = str(START_NS + 1)
        values = [[at, "a"], ["soon", "b"], [at], [at, 3], 7, [at, "c", {"parsed": 5}]]
        return streams({"stream": {}, "values": values}, {"stream": 3}, 4)

    rejected = Rejections()
    with opened(open_source, answer, limit=6) as (source, server):
        found = rows(source, window(), rejected)

    assert [row["body"] for row in found] == ["a"]
    assert sum(rejected.counts.values()) == 7
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "body", [b"", b"oops", b"[]", b"{}", b'{"data":{"resultType":"streams","result":3}}']
)
def test_garbage_is_an_error(body):
    with (
        opened(open_source, lambda _: Answer(body=body)) as (source, _),
        pytest.raises(SourceError),
    ):
        rows(source, window())


def test_a_server_that_repeats_one_page_forever_is_left():
    values = [[str(START_NS + 1), str(number)] for number in range(4)]
    rejected = Rejections()
    with opened(open_source, lambda _: streams({"stream": {}, "values": values}), limit=4) as (
        source,
        server,
    ):
        found = rows(source, window(), rejected)

    assert len(found) == 4
    assert len(server.asked) < 10
