"""What separates two cohorts of traces: each item tested, at the price of having been searched for.

The same evidence as for shared causes: excess over what the kinds of task make expected, in nats,
less the logarithm of the tests (a Bonferroni bound), and Katz intervals of the ratio.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from graphmind.analysis.columns import Columns, testable_columns
from graphmind.analysis.contingency import Contingency
from graphmind.analysis.evidence import kl_gain, sampled_gain
from graphmind.analysis.explanation import explain_channel
from graphmind.analysis.incidence import Flags, Floats
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.report import report_cause
from graphmind.analysis.sample import counted_once, weighted
from graphmind.analysis.strata import pool_strata
from graphmind.analysis.window import Window

SEPARATING_MAX: Final = 100
"""Items reported, the surest (chosen)."""
MIXED_MIN: Final = 0.5
"""Share of the first cohort that must have counterparts of its kind of task in the second, to
compare within kinds (chosen): cohorts chosen by task would else have nothing to differ in."""
_COHORT: Final = "error"
"""The channel that membership of the first cohort is analysed as."""


@dataclass(frozen=True, kw_only=True)
class Separation:
    """An item that one cohort touches more often; counts are of traces, as weights estimate."""

    item: int
    tied: tuple[int, ...]
    """Other items on exactly the same traces."""
    counts: Contingency
    """``failed``: of the first cohort, ``passed``: of the second."""
    ratio: float
    low: float
    high: float
    q_value: float
    confidence: float
    is_cause: bool


@dataclass(frozen=True, kw_only=True)
class Separated:
    """What separates two cohorts, the surest first."""

    items: tuple[Separation, ...]
    tested: int


def separate(window: Window, first: Flags, options: CauseOptions) -> Separated:
    """Test which items the first cohort (n,) touches more or less often than the others."""
    if first.all() or not first.any():
        return Separated(items=(), tested=0)
    causes = _causes(window, first, options)
    found: dict[int, tuple[float, Separation]] = {}
    tested = 0
    for side in (first, ~first):
        columns, gains = _gains(window, side, options)
        tested = max(tested, columns.count)
        prices = columns.search_nats
        for column in np.flatnonzero(gains - prices >= options.gain_min).tolist():
            gain = float(gains[column] - prices[column])
            each = _separation(window, first, columns, column, gain=gain, causes=causes)
            if each.low > 1 or each.high < 1:
                found[each.item] = (gain, each)
    order = sorted(found.values(), key=lambda pair: (not pair[1].is_cause, -pair[0], pair[1].item))
    return Separated(items=tuple(each for _, each in order[:SEPARATING_MAX]), tested=tested)


def _gains(window: Window, side: Flags, options: CauseOptions) -> tuple[Columns, Floats]:
    """Return the testable columns, and the evidence for an excess of one side on each."""
    stratum, strata = _comparable(window, side, options)
    sample = weighted(counted_once(side, window.start_ns, stratum, strata), window.weight)
    columns = testable_columns(window.items, sample, options, channels=2, kinds=window.item_kinds)
    total = np.bincount(stratum, sample.weight, strata)
    own = np.bincount(stratum, sample.weight * side, strata)
    rate = own / np.maximum(total, 1e-9)
    expected = columns.by_trace.sums_of_all(sample.weight * rate[stratum])
    if not sample.sampled:
        return columns, kl_gain(columns.exposed, columns.failed, expected)
    deviation = sample.deviation(columns.variance)
    return columns, sampled_gain(columns.exposed, columns.failed, expected, deviation)


def _comparable(window: Window, side: Flags, options: CauseOptions) -> tuple[np.ndarray, int]:
    """Return the kinds of task to compare within: one for all where the cohorts share too few."""
    stratum, strata = pool_strata(window.stratum, side, strata_max=options.strata_max)
    others = np.bincount(stratum[~side], minlength=strata)
    if (others[stratum[side]] > 0).mean() >= MIXED_MIN:
        return stratum, strata
    return np.zeros(window.n, np.int32), 1


def _causes(window: Window, first: Flags, options: CauseOptions) -> dict[int, float]:
    """Return the items that each explain the first cohort alone, with their confidence."""
    if first.sum() < options.failures_min or first.mean() > 0.5:
        return {}
    never = np.iinfo(np.int64).max
    own = {
        "failing": {_COHORT: first},
        "failing_ns": {_COHORT: np.where(first, never - 1, never)},
    }
    failing = Window(
        **{**vars(window), **own, "observable": {}},
    )
    explained = explain_channel(failing, _COHORT, options, channels=1)
    reports = [
        report_cause(failing, _COHORT, explained, judged)
        for judged in explained.judged
        if not judged.weak
    ]
    return {
        item: report.confidence
        for report in reports
        for items in (report.items, *report.tied)
        for item in items
        if len(items) == 1
    }


def _separation(
    window: Window,
    first: Flags,
    columns: Columns,
    column: int,
    *,
    gain: float,
    causes: dict[int, float],
) -> Separation:
    rows = columns.rows_of((column,))
    counts, seen = (_counts(first, rows, weight) for weight in (window.weight, np.ones(window.n)))
    twins = columns.twins.get(column, columns.item[column : column + 1]).tolist()
    item = next((twin for twin in twins if twin in causes), twins[0])
    low, high = seen.ratio_interval(counts.risk_ratio)
    q_value = float(min(1.0, np.exp(-gain)))
    return Separation(
        item=item,
        tied=tuple(twin for twin in twins if twin != item),
        counts=counts,
        ratio=counts.risk_ratio,
        low=low,
        high=high,
        q_value=q_value,
        confidence=causes.get(item, 1 - q_value),
        is_cause=item in causes,
    )


def _counts(first: Flags, rows: np.ndarray, weight: Floats) -> Contingency:
    inside = weight[rows]
    own = float(inside[first[rows]].sum())
    return Contingency(
        # Half a trace where none was seen keeps the ratio's logarithm finite.
        failed_with=max(own, 0.5),
        failed_total=float(weight[first].sum()),
        passed_with=float(inside.sum()) - own,
        passed_total=float(weight[~first].sum()),
    )
