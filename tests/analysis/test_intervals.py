import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.columns import testable_columns as columns_of
from graphmind.analysis.incidence import Incidence
from graphmind.analysis.intervals import best_interval
from graphmind.analysis.model import empty_model
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.sample import Sample

OPTIONS = CauseOptions()


def sample_of(failing, start_ns=None):
    n = len(failing)
    return Sample(
        failing=np.array(failing, bool),
        start_ns=np.arange(n) if start_ns is None else np.array(start_ns),
        stratum=np.zeros(n, np.int32),
        strata=1,
        weight=np.ones(n),
        variance=np.zeros(n),
        variance_floor=0.0,
        traces_per_weight=1.0,
    )


def model_of(failing, start_ns=None):
    """A model without causes of traces that touch nothing."""
    sample = sample_of(failing, start_ns)
    nothing = Incidence(
        starts=np.zeros(len(failing) + 1, np.int64), columns=np.zeros(0, np.int32), width=0
    )
    return empty_model(
        sample, columns_of(nothing, sample, OPTIONS, channels=1, kinds=None), OPTIONS
    )


def test_a_burst_among_the_exposed_bounds_the_cause():
    failing = [0] * 200 + [1] * 20 + [0] * 200
    exposed = np.arange(100, 320)

    found = best_interval(model_of(failing), exposed)

    assert (exposed[found.start], exposed[found.stop - 1]) == (200, 219)
    assert (found.tally.failed, found.tally.exposed) == (20, 20)
    assert found.price == 2 * np.log(220)


def test_failures_all_along_are_not_bounded():
    failing = [0] * 400 + [1, 0] * 50

    found = best_interval(model_of(failing), np.arange(400, 500))

    assert (found.start, found.stop, found.price) == (0, 100, 0)


def test_a_weak_cause_of_many_traces_is_bounded_by_all_of_its_time():
    random = np.random.default_rng(5)
    rows = np.arange(4000)
    failing = random.random(4000) < np.where((rows >= 1000) & (rows < 2200), 0.22, 0.05)
    exposed = rows[rows % 2 == 0]

    found = best_interval(model_of(failing), exposed)

    assert abs(exposed[found.start] - 1000) < 200
    assert abs(exposed[found.stop - 1] - 2200) < 200


def test_few_traces_cannot_pay_for_an_interval():
    failing = [0] * 400 + [0] * 5 + [1] * 6

    found = best_interval(model_of(failing), np.arange(400, 411))

    assert (found.start, found.stop) == (0, 11)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6))
def test_the_order_of_traces_that_start_together_is_of_no_consequence(seed):
    random = np.random.default_rng(seed)
    start_ns = np.sort(random.integers(0, 40, 200))
    failing = random.random(200) < np.where((start_ns > 10) & (start_ns < 20), 0.7, 0.02)
    order = np.lexsort((random.random(200), start_ns))

    one, other = (
        best_interval(model_of(outcome, start_ns), np.arange(200))
        for outcome in (failing, failing[order])
    )

    assert (one.start, one.stop) == (other.start, other.stop)
