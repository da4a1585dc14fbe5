"""The time channel and the design's executable reference agree, on drawn and on real periods."""

from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.nezha.cases import SYSTEMS
from benchmarks.nezha.loading import read_trials
from benchmarks.public.folder import DATA
from graphmind.analysis.localisation.options import LocalisationOptions
from graphmind.analysis.localisation.period import Period
from graphmind.analysis.localisation.time_channel import time_channel
from graphmind.analysis.localisation.units import unit_costs
from tests.analysis.localisation.oracle import reference_time
from tests.analysis.localisation.sketch import random_period


def assert_agrees(window: Period, references: list[Period]):
    costs = time_channel(
        unit_costs(window), [unit_costs(period) for period in references], LocalisationOptions()
    )

    expected = reference_time(window, references)
    assert costs.keys() == expected.keys()
    for service, evidence in costs.items():
        assert evidence.score == pytest.approx(expected[service][0], rel=1e-6, abs=1e-9)
        assert "+".join(evidence.parts) == expected[service][1]


@given(st.integers(0, 10_000), st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_drawn_periods_score_as_the_reference_scores_them(seed, periods):
    window = random_period(seed, slow="s3")

    assert_agrees(window, [random_period(seed + n, traces=16) for n in range(1, periods + 1)])


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_real_cases_score_as_the_reference_scores_them(system):
    if not (DATA / system).is_dir():
        pytest.skip(f"no folder {system} in shared/data beside the checkout")
    for trial in islice(read_trials(DATA / system), 3):
        assert_agrees(
            in_microseconds(trial.window), [in_microseconds(each) for each in trial.references]
        )


def in_microseconds(period: Period) -> Period:
    """Cut the times to what the reference reads."""
    return replace(
        period,
        start_ns=period.start_ns // 1000 * 1000,
        end_ns=period.end_ns // 1000 * 1000,
    )
