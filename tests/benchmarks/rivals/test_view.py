import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.rivals.view import report, rows_with, spectrum, view_all, view_before_symptom
from tests.analysis.planted import window_of
from tests.benchmarks.rivals.windows import BAD, WORSE, name, two_faults, view


def test_what_a_trace_touched_after_it_failed_is_not_seen():
    assert spectrum(view(), view().failing).ef.tolist() == [10, 6, 1, 0]


def test_the_uncut_view_sees_the_effects():
    uncut = view_all(*two_faults())

    assert spectrum(uncut, uncut.failing).ef.tolist() == [10, 6, 1, 17]


def test_failures_explained_before_count_nowhere():
    left = view().failing.copy()
    left[:10] = False
    counts = spectrum(view(), left)

    assert (counts.ef[BAD], counts.nf[BAD], counts.ep[BAD], counts.np[BAD]) == (0, 7, 0, 23)
    assert (counts.ef[WORSE], counts.nf[WORSE]) == (6, 1)


def test_items_on_the_same_traces_are_reported_as_one_tie():
    touched = np.array([[0, 1], [0, 1], [2, 2]])
    seen = view_before_symptom(window_of(touched, [True, True, False]), ["a", "b", "c"])

    tied = report(seen, [(0,)], rows_with(seen, (0,), seen.failing))

    assert tied.explanations == (frozenset({name(0), name(1)}),)
    assert tied.traces == {"a", "b"}


def test_a_pair_is_on_the_traces_that_touched_both():
    touched = np.array([[0, 1], [0, 0], [0, 1]])
    seen = view_before_symptom(window_of(touched, [True, True, False]), ["a", "b", "c"])

    assert rows_with(seen, (0, 1), seen.failing).tolist() == [0]


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30))
def test_each_item_counts_every_trace_once(traces):
    touched = np.array([[item, 5] for item, _ in traces])
    failing = np.array([failed for _, failed in traces])
    seen = view_before_symptom(window_of(touched, failing), [str(n) for n in range(len(traces))])
    counts = spectrum(seen, seen.failing)

    assert set((counts.ef + counts.nf).tolist()) == {failing.sum()}
    assert set((counts.ep + counts.np).tolist()) == {(~failing).sum()}
    assert (counts.ef[5], counts.ep[5]) == (failing.sum(), (~failing).sum())
