import pytest
from graphmind_loaders.pull.prometheus import NOT_FINITE, SIGNALS, open_source
from graphmind_loaders.records import MISSHAPEN

from graphmind.errors import SourceError
from graphmind.sources import PullWindow
from graphmind.telemetry.metrics import SAMPLES
from graphmind.telemetry.rejections import Rejections
from tests.loaders.pull.asking import SECOND_NS, START_NS, opened, rows, window
from tests.loaders.pull.serving import Answer

START_S = START_NS // SECOND_NS
TRACE = "0af7651916cd43dd8448eb211c80319c"


def prometheus(of_step=lambda time_s: "1", *, exemplars=None):
    """A Prometheus with one series, and these exemplars (None: the feature is off)."""

    def answer(asked):
        said = asked.query or asked.form
        if asked.path == "/api/v1/query_exemplars":
            if exemplars is None:
                return Answer.of({"status": "error", "error": "not enabled"}, status=422)
            return Answer.of({"status": "success", "data": exemplars})
        start, end, step = (float(said[key]) for key in ("start", "end", "step"))
        count = int((end - start) / step) + 1
        if count > 11_000:
            return Answer.of({"status": "error", "error": "exceeded maximum"}, status=400)
        values = [[start + step * at, of_step(start + step * at)] for at in range(count)]
        metric = {"__name__": "up", "agent": "planner"}
        return matrix({"metric": metric, "values": values})

    return answer


def matrix(*series):
    return Answer.of({"status": "success", "data": {"resultType": "matrix", "result": series}})


def test_samples_stand_at_whole_steps_within_the_window():
    with opened(open_source, prometheus(), signals={"retries": "up"}, step_s=10) as (
        source,
        server,
    ):
        found = rows(source, window(0.5, 30))
        again = rows(source, window(10, 30.001))

    assert found == [
        {
            "name": "retries",
            "time_ns": START_NS + second * SECOND_NS,
            "value": 1.0,
            "labels": [("agent", "planner")],
            "trace_id": None,
        }
        for second in (10, 20)
    ]
    assert [(row["time_ns"] - START_NS) // SECOND_NS for row in again] == [10, 20, 30]
    assert server.asked[0].query == {
        "query": "up",
        "start": f"{START_S + 10}.000",
        "end": f"{START_S + 20}.000",
        "step": "10.000",
    }


def test_a_window_between_two_steps_is_not_asked_for():
    options = {"signals": {"a": "up"}, "step_s": 10, "exemplars": False}
    with opened(open_source, prometheus(), **options) as (source, server):
        assert rows(source, window(1, 10)) == []

    assert server.asked == []


def test_long_windows_are_asked_for_in_parts():
    with opened(open_source, prometheus(), signals={"a": "up"}, step_s=1, exemplars=False) as (
        source,
        server,
    ):
        found = rows(source, window(0, 25_000))

    assert len(found) == len({row["time_ns"] for row in found}) == 25_000
    assert len(server.asked) == 3


def test_a_reply_too_large_cuts_the_window():
    options = {"signals": {"a": "up"}, "step_s": 1, "exemplars": False, "reply_bytes_max": 1000}
    with opened(open_source, prometheus(), **options) as (source, _):
        found = rows(source, window(0, 100))

    assert [row["time_ns"] for row in found] == [START_NS + s * SECOND_NS for s in range(100)]


def test_what_is_no_finite_number_is_counted():
    numbers = iter(["NaN", "+Inf", "-Inf", "0.5"])
    rejected = Rejections()
    with opened(
        open_source, prometheus(lambda _: next(numbers)), signals={"a": "up"}, exemplars=False
    ) as (source, _):
        found = rows(source, window(0, 60), rejected)

    assert [row["value"] for row in found] == [0.5]
    assert rejected.counts == {NOT_FINITE: 3}


def test_exemplars_name_the_traces_they_were_seen_in():
    exemplars = [
        {
            "seriesLabels": {"__name__": "x_bucket", "agent": "planner", "le": "5"},
            "exemplars": [
                {"labels": {"traceID": TRACE}, "value": "6.5", "timestamp": START_S + 1.25},
                {"labels": {"user": "u"}, "value": "6", "timestamp": START_S + 2},
                {"labels": {"trace_id": TRACE}, "value": "NaN", "timestamp": START_S + 3},
                {"labels": 3},
            ],
        },
        7,
    ]
    rejected = Rejections()
    with opened(open_source, prometheus(exemplars=exemplars), signals={"p95": "up"}) as (source, _):
        found = [row for row in rows(source, window(), rejected) if row["trace_id"]]

    assert found == [
        {
            "name": "p95",
            "time_ns": START_NS + 1_250_000_000,
            "value": 6.5,
            "labels": [("agent", "planner"), ("le", "5")],
            "trace_id": TRACE,
        }
    ]
    assert rejected.counts == {MISSHAPEN: 2, NOT_FINITE: 1}


def test_a_long_query_is_posted():
    query = " or ".join(["up"] * 500)
    with opened(open_source, prometheus(), signals={"a": query}) as (source, server):
        assert len(rows(source, window())) == 4

    assert {(asked.method, asked.form["query"]) for asked in server.asked} == {("POST", query)}


def test_every_default_signal_is_asked_for():
    with opened(open_source, prometheus()) as (source, server):
        batches = list(source.pull(window(), Rejections()))

    assert {batch.schema for batch in batches} == {SAMPLES}  # type: ignore[union-attr]  # no nodes
    asked = [asked.query["query"] for asked in server.asked if "range" in asked.path]
    assert asked == list(SIGNALS.values())


def test_a_query_that_is_wrong_is_told_with_its_signal():
    error = {
        "status": "error",
        "errorType": "bad_data",
        "error": "parse error: unclosed left paren",
    }
    with (
        opened(open_source, lambda _: Answer.of(error, status=400), signals={"p95": "up("}) as (
            s,
            _,
        ),
        pytest.raises(SourceError, match=r"signal 'p95': .*status 400.*parse error: unclosed"),
    ):
        rows(s, window())


def test_when_to_come_again_is_passed_on():
    busy = Answer(status=503, headers={"retry-after": "9"})
    with opened(open_source, lambda _: busy) as (source, _), pytest.raises(SourceError) as failed:
        rows(source, window())

    assert failed.value.retry_after_s == 9


@pytest.mark.parametrize(
    "values", [[1], [["x", "1"]], [[1]], ["ab"], [[1e30, "1"]], [[-1, "1"]], [None]]
)
def test_a_broken_sample_is_counted_and_the_rest_kept(values):
    good = [START_S, "2"]
    rejected = Rejections()
    with opened(
        open_source,
        lambda _: matrix({"metric": {}, "values": [*values, good]}),
        signals={"a": "up"},
        exemplars=False,
    ) as (source, _):
        found = rows(source, window(), rejected)

    assert [row["value"] for row in found] == [2.0]
    assert rejected.counts == {MISSHAPEN: 1}


@pytest.mark.parametrize("body", [b"", b"oops", b'{"data":{"resultType":"scalar","result":[]}}'])
def test_garbage_is_an_error(body):
    with (
        opened(open_source, lambda _: Answer(body=body)) as (source, _),
        pytest.raises(SourceError, match="signal 'latency_p95'"),
    ):
        rows(source, PullWindow(from_ns=START_NS, until_ns=START_NS + 60 * SECOND_NS))
