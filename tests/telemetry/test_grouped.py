"""Order statistics of many groups at once, against one group at a time."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.telemetry.grouped import DEVIATION_MIN, MAD_TO_SIGMA, group_quantile, robust

GROUPS = 4
OBSERVED = st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, GROUPS - 1)), max_size=40)
SOME = settings(deadline=None, max_examples=100)


def arrays(observed: list[tuple[float, int]]) -> tuple[np.ndarray, np.ndarray]:
    values = np.array([value for value, _ in observed], float)
    return values, np.array([group for _, group in observed], np.int64)


def lower_quantile(values: list[float], share: float) -> float:
    return sorted(values)[math.floor(share * (len(values) - 1))] if values else math.nan


@SOME
@given(OBSERVED, st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]))
def test_a_quantile_is_that_of_each_group_alone(observed, share):
    expected = [
        lower_quantile([value for value, group in observed if group == wanted], share)
        for wanted in range(GROUPS)
    ]

    found = group_quantile(*arrays(observed), GROUPS, share)

    np.testing.assert_array_equal(found, expected)


@SOME
@given(OBSERVED, st.integers(1, 5))
def test_median_and_deviation_are_those_of_each_group_alone(observed, least):
    found = robust(*arrays(observed), GROUPS, least=least)

    for wanted in range(GROUPS):
        own = [value for value, group in observed if group == wanted]
        if len(own) < least:
            assert math.isnan(found.median[wanted])
            assert math.isnan(found.deviation[wanted])
            continue
        median = lower_quantile(own, 0.5)
        spread = lower_quantile([abs(value - median) for value in own], 0.5)
        assert found.median[wanted] == median
        assert found.deviation[wanted] == max(MAD_TO_SIGMA * spread, DEVIATION_MIN)


def test_more_groups_than_sixteen_bits_hold_are_told_apart():
    groups = np.arange(70_000)

    found = group_quantile(groups.astype(float), groups, 70_000, 0.5)

    np.testing.assert_array_equal(found, groups)
