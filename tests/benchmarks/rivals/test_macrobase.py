import numpy as np
import pytest

from benchmarks.rivals.macrobase import by_risk_ratio, by_support, explanations
from benchmarks.rivals.view import view_before_symptom
from tests.analysis.planted import window_of
from tests.benchmarks.rivals.windows import BAD, WORSE, view


def conjunction():
    """Of 100 traces, 20 touch items 0 and 1 and 18 fail; 20 touch only one, and 4 fail."""
    touched = np.full((100, 3), 2)
    touched[:20, :2] = [0, 1]
    touched[20:30, 0], touched[30:40, 0] = 0, 1
    failing = np.zeros(100, bool)
    failing[[*range(18), 20, 21, 30, 31]] = True
    return view_before_symptom(window_of(touched, failing), [*map(str, range(100))])


def test_support_and_risk_ratio_are_those_reckoned_by_hand():
    found = {items: (count, ratio) for items, count, ratio in explanations(*seen(conjunction()))}

    assert found[(0,)] == pytest.approx((20, (20 / 30) / (2 / 70)))
    assert found[0, 1] == pytest.approx((18, (18 / 20) / (4 / 80)))


def test_a_conjunction_leads_by_support_only_after_its_items():
    ranked = by_support(*seen(conjunction()))

    assert ranked == [(0,), (1,), (0, 1)]


def test_an_item_on_every_trace_is_in_no_explanation():
    assert all(2 not in items for items in by_risk_ratio(*seen(conjunction())))


def test_a_set_below_the_support_is_not_explained():
    touched = np.repeat([[0], [1]], [4, 96], axis=0)
    window = view_before_symptom(window_of(touched, np.arange(100) < 4), [*map(str, range(100))])

    assert explanations(*seen(window)) == []


def test_both_orders_name_the_stronger_of_two_faults_first():
    assert by_risk_ratio(*seen(view())) == by_support(*seen(view())) == [(BAD,), (WORSE,)]


def seen(window):
    return window, window.failing
