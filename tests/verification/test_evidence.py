import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.verification.evidence import Pairs, Stream, anchored, bets, log_e, log_pair, wilson
from graphmind.verification.options import Options
from tests.verification.streams import bounds

OPTIONS = Options()


@pytest.mark.parametrize(("grid", "factor"), [(OPTIONS.odds_down, 1.3), (OPTIONS.odds_up, 0.7)])
@pytest.mark.parametrize("n", [50, 400])
@given(bound=st.floats(0.01, 0.5))
def test_the_mean_of_the_evidence_is_at_most_one_while_its_null_holds(grid, factor, n, bound):
    """Summed exactly over the binomial distribution: at the bound 1, within the null less."""
    k = np.arange(n + 1)
    evidence = log_e(
        Stream(np.full((1, n + 1), n), k[None]), np.array([[bound]]), bets(grid, share=2)
    )

    assert _mean(evidence, n, k, bound) == pytest.approx(1.0, abs=1e-6)
    assert _mean(evidence, n, k, bound * factor) < 1


@given(own=st.floats(0.0, 0.5), control=st.floats(0.0, 0.4), seed=st.integers(0, 2**32 - 1))
def test_the_mean_of_one_pair_is_at_most_one_while_the_difference_is(own, control, seed):
    """Each bet's factor of a pair has this mean, and factors of independent pairs multiply."""
    difference = np.array([own - control + 0.02 * np.random.default_rng(seed).random()])
    chances = {
        (1, 0): own * (1 - control),
        (0, 1): control * (1 - own),
        (0, 0): 1 - own * (1 - control) - control * (1 - own),
    }
    for size in OPTIONS.pair_bets:
        mean = sum(
            chance
            * np.exp(log_pair(Pairs(*(np.array([v]) for v in (1, *marks))), difference, [size]))
            for marks, chance in chances.items()
        )
        assert mean <= 1 + 1e-9


def test_evidence_that_is_peeked_at_all_the_time_seldom_fires_by_chance():
    """2,000 repairs exactly at the healthy bound, peeked at after each request to 1,500."""
    found, random = bounds(), np.random.default_rng(0)
    bound = np.full((1, 1, 1), 0.026)
    bad = np.cumsum(random.random((1, 1500, 2000)) < bound[0], axis=1)
    n = np.broadcast_to(np.arange(1, 1501)[None, :, None], bad.shape)

    evidence = log_e(Stream(n, bad), bound[0], found.toward_healthy["failure"])

    assert (evidence.max(axis=0) >= np.log(200)).mean() <= 0.005


def test_a_common_rise_of_all_rates_is_no_evidence_in_pairs():
    """The background rises from 1 to 30 %; both sides alike."""
    random = np.random.default_rng(0)
    rate = np.linspace(0.01, 0.3, 500)[:, None]
    own, control = (random.random((500, 2000)) < rate for _ in range(2))
    n10, n01 = (np.cumsum(a & ~b, axis=0) for a, b in ((own, control), (control, own)))
    n = np.broadcast_to(np.arange(1, 501)[:, None], n10.shape)

    evidence = log_pair(Pairs(n[None], n10[None], n01[None]), np.full((1, 1, 1), 0.018), [0.2, 0.5])

    assert (evidence.max(axis=0) >= np.log(200)).mean() <= 0.005


def test_swapped_pairs_are_seen_from_the_control():
    assert Pairs(*map(np.array, (9, 3, 1))).swapped() == Pairs(*map(np.array, (9, 1, 3)))


@given(st.permutations(range(4)), st.integers(0, 2**32 - 1))
def test_the_order_of_strata_is_of_no_consequence(order, seed):
    random = np.random.default_rng(seed)
    n = random.integers(1, 300, 4)
    stream = Stream(n, random.binomial(n, 0.1))
    bound = random.uniform(0.01, 0.5, 4)
    grid = anchored(np.array(0.01), np.array(0.1), OPTIONS.odds_down)

    moved = Stream(stream.n[order], stream.bad[order])

    assert log_e(moved, bound[order], grid) == pytest.approx(log_e(stream, bound, grid))


@given(st.floats(0, 1), st.integers(1, 100_000))
def test_wilson_limits_enclose_the_rate(rate, n):
    lower, upper = (wilson(np.array(rate), np.array(n), z) for z in (-2.33, 2.33))

    assert -1e-9 <= lower <= rate + 1e-9
    assert rate - 1e-9 <= upper <= 1 + 1e-9


def _mean(evidence, n, k, rate):
    from math import lgamma

    choose = np.array([lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) for i in k])
    return float(np.exp(choose + k * np.log(rate) + (n - k) * np.log1p(-rate) + evidence).sum())
