"""Four counts of traces, and how much more often one side fails: the ratio and its interval."""

from dataclasses import dataclass

import numpy as np

Z95 = 1.96


@dataclass(frozen=True, kw_only=True)
class Contingency:
    """Traces by outcome, those with something and all; as weights estimate."""

    failed_with: float
    failed_total: float
    passed_with: float
    passed_total: float

    @property
    def risk_ratio(self) -> float:
        """Failing rate with it over the rate without."""
        return self.failed_with / self._with / (self._failed_without / self._without)

    @property
    def log_ratio_deviation(self) -> float:
        """Standard error of the ratio's logarithm (Katz et al. 1978)."""
        inside = 1 / self.failed_with - 1 / self._with
        outside = 1 / self._failed_without - 1 / self._without
        return float(np.sqrt(inside + outside))

    def ratio_interval(self, ratio: float) -> tuple[float, float]:
        """95 % interval about a ratio, by the evidence of these counts."""
        factor = float(np.exp(Z95 * self.log_ratio_deviation))
        return ratio / factor, ratio * factor

    @property
    def _with(self) -> float:
        return self.failed_with + self.passed_with

    @property
    def _failed_without(self) -> float:
        # Half a failure where none was seen keeps the ratio finite.
        return max(self.failed_total - self.failed_with, 0.5)

    @property
    def _without(self) -> float:
        return self._failed_without + self.passed_total - self.passed_with
