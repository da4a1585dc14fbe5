"""Ours and the design's executable reference agree, on drawn and on real periods."""

from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.nezha.cases import DATA, SYSTEMS
from benchmarks.nezha.loading import read_trials
from graphmind.analysis.localisation.period import Period
from graphmind.analysis.localisation.ranking import localise
from tests.analysis.localisation.oracle import reference_scores
from tests.analysis.localisation.sketch import random_period


def assert_agrees(window: Period, references: list[Period]):
    expected = reference_scores(window, references)
    found = {
        suspect.service: (
            suspect.score,
            "+".join(suspect.time_evidence.parts) if suspect.time_evidence else None,
        )
        for suspect in localise(window, references).suspects
    }

    assert found.keys() == expected.keys()
    for service, (score, part) in found.items():
        assert score == pytest.approx(expected[service][0], rel=1e-6, abs=1e-9)
        assert part == expected[service][1]


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
        references = [in_microseconds(period) for period in trial.references]
        window = in_microseconds(trial.window)
        if any(period.statements is None for period in (window, *references)):
            window = replace(window, statements=None)
            references = [replace(period, statements=None) for period in references]
        assert_agrees(window, references)


def in_microseconds(period: Period) -> Period:
    """Cut the times to what the reference reads."""
    return replace(
        period,
        start_ns=period.start_ns // 1000 * 1000,
        end_ns=period.end_ns // 1000 * 1000,
        statements=period.statements
        and replace(period.statements, at_ns=period.statements.at_ns // 1000 * 1000),
    )
