"""Order statistics of many groups at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAD_TO_SIGMA = 1.4826
"""Median absolute deviation times this estimates a normal's standard deviation."""
DEVIATION_MIN = 0.02
"""Floor of the robust deviation of a logarithm: 2 % (algorithms.md, section 1)."""


@dataclass(frozen=True, kw_only=True)
class Robust:
    """Median and robust deviation by group; NaN where a group has too few values."""

    median: Floats
    deviation: Floats


def group_quantile(values: Floats, groups: Ints, count: int, share: float) -> Floats:
    """Return the lower ``share`` quantile of each of ``count`` groups, NaN for an empty one."""
    order = np.argsort(values)
    order = order[np.argsort(_narrow(groups, count)[order], kind="stable")]
    sizes = np.bincount(groups, minlength=count)
    starts = np.cumsum(sizes) - sizes
    picked = starts + np.floor(share * np.maximum(sizes - 1, 0)).astype(np.int64)
    answer = np.full(count, np.nan)
    filled = sizes > 0
    answer[filled] = values[order][picked[filled]]
    return answer


def _narrow(groups: Ints, count: int) -> NDArray[np.uint16] | Ints:
    """Return the groups in 16 bits if they fit: numpy sorts those by radix, ten times quicker."""
    return groups.astype(np.uint16) if count <= np.iinfo(np.uint16).max else groups


def robust(values: Floats, groups: Ints, count: int, *, least: int) -> Robust:
    """Return median and 1.4826 MAD (at least 0.02) of each group with ``least`` values or more."""
    median = group_quantile(values, groups, count, 0.5)
    spread = group_quantile(np.abs(values - median[groups]), groups, count, 0.5)
    median[np.bincount(groups, minlength=count) < least] = np.nan
    deviation = np.maximum(MAD_TO_SIGMA * spread, DEVIATION_MIN)
    return Robust(median=median, deviation=np.where(np.isnan(median), np.nan, deviation))
