"""How strongly counts of failures speak against chance. All gains are in nats."""

from dataclasses import dataclass

import numpy as np

from graphmind.analysis.incidence import Floats


def kl_gain(exposed: Floats, failed: Floats, expected: Floats) -> Floats:
    """Measure the excess of failures: n KL(f/n || E/n) where f > E, else 0.

    It is -ln of the Chernoff bound on the probability of so large an excess.
    """
    expected = np.clip(expected, 1e-9, np.maximum(exposed - 1e-9, 1e-9))
    passed = exposed - failed
    with np.errstate(divide="ignore", invalid="ignore"):
        of_failed = np.where(failed > 0, failed * np.log(failed / expected), 0.0)
        of_passed = np.where(passed > 1e-9, passed * np.log(passed / (exposed - expected)), 0.0)
    return np.where(failed > expected, of_failed + of_passed, 0.0)


def sampled_gain(exposed: Floats, failed: Floats, expected: Floats, deviation: Floats) -> Floats:
    """Find the least gain if the healthy weight was d deviations too small, at the price d^2 / 2.

    ``deviation`` is the standard error of the exposed weight; d runs from 0 to 8.
    """
    scale = expected / np.maximum(exposed, 1e-9)
    gains = [
        kl_gain(exposed + d * deviation, failed, expected + d * deviation * scale) + d * d / 2
        for d in range(9)
    ]
    return np.asarray(np.min(gains, axis=0))


def wilson_low(failed: float, exposed: float, z: float = 1.96) -> float:
    """Lower bound of a share (Wilson 1927), at 95 % by default."""
    share = min(failed / exposed, 1.0)
    spread = z * np.sqrt(share * (1 - share) / exposed + z * z / (4 * exposed * exposed))
    return float((share + z * z / (2 * exposed) - spread) / (1 + z * z / exposed))


def wilson_interval(failed: float, exposed: float) -> tuple[float, float]:
    """Both bounds of a share (Wilson 1927) at 95 %, within 0 and 1."""
    low, high = wilson_low(failed, exposed), 1 - wilson_low(exposed - failed, exposed)
    return max(0.0, low), min(1.0, high)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Outcome of a set of traces against what the rest of the model expects of them."""

    exposed: float
    """Evidence weight of the traces."""
    failed: float
    expected: float
    """Failures expected without the cause in question."""
    gain: float
    """Evidence for an excess, unpriced."""

    @property
    def excess(self) -> float:
        """Failures beyond expectation."""
        return self.failed - self.expected

    @property
    def strength(self) -> float:
        """Probability that the cause makes a trace fail which would else have passed."""
        return 1 - (self.exposed - self.failed) / max(self.exposed - self.expected, 1e-9)

    @property
    def strength_low(self) -> float:
        """Lower bound of the strength."""
        rest = min(self.expected / self.exposed, 0.999)
        return (wilson_low(self.failed, self.exposed) - rest) / (1 - rest)
