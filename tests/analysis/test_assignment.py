from dataclasses import replace

import numpy as np
import pytest

from graphmind.analysis.assignment import NONE, assign, responsibilities
from graphmind.analysis.explanation import explain_channel
from graphmind.analysis.options import CauseOptions
from tests.analysis.planted import plant, window_of

N = 3000
ROWS = np.arange(N)
A = ROWS % 12 < 2
B = (ROWS // 12) % 7 == 0
BACKGROUND = ROWS % 103 == 9
FAILS_BY_A = A & (ROWS % 24 < 2)
FAILS_BY_B = B & (ROWS % 3 == 0) & ~FAILS_BY_A
CODE = np.select([FAILS_BY_A, FAILS_BY_B, BACKGROUND], [1, 2, 3], -1)


def assigned(code):
    """Cause (A is 0, B is 1) of each failing row, and its responsibilities."""
    touches = np.stack([np.where(A, 0, -1), np.where(B, 1, -1)], axis=1)
    failing = FAILS_BY_A | FAILS_BY_B | BACKGROUND
    window = window_of(touches, failing, kinds=["agent", "tool"], code=code)
    explanation = explain_channel(window, "error", CauseOptions(), channels=1)
    share = responsibilities(explanation, window)
    number = np.array([cause.key[0] for cause in explanation.model.causes] + [NONE])
    return number[assign(explanation, share)], share, explanation.failing


def test_a_trace_that_touched_one_cause_belongs_to_it():
    cause_of, _, failing = assigned(code=None)

    only_a = (A & ~B & FAILS_BY_A)[failing]
    only_b = (B & ~A & FAILS_BY_B)[failing]
    assert set(cause_of[only_a].tolist()) == {0}
    assert set(cause_of[only_b].tolist()) == {1}


def test_a_trace_that_touched_no_cause_belongs_to_none():
    cause_of, _, failing = assigned(code=None)

    assert set(cause_of[(~A & ~B)[failing]].tolist()) == {NONE}


def test_symptoms_decide_between_causes_that_a_trace_touched_both_of():
    cause_of, _, failing = assigned(code=CODE)

    both = A & B
    assert set(cause_of[(both & FAILS_BY_A)[failing]].tolist()) == {0}
    assert set(cause_of[(both & FAILS_BY_B)[failing]].tolist()) == {1}


@pytest.mark.parametrize("code", [None, CODE], ids=["without symptoms", "with symptoms"])
def test_responsibilities_of_a_trace_sum_to_one(code):
    _, share, _ = assigned(code)

    assert share.sum(axis=1) == pytest.approx(np.ones(len(share)))
    assert share.min() >= 0


@pytest.mark.parametrize("seed", range(3))
def test_planted_failures_go_to_the_cause_that_made_them(seed):
    planted = plant(seed, n=4000)
    window = planted.window
    explanation = explain_channel(window, "error", CauseOptions(), channels=1)
    cause_of = assign(explanation, responsibilities(explanation, window))
    columns = explanation.model.columns
    found = [tuple(columns.item[list(c.key)].tolist()) for c in explanation.model.causes]

    for number, items in enumerate(planted.causes):
        made = planted.caused[explanation.failing] == number
        assert (cause_of[made] == found.index(items)).mean() > 0.85


@pytest.mark.parametrize(("cut", "cause"), [(False, NONE), (True, 0)])
def test_a_trace_that_was_cut_off_may_have_met_the_cause_unseen(cut, cause):
    """The cause hits a quarter of all traces; those that were cut off do not say what they met."""
    met = ROWS % 4 == 0
    failing = met | (ROWS % 100 == 1)
    window = replace(
        window_of(np.where(met, 0, 1)[:, None], failing, kinds=["model_version", "agent"]),
        cut=np.full(N, cut) & ~met,
    )
    explanation = explain_channel(window, "error", CauseOptions(), channels=1)

    cause_of = assign(explanation, responsibilities(explanation, window))

    assert set(cause_of[~met[explanation.failing]].tolist()) == {cause}
