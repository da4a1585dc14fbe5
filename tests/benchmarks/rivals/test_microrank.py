import numpy as np
import pytest

from benchmarks.rivals.microrank import microrank
from benchmarks.rivals.view import view_before_symptom
from tests.analysis.planted import window_of
from tests.benchmarks.rivals.windows import BAD, HARMLESS, WORSE, view


def test_an_item_of_failing_traces_alone_is_weighted_as_never_seen_among_passing_ones():
    # Two items on one failing trace each have one PageRank, so the weight cancels in Ochiai:
    # ef / sqrt((ef + 1e-7) (ef + nf)) = sqrt(1 / 2).
    touched = np.array([[0], [1], [2]])
    seen = view_before_symptom(window_of(touched, [True, True, False]), ["a", "b", "c"])

    score = microrank(seen, seen.failing)

    assert score[:2] == pytest.approx(np.sqrt([0.5, 0.5]), abs=1e-3)
    assert score[2] == pytest.approx(0.0, abs=1e-3)


def test_the_item_of_more_failing_traces_scores_higher():
    score = microrank(view(), view().failing)

    assert score[BAD] > score[WORSE] > score[HARMLESS]


def test_without_passing_traces_nothing_can_be_ranked():
    seen = view_before_symptom(window_of(np.array([[0], [0]]), [True, True]), ["a", "b"])

    assert microrank(seen, seen.failing).tolist() == [0.0]
