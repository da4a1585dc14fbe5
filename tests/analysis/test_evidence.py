import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.analysis.evidence import Tally, kl_gain, sampled_gain, wilson_low

COUNTS = st.integers(1, 1000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
SHARES = st.floats(0.001, 0.5)


def gain(n, f, expected):
    return float(kl_gain(np.array(float(n)), np.array(float(f)), np.array(float(expected))))


def test_the_gain_is_n_times_the_divergence_of_the_rates():
    assert gain(10, 5, 1) == pytest.approx(5 * np.log(5) + 5 * np.log(5 / 9))


def test_there_is_no_gain_without_an_excess():
    assert gain(10, 1, 2) == 0


@given(COUNTS, SHARES)
def test_more_failures_never_weaken_the_evidence(counts, share):
    n, f = counts

    assert gain(n, min(f + 1, n), share * n) >= gain(n, f, share * n) - 1e-9


@given(COUNTS, SHARES)
def test_higher_expectation_never_strengthens_the_evidence(counts, share):
    n, f = counts

    assert gain(n, f, share * n * 1.5) <= gain(n, f, share * n) + 1e-9


@given(COUNTS, SHARES)
def test_twice_the_traces_are_twice_the_evidence(counts, share):
    n, f = counts

    assert gain(2 * n, 2 * f, 2 * share * n) == pytest.approx(2 * gain(n, f, share * n), abs=1e-6)


@given(COUNTS, SHARES, st.floats(0, 100))
def test_doubt_about_the_healthy_weight_never_strengthens_the_evidence(counts, share, deviation):
    n, f = (np.array(float(count)) for count in counts)

    doubted = float(sampled_gain(n, f, share * n, np.array(deviation)))

    assert doubted <= gain(n, f, share * n) + 1e-9


def test_the_wilson_bound_is_that_of_the_tables():
    assert wilson_low(8, 10) == pytest.approx(0.4902, abs=1e-4)


@given(COUNTS)
def test_the_wilson_bound_is_below_the_share(counts):
    n, f = counts

    assert -1e-9 <= wilson_low(f, n) <= f / n + 1e-9


def test_strength_is_the_excess_among_traces_that_would_have_passed():
    outcome = Tally(exposed=100, failed=60, expected=20, gain=0)

    assert (outcome.excess, outcome.strength) == (40, 0.5)
    assert 0.35 < outcome.strength_low < 0.5
