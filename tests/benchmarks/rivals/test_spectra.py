import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rivals.methods import RANKERS
from benchmarks.rivals.ranking import at_once, by_score, peeled, with_count
from benchmarks.rivals.spectra import (
    dstar,
    failure_ratio,
    ochiai,
    share_difference,
    significant_terms,
    tarantula,
)
from benchmarks.rivals.view import view_before_symptom
from tests.analysis.planted import window_of
from tests.benchmarks.rivals.windows import BAD, HARMLESS, WORSE, name, traces, view

# Of 17 failing and 23 passing traces: item 0 touched 10 and 0, item 1 6 and 0, item 2 1 and 23.
BY_HAND = {
    ochiai: (10 / np.sqrt(17 * 10), 6 / np.sqrt(17 * 6), 1 / np.sqrt(17 * 24)),
    tarantula: (1.0, 1.0, (1 / 17) / (1 / 17 + 1)),
    dstar: (100 / 7, 36 / 11, 1 / (23 + 16)),
    failure_ratio: (1 / (7.5 / 31), 1 / (11.5 / 35), (1 / 24) / (16.5 / 17)),
    significant_terms: (
        (10 / 17 - 10 / 40) * (10 / 17) / (10 / 40),
        (6 / 17 - 6 / 40) * (6 / 17) / (6 / 40),
        0.0,
    ),
    share_difference: (10 / 17, 6 / 17, 1 / 17 - 1),
}


@pytest.mark.parametrize("score", BY_HAND)
def test_the_score_is_the_published_formula(score):
    with np.errstate(invalid="ignore"):  # item 3 is touched by nobody in time
        found = score(view(), view().failing)

    assert found[[BAD, WORSE, HARMLESS]] == pytest.approx(BY_HAND[score])


def test_all_at_once_reports_the_first_explanations_of_one_ranking():
    first, second = at_once(by_score(ochiai))(view(), 2)

    assert (first.explanations, first.traces) == ((frozenset({name(BAD)}),), traces(0, 10))
    assert (second.explanations, second.traces) == ((frozenset({name(WORSE)}),), traces(10, 16))


def test_peeling_ranks_anew_what_is_left():
    first, second = peeled(by_score(ochiai))(view(), 2)

    assert first.explanations == (frozenset({name(BAD)}), frozenset({name(WORSE)}))
    assert (second.explanations, second.traces) == ((frozenset({name(WORSE)}),), traces(10, 16))


def test_peeling_ends_where_nothing_is_left_to_explain():
    assert len(peeled(by_score(ochiai))(view(), 9)) == 2


def test_a_ranking_that_is_not_told_reports_its_count():
    assert len(with_count(peeled(by_score(ochiai)), 2)(view(), 1)) == 2


def test_a_ranking_told_of_no_incident_still_reports_one():
    assert len(at_once(by_score(ochiai))(view(), 0)) == 1


@pytest.mark.parametrize("rank", RANKERS.values(), ids=RANKERS)
def test_every_ranking_puts_the_only_fault_first(rank):
    touched = np.repeat([[0], [1], [2]], [20, 40, 40], axis=0)
    seen = view_before_symptom(window_of(touched, np.arange(100) < 15), [*map(str, range(100))])

    for found in (at_once(rank)(seen, 1), peeled(rank)(seen, 1)):
        assert [report.explanations[0] for report in found] == [frozenset({name(0)})]


@pytest.mark.parametrize("rank", RANKERS.values(), ids=RANKERS)
@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_a_ranking_does_not_depend_on_the_order_of_traces(rank, seed):
    random = np.random.default_rng(seed)
    touched = random.integers(0, 6, (60, 3))
    failing = (touched == 2).any(axis=1) & (random.random(60) < 0.9)
    order = random.permutation(60)
    views = [
        view_before_symptom(window_of(touched[rows], failing[rows]), [str(row) for row in rows])
        for rows in (np.arange(60), order)
    ]

    given_order, other_order = (at_once(rank)(seen, 2) for seen in views)

    assert [r.traces for r in given_order] == [r.traces for r in other_order]
    assert [r.explanations[:1] for r in given_order] == [r.explanations[:1] for r in other_order]
