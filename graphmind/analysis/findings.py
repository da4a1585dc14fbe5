"""What the analysis hands on: frozen results over the rows of a window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Items (or a pair of them) that raise the probability of failure, with the evidence.

    Items are ids into the window's item table. Counts are of traces (weighted where sampled).
    """

    items: tuple[int, ...]
    tied: tuple[tuple[int, ...], ...]
    """Alternatives the data cannot tell from this cause, most actionable first."""
    channel: str
    confidence: float
    posterior: float
    gain_nats: float
    risk_ratio: float
    risk_ratio_low: float
    failed_with: float
    failed_total: float
    passed_with: float
    passed_total: float
    expected: float
    q_value: float
    onset_ns: int
    """First failing trace the cause is active on."""
    until_ns: int
    bounded: bool
    """Active only in the interval from onset to until, not whenever the items are touched."""
    rivals: tuple[tuple[float, tuple[int, ...]], ...]
    """Up to five, (objective minus this cause's objective in nats, items)."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Failing traces that belong together; no causes means they share a burst nothing explains."""

    channels: tuple[str, ...]
    causes: tuple[Cause, ...]
    """Strongest first."""
    traces: NDArray[np.int64]
    """Rows of the window, ascending."""
    examples: tuple[int, ...]
    """Up to five rows that show it best."""
    survivors: tuple[int, ...]
    """Up to five rows that touched the cause and stayed healthy."""
    lost: float
    """Failures beyond expectation: what findings are sorted by."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All findings of a window, strongest first, and the failing rows that none explains."""

    findings: tuple[Finding, ...]
    unexplained: NDArray[np.int64]
    untestable_items: int
    """Items on too few traces for any outcome to be significant."""
