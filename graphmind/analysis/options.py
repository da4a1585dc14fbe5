"""Every threshold of the shared-cause analysis, with the source of its default."""

from dataclasses import dataclass
from math import log


@dataclass(frozen=True, kw_only=True)
class CauseOptions:
    """Thresholds of the shared-cause analysis.

    "Measured" means: on planted windows of 1 k to 1 M traces, see the design's algorithms.md.
    """

    alpha: float = 0.01
    """Share of quiet windows that may show a cause. Measured: .05 reports the same."""
    failures_min: float = 5.0
    """Failures (of an item, and beyond expectation). Chosen: fewer cannot be told from chance."""
    confidence_min: float = 0.2
    """A name less likely right is none: its failures stay unexplained. Chosen."""
    risk_ratio_min: float = 5.0
    """Lower bound of the risk ratio. Measured: no false cause in 150 quiet windows at 5."""
    risk_ratio_bounded: float = 3.0
    """The same for a cause limited to an interval: what is chronically worse has no onset. Chosen;
    measured: no more reports in 100 quiet windows, weak causes at a base rate of 4 % found."""
    strength_min: float = 0.05
    """Lower bound of the strength, whatever the base rate. Measured with the ratio."""
    strength_cap: float = 0.25
    """The ratio asks at most this strength, so a base rate above 6 % stays usable. Chosen."""
    risk_ratio_floor: float = 1.5
    """Where the cap is active (base rate > 33 %), the ratio asked. Chosen."""

    price_by_kind: bool = True
    """Whether kinds share the error allowed evenly, else all items do. Measured: see README."""
    top: int = 12
    """Single items tried in each step. Measured."""
    top_in_parts: int = 6
    """And items that stand out in a part of the window only. Measured: without, a third of the
    conjunctions of an hour with another outage are missed."""
    beam: int = 6
    """Candidates refitted in each step. Measured: 1 costs .05 of ARI."""
    causes_max: int = 40
    """Causes of one channel. Chosen."""
    pair_screen_rows: int = 15_000
    """Above it pairs are screened on every k-th trace and verified exactly. Measured."""
    tie_jaccard: float = 0.95
    """Overlap of exposures from which data cannot tell two items apart. Measured."""

    strata_max: int = 32
    """Strata kept apart; the rest is pooled. Chosen."""
    heterogeneity_nats: float = 3.0
    """Gain that lets a strength vary between strata. Measured: 2 the same, 5 costs precision."""
    concentrations: tuple[float, ...] = (0.5, 2.0, 8.0, 32.0)
    """Beta concentrations tried. Measured: a finer grid reports the same, slower."""
    trial_steps: int = 8
    """EM steps for candidates and rivals. Measured: 12 report the same."""

    merge_resolution: float = 0.5
    """Louvain resolution on the graph of causes. Measured."""
    merge_causes_min: int = 3
    """Causes that make one incident. Chosen: a group never recorded shows as many stand-ins; two
    regions or models that fail alike are two incidents with two commands."""
    burst_traces_min: int = 10
    """Failing traces of a burst that no item explains. Chosen."""

    @property
    def gain_min(self) -> float:
        """What a cause must gain beyond its price, in nats."""
        return log(1 / self.alpha)
