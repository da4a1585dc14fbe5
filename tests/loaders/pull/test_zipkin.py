import pytest
from graphmind_loaders.pull.windows import NARROW
from graphmind_loaders.pull.zipkin import open_source

from graphmind.errors import SourceError
from graphmind.telemetry.rejections import Rejections
from tests.loaders.pull.asking import START_NS, opened, rows, window
from tests.loaders.pull.serving import Answer


def zipkin(starts_ms):
    """A Zipkin with one trace at each of these times, ms after START_NS."""

    def answer(asked):
        until_ms = int(asked.query["endTs"]) - START_NS // 10**6
        from_ms = until_ms - int(asked.query["lookback"])
        found = [
            (number, ms) for number, ms in enumerate(starts_ms, 1) if from_ms <= ms <= until_ms
        ]
        return Answer.of([[span(*each)] for each in found[-int(asked.query["limit"]) :]])

    return answer


def span(number, ms):
    return {
        "traceId": f"{number:032x}",
        "id": f"{number:016x}",
        "timestamp": START_NS // 1000 + ms * 1000,
        "duration": 5,
        "localEndpoint": {"serviceName": "planner"},
    }


def test_the_window_is_asked_for_in_milliseconds():
    with opened(open_source, zipkin([30])) as (source, server):
        found = rows(source, window(0.0205, 0.0404))

    assert [row["start_ns"] for row in found] == [START_NS + 30 * 10**6]
    assert server.asked[0].query == {
        "endTs": str(START_NS // 10**6 + 41),
        "lookback": "21",
        "limit": "500",
    }
    assert server.asked[0].headers["authorization"] == "Bearer tok"


def test_a_window_with_more_than_the_limit_is_cut_until_all_is_there():
    rejected = Rejections()
    starts = [5, 6, 7, 8, 500, 501, 502, 503, 9_000]
    with opened(open_source, zipkin(starts), limit=4) as (source, _):
        found = rows(source, window(0, 10), rejected)

    assert [row["start_ns"] - START_NS for row in found] == [ms * 10**6 for ms in starts]
    assert rejected.counts == {}


def test_more_at_one_moment_than_the_limit_is_counted():
    rejected = Rejections()
    with opened(open_source, zipkin([5] * 9), limit=4) as (source, _):
        rows(source, window(0, 1), rejected)

    assert rejected.counts[NARROW] >= 1


def test_filters_are_handed_on():
    options = {"service": "planner", "annotation_query": "error"}
    with opened(open_source, zipkin([]), **options) as (source, server):
        rows(source, window())

    asked = server.asked[0].query
    assert (asked["serviceName"], asked["annotationQuery"]) == ("planner", "error")


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"oops", b"", b"[[1]]"])
def test_garbage_is_an_error(body):
    with (
        opened(open_source, lambda _: Answer(body=body)) as (source, _),
        pytest.raises(SourceError),
    ):
        rows(source, window())
