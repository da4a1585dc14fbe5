import numpy as np
import pytest

from graphmind.analysis.sample import sampled_by_outcome, weighted
from tests.analysis.test_intervals import sample_of

FAILING = np.arange(100) % 10 == 0


@pytest.mark.parametrize(
    ("weight", "by_outcome"),
    [
        (np.ones(100), True),
        (np.where(FAILING, 1.0, 20.0), True),
        (np.where(FAILING, 1.0, np.where(np.arange(100) < 50, 2.0, 50.0)), False),
        (np.where(FAILING & (np.arange(100) < 50), 2.0, 1.0), False),
    ],
    ids=["all kept", "healthy thinned", "healthy thinned by region", "failing thinned by region"],
)
def test_sampling_by_outcome_alone_is_seen_in_the_weights(weight, by_outcome):
    assert sampled_by_outcome(weight, FAILING) == by_outcome


def test_raw_counts_are_not_trusted_where_nearly_all_kept_traces_fail():
    assert not sampled_by_outcome(np.ones(100), np.arange(100) < 90)


def test_unit_weights_leave_the_sample_as_it_was():
    sample = weighted(sample_of(FAILING), np.ones(100))

    assert not sample.sampled
    assert (sample.weight == 1).all()


def test_a_failing_trace_is_about_one_unit_of_evidence():
    sample = weighted(sample_of(FAILING), np.where(FAILING, 4.0, 8.0))

    assert sample.weight[FAILING].tolist() == [1.0] * 10
    assert (sample.weight[~FAILING] == 2).all()
    assert sample.traces_per_weight == 4
    assert sample.sampled
