"""Runs of equal short spans fold into one, and nothing is lost with them."""

import itertools

from graphmind_capture.folding import RUN_MIN, fold
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

RESOURCE = Resource({})
ROOT = SpanContext(1, 1, is_remote=False)


def span(number, name="step", *, took=1, error=False, parent=ROOT, kind=SpanKind.INTERNAL, **said):
    start = number * 1_000_000
    return ReadableSpan(
        name,
        context=SpanContext(1, number + 2, is_remote=False),
        parent=parent,
        resource=RESOURCE,
        attributes=said,
        kind=kind,
        status=Status(StatusCode.ERROR if error else StatusCode.UNSET),
        start_time=start,
        end_time=start + took * 1_000_000,
    )


def test_a_run_becomes_one_span_with_count_and_times():
    (one,) = fold([span(n) for n in range(10)])

    assert (one.start_time, one.end_time) == (0, 10_000_000)
    assert one.attributes == {
        "collapsed": True,
        "graphmind.folded.count": 10,
        "graphmind.folded.duration_ms": 10.0,
    }


def test_five_in_a_row_stay():
    assert len(fold([span(n) for n in range(RUN_MIN - 1)])) == RUN_MIN - 1


def test_an_error_interrupts_a_run_and_stays():
    spans = fold([span(n, error=n == 4) for n in range(12)])

    assert [each.status.is_ok for each in spans] == [True, True, True, True, False, True]


def test_what_has_children_calls_a_model_or_differs_stays():
    below = SpanContext(1, 4, is_remote=False)
    for spans in (
        [*(span(n) for n in range(6)), span(9, "child", parent=below)],
        [span(n, **{"gen_ai.request.model": "m"}) for n in range(8)],
        [span(n, **{"graphmind.kv.key": f"k{n}"}) for n in range(8)],
        [span(n, took=200) for n in range(8)],
        [span(n, kind=SpanKind.CLIENT) for n in range(8)],
        [span(n, kind=SpanKind.SERVER) for n in range(8)],
    ):
        assert fold(spans) == spans


def test_calls_of_a_database_fold():
    said = {"db.system": "redis", "graphmind.kv.key": "k"}

    assert len(fold([span(n, "GET", kind=SpanKind.CLIENT, **said) for n in range(8)])) == 1


def counted(one: ReadableSpan) -> int:
    count = (one.attributes or {}).get("graphmind.folded.count", 1)
    assert isinstance(count, int)
    return count


KINDS = st.tuples(st.sampled_from("ab"), st.booleans(), st.sampled_from(["x", "y"]))


@given(st.lists(KINDS, max_size=60))
def test_every_span_is_there_once_alone_or_counted(kinds):
    spans = [span(n, name, error=bad, key=key) for n, (name, bad, key) in enumerate(kinds)]
    folded = fold(spans)
    longest = [list(run) for _, run in itertools.groupby(kinds)]
    expected = sum(1 if len(run) >= RUN_MIN and not run[0][1] else len(run) for run in longest)

    assert len(folded) == expected
    assert sum(counted(s) for s in folded) == len(spans)
    assert {s.context.span_id for s in spans if not s.status.is_ok} <= {
        s.context.span_id for s in folded
    }
