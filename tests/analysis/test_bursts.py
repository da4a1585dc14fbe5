import numpy as np

from graphmind.analysis.bursts import find_bursts
from graphmind.analysis.options import CauseOptions
from tests.analysis.planted import window_of

N = 2000
ROWS = np.arange(N)
SPREAD = ROWS % 50 == 0
BURST = (ROWS >= 800) & (ROWS < 900) & (ROWS % 2 == 1)


def bursts(code, failing=SPREAD | BURST):
    window = window_of(np.full((N, 1), -1), failing, code=np.where(failing, code, -1))
    return [burst.rows for burst in find_bursts(window, np.flatnonzero(failing), CauseOptions())]


def test_a_code_that_is_dense_for_a_while_is_a_burst():
    [rows] = bursts(np.where(BURST, 5, 1))

    assert set(rows.tolist()) <= set(np.flatnonzero(BURST).tolist())
    assert len(rows) >= 45


def test_a_code_that_is_spread_evenly_is_none():
    assert bursts(np.ones(N), failing=SPREAD) == []


def test_a_burst_of_few_traces_is_none():
    few = BURST & (ROWS < 818)

    assert bursts(np.where(few, 5, 1), failing=SPREAD | few) == []


def test_bursts_of_two_codes_apart_in_time_are_two():
    later = (ROWS >= 1500) & (ROWS < 1600) & (ROWS % 2 == 1)

    found = bursts(np.select([BURST, later], [5, 6], 1), failing=SPREAD | BURST | later)

    assert sorted(rows[0] // 100 for rows in found) == [8, 15]


def test_traces_without_a_symptom_category_make_no_burst():
    assert bursts(np.full(N, -1)) == []


def test_no_failing_traces_make_no_burst():
    assert bursts(np.ones(N), failing=ROWS < 0) == []
