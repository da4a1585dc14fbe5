import pytest
from graphmind_loaders.pull.tempo import UNKNOWN, open_source

from graphmind.errors import SourceError
from graphmind.sources import PullWindow
from graphmind.telemetry.rejections import Rejections
from tests.loaders.pull.asking import REPLIES, SECOND_NS, START_NS, opened, rows, window
from tests.loaders.pull.serving import Answer

recorded = pytest.mark.skipif(not REPLIES.is_dir(), reason="no recorded replies of servers")
TRACE_ID = "3dc8ad8fda0788a5b604965913ea2b01"


def reply(name):
    return (REPLIES / name).read_bytes()


def tempo(found, trace=None, *, v2=True):
    """A Tempo whose search finds these, and that gives one recorded trace for each id."""

    def answer(asked):
        if asked.path == "/api/search":
            return Answer.of({"traces": found, "metrics": {}})
        assert asked.headers["accept"] == "application/protobuf"
        if asked.path.startswith("/api/v2") and not v2:
            return Answer(status=404, body=b"404 page not found")
        return Answer(body=reply("tempo-3-api-v2-trace.pb") if trace is None else trace)

    return answer


def summary(trace_id, spans=None):
    found = {"traceID": trace_id, "rootServiceName": "planner"}
    return found if spans is None else {**found, "serviceStats": {"planner": {"spanCount": spans}}}


@recorded
def test_a_trace_that_search_names_is_read_as_protobuf():
    with opened(open_source, tempo([summary(TRACE_ID)])) as (source, server):
        found = rows(source, window())

    assert {row["trace_id"] for row in found} == {TRACE_ID}
    assert {row["name"] for row in found} >= {"chat gpt-x"}
    assert server.asked[0].query == {
        "q": "{}",
        "start": str(START_NS // SECOND_NS),
        "end": str(START_NS // SECOND_NS + 60),
        "limit": "1000",
        "spss": "1",
    }
    assert server.asked[1].path == f"/api/v2/traces/{TRACE_ID}"


@recorded
def test_v1_is_asked_where_there_is_no_v2():
    with opened(open_source, tempo([summary(TRACE_ID)], v2=False)) as (source, server):
        found = rows(source, window())

    assert {row["trace_id"] for row in found} == {TRACE_ID}
    assert server.asked[-1].path == f"/api/traces/{TRACE_ID}"


@pytest.mark.parametrize("empty", [b"", b"\n\x00", b"\n\x00\x12\x02\x08\x01", b"\x12\x02\x08\x01"])
def test_an_empty_trace_is_one_not_known_yet(empty):
    rejected = Rejections()
    with opened(open_source, tempo([summary(TRACE_ID)], empty)) as (source, _):
        assert rows(source, window(), rejected) == []

    assert rejected.counts == {UNKNOWN: 1}


@pytest.mark.parametrize("body", [b'{"trace":{}}', b"<html>", b"oops"])
def test_anything_but_protobuf_is_an_error(body):
    with (
        opened(open_source, tempo([summary(TRACE_ID)], body)) as (source, _),
        pytest.raises(SourceError, match="expected protobuf"),
    ):
        rows(source, window())


@recorded
def test_a_trace_is_read_again_until_a_pull_of_it_is_known_to_be_kept():
    found = [summary(TRACE_ID, spans=2)]
    with opened(open_source, tempo(found)) as (source, server):

        def asked_by(from_s, until_s):
            before = len(server.asked)
            rows(source, window(from_s, until_s))
            return len(server.asked) - before

        # The overlap is 30 s, so the cursor stands at 60 when a window begins at 30.
        assert asked_by(0, 60) == 2
        assert asked_by(0, 60) == 2  # the cursor did not move: the pull before was lost
        assert asked_by(30, 90) == 1
        found[0] = summary(TRACE_ID, spans=3)
        assert asked_by(60, 120) == 2


@recorded
def test_without_counts_a_trace_is_read_each_time():
    with opened(open_source, tempo([summary(TRACE_ID)])) as (source, server):
        rows(source, window(0, 60))
        rows(source, window(30, 90))

    assert len(server.asked) == 4


@recorded
def test_more_ids_than_the_limit_cut_the_window():
    def answer(asked):
        if asked.path != "/api/search":
            return tempo([])(asked)
        start, end = int(asked.query["start"]), int(asked.query["end"])
        found = [summary(f"{t:032x}") for t in range(start, end)]
        return Answer.of({"traces": found[: int(asked.query["limit"])]})

    with opened(open_source, answer, limit=3) as (source, server):
        rows(source, PullWindow(from_ns=START_NS, until_ns=START_NS + 8 * SECOND_NS))

    asked = {asked.path for asked in server.asked if asked.path != "/api/search"}
    start_s = START_NS // SECOND_NS
    assert asked == {f"/api/v2/traces/{start_s + second:032x}" for second in range(8)}
