"""What separates cohorts, on planted traces, and where nodes are drawn."""

import numpy as np
import pytest

from graphmind.analysis.cohorts import separate
from graphmind.analysis.contingency import Contingency
from graphmind.analysis.incidence import Incidence
from graphmind.analysis.layout import lay_out
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.window import Window


def window(touched: np.ndarray, stratum: np.ndarray | None = None) -> Window:
    """A window of traces that touch tools as (n, items) flags say; item i is ``t{i}``."""
    n, width = touched.shape
    return Window(
        start_ns=np.arange(n),
        items=Incidence(
            starts=np.concatenate([[0], np.cumsum(touched.sum(1))]),
            columns=np.nonzero(touched)[1].astype(np.int32),
            width=width,
        ),
        touched_ns=np.zeros(int(touched.sum()), np.int64),
        item_kinds=("tool",) * width,
        item_names=tuple(f"t{i}" for i in range(width)),
        failing={},
        failing_ns={},
        weight=np.ones(n),
        unit=np.arange(n, dtype=np.int32),
        stratum=np.zeros(n, np.int32) if stratum is None else stratum.astype(np.int32),
    )


@pytest.fixture
def chance():
    return np.random.default_rng(3)


def test_what_was_planted_separates_and_nothing_else(chance):
    """Item 4 is on four of five traces of the first cohort, on one of ten of the others."""
    first = chance.random(3_000) < 0.2
    touched = chance.random((3_000, 20)) < 0.3
    touched[:, 4] = np.where(first, chance.random(3_000) < 0.8, chance.random(3_000) < 0.1)

    found = separate(window(touched), first, CauseOptions())

    assert [each.item for each in found.items] == [4]
    [only] = found.items
    assert only.is_cause
    assert 1 < only.low < only.ratio < only.high
    assert only.counts.failed_with == (first & touched[:, 4]).sum()
    assert only.counts.passed_with == (~first & touched[:, 4]).sum()


def test_what_the_others_touch_more_often_separates_too(chance):
    first = chance.random(2_000) < 0.3
    touched = chance.random((2_000, 5)) < 0.3
    touched[:, 2] = ~first & (chance.random(2_000) < 0.6)

    [only] = separate(window(touched), first, CauseOptions()).items

    assert (only.item, only.is_cause) == (2, False)
    assert only.high < 1


def test_a_stand_in_for_the_kind_of_task_does_not_separate(chance):
    """Item 0 is on one kind of task only, which the first cohort has more of."""
    stratum = (chance.random(4_000) < 0.5).astype(np.int32)
    first = chance.random(4_000) < np.where(stratum, 0.6, 0.2)
    touched = chance.random((4_000, 4)) < 0.3
    touched[:, 0] = (stratum == 1) & (chance.random(4_000) < 0.8)

    assert separate(window(touched, stratum), first, CauseOptions()).items == ()
    assert [each.item for each in separate(window(touched), first, CauseOptions()).items] == [0]


def test_cohorts_drawn_by_chance_do_not_differ(chance):
    found = 0
    for _ in range(20):
        touched = chance.random((1_000, 40)) < chance.random(40)
        found += len(separate(window(touched), chance.random(1_000) < 0.5, CauseOptions()).items)

    assert found == 0


def test_one_cohort_alone_has_nothing_to_differ_from(chance):
    touched = chance.random((50, 3)) < 0.5

    assert separate(window(touched), np.ones(50, bool), CauseOptions()).items == ()


def test_the_interval_of_a_ratio_is_even_on_the_scale_of_logarithms():
    counts = Contingency(failed_with=30, failed_total=40, passed_with=70, passed_total=960)
    low, high = counts.ratio_interval(counts.risk_ratio)

    assert counts.risk_ratio == pytest.approx(0.3 / (10 / 900))
    assert low * high == pytest.approx(counts.risk_ratio**2)


def test_a_layout_is_the_same_every_time_and_keeps_the_first_in_the_middle(chance):
    source, target = chance.integers(0, 300, (2, 900))
    weight = np.ones(900)
    one, two = (lay_out(300, source, target, weight) for _ in range(2))

    assert (one == two).all()
    assert (one[0] == 0).all()
    assert np.abs(one).max() == pytest.approx(1)
    assert len(np.unique(one.round(4), axis=0)) == 300


def test_joined_nodes_are_drawn_nearer_than_others(chance):
    """Two halves, joined inside only."""
    half = np.arange(100) % 2
    source = chance.integers(0, 100, 600)
    target = (source + 2 * chance.integers(0, 50, 600)) % 100
    place = lay_out(100, source, target, np.ones(600))
    apart = np.linalg.norm(place[:, None] - place[None], axis=2)
    same = half[:, None] == half[None]

    assert apart[same & (apart > 0)].mean() < apart[~same].mean()


@pytest.mark.parametrize("nodes", [0, 1])
def test_few_nodes_are_drawn_in_the_middle(nodes):
    nothing = np.zeros(0, np.int64)

    assert lay_out(nodes, nothing, nothing, np.zeros(0)).tolist() == [[0.0, 0.0]] * nodes
