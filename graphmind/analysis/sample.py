"""The outcomes of one channel: which traces fail, and how much evidence each trace carries."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from graphmind.analysis.incidence import Codes, Flags, Floats, Integers

# Sampling by outcome alone leaves odds unbiased, so the search may run on raw counts: weights as
# good as constant within each outcome, and not nearly all healthy traces gone. Measured.
WEIGHT_SPREAD_MAX = 0.05
FAILING_SHARE_MAX = 0.85


@dataclass(frozen=True, kw_only=True)
class Sample:
    """n traces in the order of their start."""

    failing: Flags
    start_ns: Integers
    stratum: Codes
    """(n,), 0..strata."""
    strata: int
    weight: Floats
    """(n,), evidence each trace carries; a failing trace about 1."""
    variance: Floats
    """(n,), of the healthy weight that stands for traces not kept."""
    variance_floor: float
    """Variance where no healthy trace was kept; 0 if the window is not sampled."""
    traces_per_weight: float
    """Traces that one unit of evidence stands for."""

    @property
    def sampled(self) -> bool:
        """Whether traces stand for others."""
        return self.variance_floor > 0

    @cached_property
    def even(self) -> bool:
        """Whether all traces carry the same evidence."""
        return bool((self.weight == self.weight[:1]).all())

    def weight_of(self, rows: Integers) -> Floats:
        """Evidence of each of the rows, without looking it up where all carry the same."""
        return np.full(len(rows), self.weight[0]) if self.even and len(rows) else self.weight[rows]

    def deviation(self, variance: Floats | float) -> Floats:
        """Take the standard error of a healthy weight from its summed variance."""
        return np.asarray(np.sqrt(variance + self.variance_floor))


def counted_once(failing: Flags, start_ns: Integers, stratum: Codes, strata: int) -> Sample:
    """Count each trace once, whatever it stands for."""
    return Sample(
        failing=failing,
        start_ns=start_ns,
        stratum=stratum,
        strata=strata,
        weight=np.ones(len(failing)),
        variance=np.zeros(len(failing)),
        variance_floor=0.0,
        traces_per_weight=1.0,
    )


def weighted(sample: Sample, weight: Floats) -> Sample:
    """Give each trace the evidence that its sampling weight (1 / probability) allows."""
    failing, passing = weight[sample.failing], weight[~sample.failing]
    design = float((failing**2).sum() / max(failing.sum(), 1e-9)) if len(failing) else 1.0
    healthy = float(passing.mean()) if len(passing) else 1.0
    return replace(
        sample,
        weight=weight / design,
        variance=np.where(sample.failing, 0.0, weight * (weight - 1)) / design**2,
        variance_floor=2 * healthy * max(healthy - 1, 0) / design**2,
        traces_per_weight=design,
    )


def sampled_by_outcome(weight: Floats, failing: Flags) -> bool:
    """Whether the sampler looked at nothing but the outcome, as far as the weights show."""
    constant = all(
        len(part) < 2 or part.std() < WEIGHT_SPREAD_MAX * part.mean()
        for part in (weight[~failing], weight[failing])
    )
    return constant and failing.mean() < FAILING_SHARE_MAX
