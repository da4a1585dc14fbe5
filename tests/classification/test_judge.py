import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.classification.case import in_order
from graphmind.classification.judge import UNCALIBRATED, calibrate, fit_judge
from graphmind.classification.text_routes import SvmRoute
from tests.classification.cases import case, three_classes


def calibrated(scores, right):
    signs = np.array([(score, score, score, score) for score in scores])
    return calibrate(signs, np.array(right), np.ones(len(scores)))


def test_a_higher_score_gives_a_higher_confidence_where_it_was_right_more_often():
    found = calibrated([0.9] * 20 + [0.3] * 20, [True] * 20 + [False] * 20)

    assert found.confidence((0.9,) * 4) > 0.8
    assert found.confidence((0.3,) * 4) < 0.2
    assert found.confidence((0.3,) * 4) < found.threshold <= found.confidence((0.9,) * 4)


def test_a_route_that_was_never_right_says_nothing():
    found = calibrated([0.9, 0.8, 0.7], [False, False, False])

    assert found.threshold == 1.0


def test_rules_without_cases_are_as_sure_as_they_say():
    assert UNCALIBRATED.confidence((0.7, 0.1, 0.0, 0.0)) == 0.7


SIGNED = st.lists(
    st.tuples(st.tuples(*[st.floats(0, 1)] * 4), st.booleans(), st.floats(0.1, 5)),
    min_size=1,
    max_size=20,
)


@settings(deadline=None, max_examples=30)
@given(SIGNED)
def test_confidence_never_falls_as_a_sign_grows(rows):
    signs, right, weight = (np.array(column) for column in zip(*rows, strict=True))

    found = calibrate(signs, right, weight)

    assert 0.5 <= found.threshold <= 1
    assert 0 <= found.confidence((0, 0, 0, 0)) <= found.confidence((0.5, 0, 0, 0))
    assert found.confidence((0.5, 0, 0, 0)) <= found.confidence((0.5, 1, 1, 1)) <= 1


def test_a_case_like_those_known_is_more_familiar_than_a_stranger():
    judge = fit_judge(SvmRoute(), in_order(three_classes()))
    alike = case("", "no such host", tree=("tool error", "step ok"))
    odd = case("", "host is odd and unlike all the others", tree=("kv error",))

    (near, *_), (far, *_) = judge.weigh(alike), judge.weigh(odd)

    assert near.guess.label == far.guess.label == "dns_failed"
    assert near.signs[2] > far.signs[2]


def test_a_kind_of_cause_never_seen_with_a_class_speaks_against_it():
    judge = fit_judge(SvmRoute(), in_order(three_classes()))

    (same, *_), (other, *_) = (
        judge.weigh(case("", "no such host", cause=kinds)) for kinds in (("tool",), ("region",))
    )

    assert (same.signs[3], other.signs[3]) == (1.0, 0.0)
