"""Drift of agent groups on planted periods."""

import numpy as np

from graphmind.analysis.drift import GroupPeriods, measure_drift


def _group(name, seed, *, slower=1.0, branches=(50.0, 50.0)):
    rng = np.random.default_rng(seed)
    was, now = rng.lognormal(5, 0.5, 400), rng.lognormal(5, 0.5, 400) * slower
    return GroupPeriods(
        group=name,
        was_ms=was,
        now_ms=now,
        was_branches=np.array([50.0, 50.0]),
        now_branches=np.array(branches),
    )


def test_groups_that_drifted_come_first_and_alone_are_sure():
    groups = [_group(f"calm-{seed}", seed) for seed in range(20)]
    groups += [_group("slow", 30, slower=1.5), _group("astray", 31, branches=(95.0, 5.0))]
    drifts = measure_drift(groups)

    assert {"slow", "astray"} == {drift.group for drift in drifts if drift.q_value < 0.01}
    assert {"slow", "astray"} == {drift.group for drift in drifts[:2]}


def test_disjoint_branches_shift_by_one():
    group = _group("turned", 1)
    turned = GroupPeriods(
        group="turned",
        was_ms=group.was_ms,
        now_ms=group.now_ms,
        was_branches=np.array([9.0, 0.0]),
        now_branches=np.array([0.0, 9.0]),
    )

    assert measure_drift([turned])[0].branch_shift == 1.0
