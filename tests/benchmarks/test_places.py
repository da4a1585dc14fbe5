"""Places of a culprit in a ranking, and what is said of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.public.places import Place, figures, place, wilson


def test_tied_candidates_share_their_places():
    assert place({"a": 2.0, "b": 1.0, "c": 1.0}, "c") == Place(1, 2)
    assert place({"a": 2.0, "b": 1.0, "c": 1.0}, "c").within(2) == 0.5


def test_a_culprit_without_a_score_stands_among_those_without():
    assert place({"a": 1.0}, "x", others={"y", "z"}) == Place(1, 3)


def test_figures_are_means_over_the_cases():
    found = figures([Place(0, 1), Place(3, 1)])

    assert found == {"Acc@1": 0.5, "Acc@3": 0.5, "Acc@5": 1.0, "MRR": 0.625}


def test_the_interval_is_wilson_s():
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(1.0, 26) == pytest.approx((0.8713, 1.0), abs=1e-4)


@given(st.integers(1, 500), st.floats(0, 1))
def test_the_interval_holds_the_share(cases, share):
    low, high = wilson(share, cases)

    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
