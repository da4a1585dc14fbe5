"""Whether agent groups answer more slowly, or go other ways, than in an earlier period."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, false_discovery_control, mannwhitneyu, rankdata

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GroupPeriods:
    """Durations in ms, > 0, and traces by branch (same branches in both), before and now."""

    group: str
    was_ms: Floats
    now_ms: Floats
    was_branches: Floats
    now_branches: Floats


@dataclass(frozen=True, kw_only=True)
class Drift:
    """`response_shift`: ln of now's median over before's; `branch_shift`: Jensen-Shannon, bits.

    `q_value` bounds the share of false alarms among the groups reported at or below it.
    """

    group: str
    response_shift: float
    branch_shift: float
    mean_ms: float
    was_mean_ms: float
    q_value: float


def measure_drift(groups: Sequence[GroupPeriods], *, among: int = 0) -> list[Drift]:
    """Return the drift of each group, surest first; those without traces in either left out.

    Where they are some of ``among`` groups, their q-values are bounds: no lower than they would be
    beside the others.
    """
    usable = [group for group in groups if len(group.was_ms) and len(group.now_ms)]
    if not usable:
        return []
    chances = [_chance(group) for group in usable]
    others = [1.0] * (among - len(usable))
    q_values = false_discovery_control([*chances, *others], method="by")[: len(usable)]
    drifts = [_drift(group, float(q)) for group, q in zip(usable, q_values, strict=True)]
    return sorted(drifts, key=lambda drift: (drift.q_value, drift.group))


def shift_began(values: Floats) -> int:
    """Return the place from which values, in order of time, differ most from those before.

    It is where the running sum of their ranks strays farthest: one shift is assumed.
    """
    ranks = rankdata(values)
    return int(np.abs(np.cumsum(ranks - ranks.mean())).argmax()) + 1


def _chance(group: GroupPeriods) -> float:
    """Chance of either shift where nothing drifted; two tests, so the smaller counts twice."""
    response = float(mannwhitneyu(group.was_ms, group.now_ms).pvalue)
    return min(1.0, 2 * min(response, _branch_chance(group)))


def _branch_chance(group: GroupPeriods) -> float:
    counts = np.array([group.was_branches, group.now_branches])
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2 or not counts.sum(axis=1).all():
        return 1.0
    # G is twice the traces times the divergence weighted by the periods' sizes, in nats.
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    terms = counts * np.log(np.where(counts > 0, counts, 1) / np.where(counts > 0, expected, 1))
    return float(chi2.sf(2 * terms.sum(), counts.shape[1] - 1))


def _drift(group: GroupPeriods, q_value: float) -> Drift:
    return Drift(
        group=group.group,
        response_shift=float(np.log(np.median(group.now_ms) / np.median(group.was_ms))),
        branch_shift=_divergence(group.was_branches, group.now_branches),
        mean_ms=float(group.now_ms.mean()),
        was_mean_ms=float(group.was_ms.mean()),
        q_value=q_value,
    )


def _divergence(was: Floats, now: Floats) -> float:
    if not was.sum() or not now.sum():
        return 0.0
    shares = np.array([was / was.sum(), now / now.sum()])
    middle = shares.mean(axis=0)
    ratios = np.where(shares > 0, shares, 1) / np.where(shares > 0, middle, 1)
    return max(0.0, float((shares * np.log2(ratios)).sum() / 2))
