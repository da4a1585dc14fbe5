"""What fails for a part of the window only."""

import numpy as np

from graphmind.analysis.incidence import Incidence
from graphmind.analysis.moments import PARTS, best_moments, sums_before

N = 1600


def each_row_holds(columns: np.ndarray) -> Incidence:
    return Incidence(
        starts=np.arange(N + 1), columns=columns.astype(np.int32), width=int(columns.max()) + 1
    )


def gain(failing: np.ndarray, columns: np.ndarray, base_rate: float) -> list[float]:
    items, rows = each_row_holds(columns), np.flatnonzero(failing)
    exposed = sums_before(items, np.arange(N), np.ones(N))
    failed = sums_before(items, rows, np.ones(len(rows)))
    gains: list[float] = best_moments(exposed, failed, base_rate).tolist()
    return gains


def test_sums_before_the_last_end_are_those_of_all():
    sums = sums_before(each_row_holds(np.arange(N) % 3), np.arange(N), np.ones(N))

    assert sums.shape == (PARTS + 1, 3)
    assert sums[-1].tolist() == [534, 533, 533]


def test_a_column_that_fails_for_a_while_stands_out_though_it_hardly_fails_over_all():
    rows = np.arange(N)
    failing = (rows % 2 == 0) & (rows >= 400) & (rows < 500)
    failing |= (rows % 2 == 1) & (rows % 16 == 1)

    first, second = gain(failing, rows % 2, base_rate=failing.mean())

    assert first > 50
    assert second < 10


def test_a_column_that_fails_evenly_does_not_stand_out():
    rows = np.arange(N)

    assert gain(rows % 20 == 0, np.zeros(N), base_rate=0.05) == [0.0]


def test_a_handful_of_failures_does_not_stand_out():
    rows = np.arange(N)

    assert gain((rows >= 400) & (rows < 404), np.zeros(N), base_rate=0.001) == [0.0]
