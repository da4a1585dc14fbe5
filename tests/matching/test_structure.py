import numpy as np

from graphmind.matching.structure import find_shapes, share
from graphmind.telemetry.spans import STATUS_ERROR
from tests.builders import assembled, copies, span

TREE = [
    span("route", 0, 100),
    span("call", 10, 60, parent="route", failed=True),
    span("infer", 20, 50, parent="call"),
    span("reply", 70, 90, parent="route"),
]


def shape(*traces, rows=None):
    spans = assembled([row for trace in traces for row in trace])
    found = find_shapes(spans, spans["status"].to_numpy() == STATUS_ERROR)
    [shared] = share(found, [np.arange(found.weights.shape[0]) if rows is None else rows])
    return shared


def test_tokens_are_spans_and_spans_between_their_caller_and_what_they_call():
    assert sorted(shape(TREE).weights) == [
        "(root) > route > call (fails), reply",
        "call (fails)",
        "call (fails) > infer",
        "infer",
        "reply",
        "route",
        "route > call (fails) > infer",
        "route > reply",
    ]


def test_what_is_near_a_failure_weighs_more_and_surroundings_less():
    weights = shape(TREE).weights

    assert weights["call (fails)"] == weights["infer"] == weights["route"] == 1.7321
    assert weights["reply"] == 1.0
    assert weights["route > call (fails) > infer"] == 1.4142


def test_a_repeated_call_leaves_the_surroundings_the_same():
    retry = span("call again", 61, 69, parent="route", failed=True, name="call")
    once, twice = shape(TREE).weights, shape([*TREE, retry]).weights

    assert "(root) > route > call (fails), reply" in once.keys() & twice.keys()
    assert twice["call (fails)"] > once["call (fails)"]


def test_what_few_of_the_traces_show_is_left_out():
    odd = [*TREE, span("odd", 95, 97, parent="route")]
    many = shape(copies(9, TREE, prefix="a", every_ms=1), copies(1, odd, prefix="b"))

    assert "odd" not in many.weights
    assert "odd" in shape(odd).weights


def test_the_failing_tokens_are_those_that_most_traces_show():
    well = [{**row, "status": 0} for row in TREE]
    most = shape(copies(3, TREE, prefix="a", every_ms=1), copies(2, well, prefix="b"))
    few = shape(copies(2, TREE, prefix="a", every_ms=1), copies(3, well, prefix="b"))

    assert most.failing == ("call (fails)", "route > call (fails) > infer")
    assert few.failing == ()


def test_groups_of_traces_are_told_apart():
    spans = assembled([*copies(2, TREE, prefix="a"), *copies(1, TREE[:1], prefix="b")])
    shapes = find_shapes(spans, np.zeros(len(spans), bool))
    first = spans["trace_id"].to_pylist().index("b000")
    alone = spans["trace_row"].to_pylist()[first]
    both, single = share(shapes, [np.delete(np.arange(3), alone), np.array([alone])])

    assert "reply" in both.weights
    assert list(single.weights) == ["(root) > route", "route"]
