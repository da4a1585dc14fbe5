from dataclasses import replace

import numpy as np
import pytest

from graphmind.analysis.find import find
from graphmind.analysis.options import CauseOptions
from tests.analysis.planted import plant, window_of

N = 1000
ROWS = np.arange(N)
TOUCHED = ROWS % 10 == 3
BACKGROUND = (ROWS % 101 == 7) & ~TOUCHED
HIT = TOUCHED & (ROWS % 20 == 3)


def one_item(failing, *, on=TOUCHED, **more):
    """A window in which one item is on a tenth of the traces and another on half."""
    touches = np.stack([np.where(on, 0, -1), np.where(ROWS % 2, 1, -1)], axis=1)
    return window_of(touches, failing, kinds=["agent", "tool"], **more)


def blamed(window, **options):
    findings = find(window, CauseOptions(**options)).findings
    return [[cause.items for cause in finding.causes] for finding in findings]


def test_a_cause_is_reported_with_its_counts():
    failing = BACKGROUND | HIT

    [finding] = find(one_item(failing)).findings

    [cause] = finding.causes
    assert cause.items == (0,)
    assert (cause.failed_with, cause.failed_total) == (HIT.sum(), failing.sum())
    assert (cause.passed_with, cause.passed_total) == ((TOUCHED & ~failing).sum(), (~failing).sum())
    with_it, without = HIT.sum() / TOUCHED.sum(), BACKGROUND.sum() / (N - TOUCHED.sum())
    assert cause.risk_ratio == pytest.approx(with_it / without)
    assert 1 < cause.risk_ratio_low < cause.risk_ratio
    assert cause.q_value < 1e-20
    assert not cause.bounded
    assert (cause.onset_ns, cause.until_ns) == (3 * 10**9, 983 * 10**9)


def test_a_finding_holds_the_failing_traces_and_healthy_ones_that_touched_the_cause():
    [finding] = find(one_item(BACKGROUND | HIT)).findings

    assert finding.traces.tolist() == np.flatnonzero(HIT).tolist()
    assert set(finding.examples) <= set(finding.traces.tolist())
    assert len(finding.examples) == 5
    assert finding.survivors == tuple(np.flatnonzero(TOUCHED & ~HIT)[:5])
    assert HIT.sum() - 2 < finding.lost < HIT.sum()


def test_failing_rows_in_no_finding_are_unexplained():
    found = find(one_item(BACKGROUND | HIT))

    assert found.unexplained.tolist() == np.flatnonzero(BACKGROUND & ~HIT).tolist()


def test_the_ratio_is_finite_where_nothing_else_fails():
    [finding] = find(one_item(HIT)).findings

    rest = N - TOUCHED.sum()
    assert finding.causes[0].risk_ratio == pytest.approx(0.5 * (rest + 0.5) / 0.5, rel=0.01)


@pytest.mark.parametrize(
    "failing",
    [ROWS < 0, ROWS < 4, ROWS >= 0, BACKGROUND],
    ids=["none fails", "four fail", "all fail", "failures by chance"],
)
def test_nothing_is_reported_where_nothing_can_be_told(failing):
    found = find(one_item(failing))

    assert found.findings == ()
    assert found.unexplained.tolist() == np.flatnonzero(failing).tolist()


def test_an_item_on_every_trace_is_no_cause():
    assert blamed(one_item(BACKGROUND | (ROWS % 5 == 0), on=ROWS >= 0)) == []


@pytest.mark.parametrize("n", [0, 1])
def test_windows_of_no_and_of_one_trace_have_no_findings(n):
    window = one_item(HIT).take(np.arange(n))

    assert find(window).findings == ()


def test_a_window_without_items_has_no_findings():
    assert find(window_of(np.full((N, 1), -1), BACKGROUND)).findings == ()


@pytest.mark.parametrize("seed", range(10))
def test_quiet_windows_have_no_findings(seed):
    window = plant(seed, causes=0, base_rate=0.03).window

    assert find(window).findings == ()


def test_resubmitted_failures_are_one_observation_and_one_finding():
    failing = BACKGROUND | (TOUCHED & (ROWS < 60))
    assert blamed(one_item(failing)) == [[(0,)]]

    as_one_job = np.where(failing & TOUCHED, N, ROWS)

    assert blamed(one_item(failing, unit=as_one_job)) == []


def test_all_failing_attempts_of_an_explained_job_are_in_its_finding():
    failing = BACKGROUND | HIT | (ROWS % 20 == 4)
    retried = np.where(ROWS % 20 == 4, ROWS - 1, ROWS)

    [finding] = find(one_item(failing, unit=retried)).findings

    assert finding.traces.tolist() == np.flatnonzero(HIT | (ROWS % 20 == 4)).tolist()


def test_channels_that_blame_the_same_item_are_one_finding():
    window = one_item(BACKGROUND | HIT, channels=("error", "latency"))

    [finding] = find(window).findings

    assert finding.channels == ("error", "latency")
    assert [cause.items for cause in finding.causes] == [(0,)]


def test_a_channel_without_symptoms_changes_nothing():
    window = one_item(BACKGROUND | HIT)
    silent = replace(
        window,
        failing=window.failing | {"loop": np.zeros(N, bool)},
        failing_ns=window.failing_ns | {"loop": window.failing_ns["error"]},
    )

    assert repr(find(silent)) == repr(find(window))


def test_a_burst_of_one_code_that_no_item_explains_is_a_finding_without_a_cause():
    burst = (ROWS >= 500) & (ROWS < 540)
    window = one_item(BACKGROUND | burst, code=np.where(burst, 7, np.where(BACKGROUND, 1, -1)))

    [finding] = find(window).findings

    assert finding.causes == ()
    assert set(finding.traces.tolist()) <= set(np.flatnonzero(burst).tolist())
    assert len(finding.traces) >= 35


def test_results_nobody_judged_say_nothing_about_quality():
    judged = ROWS % 3 == 0
    window = replace(
        one_item((BACKGROUND | HIT) & judged, channels=("quality",)), observable={"quality": judged}
    )

    [finding] = find(window).findings

    [cause] = finding.causes
    assert (cause.failed_with, cause.passed_with) == (
        (HIT & judged).sum(),
        (TOUCHED & ~HIT & judged).sum(),
    )
    assert finding.traces.tolist() == np.flatnonzero(HIT & judged).tolist()


def test_weights_make_counts_those_of_all_traces():
    failing = BACKGROUND | HIT
    whole = one_item(failing)
    kept = failing | (ROWS % 20 < 10)
    sampled = replace(whole, weight=np.where(failing, 1.0, 2.0)).take(np.flatnonzero(kept))

    [finding] = find(sampled).findings

    [cause] = finding.causes
    assert cause.items == (0,)
    assert cause.passed_total == 2 * (kept & ~failing).sum()
    assert cause.failed_with == HIT.sum()


def test_two_items_that_fail_only_together_are_a_pair():
    a, b = ROWS % 4 == 0, ROWS // 4 % 3 == 0
    touches = np.stack([np.where(a, 0, -1), np.where(b, 1, -1)], axis=1)

    found = blamed(window_of(touches, BACKGROUND | (a & b), kinds=["agent", "region"]))

    assert found == [[(0, 1)]]


def test_the_same_window_gives_the_same_findings():
    window = plant(3, causes=4, heterogeneity=0.8).window

    assert repr(find(window)) == repr(find(window))
