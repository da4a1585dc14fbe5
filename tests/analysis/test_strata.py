import numpy as np

from graphmind.analysis.strata import derive_strata, pool_strata
from tests.analysis.planted import plant, window_of


def test_few_strata_are_renumbered():
    pooled, strata = pool_strata(np.array([7, 3, 7, 5], np.int32), np.zeros(4, bool), strata_max=32)

    assert (pooled.tolist(), strata) == ([2, 0, 2, 1], 3)


def test_strata_with_fewest_failures_are_pooled():
    stratum = np.repeat(np.arange(5, dtype=np.int32), 4)
    failing = np.arange(20) % 4 < np.array([1, 3, 0, 2, 0])[stratum]

    pooled, strata = pool_strata(stratum, failing, strata_max=3)

    assert strata == 3
    assert pooled[::4].tolist() == [2, 0, 2, 1, 2]


def test_derived_strata_separate_tasks():
    window = plant(0, n=2000, base_rate=0).window

    derived = derive_strata(window.items, ~window.failing["error"])

    mixed = [np.bincount(window.stratum[derived == s]) for s in np.unique(derived)]
    assert sum(counts.max() for counts in mixed) > 0.6 * window.n


def test_derived_strata_do_not_tell_failing_traces_from_healthy_ones():
    kind, failing = np.arange(600) % 3, np.arange(600) % 10 == 0
    handler = np.where(failing, 6, -1)
    touches = np.stack([kind, kind + 3, handler], axis=1)

    derived = derive_strata(window_of(touches, failing).items, ~failing)

    assert [set(derived[kind == k]) for k in range(3)] == [{derived[k]} for k in range(3)]


def test_traces_with_nothing_to_tell_them_apart_are_one_stratum():
    same = window_of(np.zeros((50, 1), int), np.zeros(50))

    assert set(derive_strata(same.items, np.ones(50, bool)).tolist()) == {0}
