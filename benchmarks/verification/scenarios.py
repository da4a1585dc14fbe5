"""What may happen after a repair: the rates of bad requests by group, metric, stratum and time.

Rates of failures and their course are the design's. It does not say how many failures are fast,
nor what latency and answers do, nor in which course load rises. That is chosen here, with an eye on
the design's cells, so they are no independent check of it: nine failures in ten are fast errors,
only hanging requests are slow, load rises for a minute.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from graphmind.verification.words import (
    BYSTANDER,
    EXPOSED,
    FAILURE,
    FAST_FAILURE,
    RECIPIENT,
    SLOW,
    WRONG,
    Group,
    Metric,
)

GROUP_SHARES: Final[Mapping[Group, float]] = {EXPOSED: 0.3, RECIPIENT: 0.3, BYSTANDER: 0.4}
MIX: Final = np.array([0.7, 0.3])
HEALTHY: Final = np.array([0.006, 0.0127])
"""Failures by stratum when all is well: .8 % together."""
SICK: Final = np.array([0.17, 0.227])
"""The same of exposed requests in the incident: 18.7 %."""
PARTLY: Final = 0.06
HEALTHY_SLOW: Final = 0.05
HEALTHY_WRONG: Final = 0.01
FAST_SHARE: Final = 0.9
"""Of the failures (chosen)."""
LOAD_RAMP_S: Final = 60.0
"""Over which the load doubles all rates (chosen: the design gives no course)."""

Rates = Mapping[Metric, np.ndarray]
"""(strata,) by metric."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What happens after the repair, and what the design says of it."""

    name: str
    exposed: Callable[[float], np.ndarray] = lambda _: HEALTHY
    """Failures of exposed requests that start so many seconds after the repair, (strata,)."""
    recipient: float | None = None
    """Failures of recipients, where not healthy."""
    wrong: float = HEALTHY_WRONG
    """Wrong answers to exposed requests."""
    added: Mapping[Group, float] | None = None
    """Failures added to a group by something else."""
    load: bool = False
    """All rates double."""
    hanging: bool = False
    """The failures of the incident are hangs of 10 s instead of fast errors."""
    design: tuple[str, str, str] = ("", "", "")
    """The design's cells at 5, 20 and 200 requests a second."""

    def rates(self, group: Group, at_s: float) -> Rates:
        """Return the rates of requests of a group that start so long after the repair."""
        failure = HEALTHY
        if group == EXPOSED:
            failure = self.exposed(at_s)
        elif group == RECIPIENT and self.recipient is not None:
            failure = np.full(len(MIX), self.recipient)
        failure = failure + (self.added or {}).get(group, 0.0)
        found = _spread(failure, hanging=self.hanging and group == EXPOSED)
        if group == EXPOSED:
            found[WRONG] = np.full(len(MIX), self.wrong)
        factor = 1 + min(at_s / LOAD_RAMP_S, 1.0) if self.load else 1.0
        return {metric: rate * factor for metric, rate in found.items()}

    def incident(self) -> Rates:
        """Return the rates of exposed requests in the incident."""
        return _spread(SICK, hanging=self.hanging)

    def usual(self) -> Rates:
        """Return the rates of every group when all was well."""
        return _spread(HEALTHY, hanging=self.hanging)


def _spread(failure: np.ndarray, *, hanging: bool) -> dict[Metric, Any]:
    slow = np.full(len(MIX), HEALTHY_SLOW)
    return {
        FAST_FAILURE: failure * (0.0 if hanging else FAST_SHARE),
        FAILURE: failure,
        SLOW: slow + (failure - HEALTHY if hanging else 0.0) * (1 - slow),
        WRONG: np.full(len(MIX), HEALTHY_WRONG),
    }


def _steady(rate: np.ndarray | float) -> Callable[[float], np.ndarray]:
    return lambda _: np.broadcast_to(np.asarray(rate, float), MIX.shape)


def _until(end_s: float) -> Callable[[float], np.ndarray]:
    return lambda at_s: SICK if at_s < end_s else HEALTHY


def _ramp(length_s: float) -> Callable[[float], np.ndarray]:
    return lambda at_s: HEALTHY + (SICK - HEALTHY) * max(1 - at_s / length_s, 0.0)


_PARTLY = SICK * PARTLY / float(MIX @ SICK)
_ALL = dict.fromkeys(GROUP_SHARES, 0.05)
_OTHERS: Mapping[Group, float] = {RECIPIENT: 0.05, BYSTANDER: 0.05}

SCENARIOS: Final = (
    Scenario(name="full recovery", design=("E99 I1, 450/912", "E99.8, 126/240", "E100, 25/38")),
    Scenario(
        name="no effect",
        exposed=_steady(SICK),
        design=("N99.9, 141/192", "N99.9, 74/94", "N100, 44/48"),
    ),
    Scenario(
        name="partial 18.7>6%",
        exposed=_steady(_PARTLY),
        design=("N3 P94 I3, 549/1203", "N4 P95, 176/302", "P99.9, 90/92"),
    ),
    Scenario(
        name="harm: failures 40%",
        exposed=_steady(0.4),
        design=("N99.8, 81/105", "N70 H30, 48/54", "H99.9, 11/22"),
    ),
    Scenario(
        name="harm: wrong 1>8%, F ok",
        wrong=0.08,
        design=("I3 H97, 442/925", "I2 H98, 108/212", "H100, 21/31"),
    ),
    Scenario(
        name="harm: R fails 6%, F ok",
        recipient=0.06,
        design=("I3 H97, 624/1206", "H99.9, 142/262", "H100, 18/31"),
    ),
    Scenario(
        name="self-ends T+10",
        exposed=_until(10),
        design=("E99 I1, 483/939", "E99.5, 142/266", "E100, 35/50"),
    ),
    Scenario(
        name="self-ends T+40",
        exposed=_until(40),
        design=("E97 I3, 600/1131", "E96 N1 I3, 215/368", "N99.3, 44/48"),
    ),
    Scenario(
        name="full, all +5pp",
        added=_ALL,
        design=("I100, 1272/1272", "I100, 392/392", "I100, 180/180"),
    ),
    Scenario(
        name="no effect, all +5pp",
        exposed=_steady(SICK),
        added=_ALL,
        design=("N100, 171/282", "N100, 90/114", "N100, 46/53"),
    ),
    Scenario(
        name="full, R+B +5pp",
        added=_OTHERS,
        design=("E99 I1, 432/912", "E99.8, 122/240", "E100, 25/38"),
    ),
    Scenario(
        name="full, load: all rates x2",
        load=True,
        design=("E23 I77, 1272/1272", "E34 I66, 392/392", "E97 I3, 33/117"),
    ),
    Scenario(
        name="slow ramp 20 s",
        exposed=_ramp(20),
        design=("E99 I1, 495/945", "E99.3, 156/280", "E100, 53/66"),
    ),
    Scenario(
        name="slow ramp 60 s",
        exposed=_ramp(60),
        design=("E97 I3, 600/1141", "E97 I3, 212/364", "E99.9, 85/100"),
    ),
    Scenario(
        name="delayed 10 s, full",
        hanging=True,
        design=("E99 I1, 468/933", "E99.6, 134/248", "E100, 25/37"),
    ),
    Scenario(
        name="delayed 10 s, no effect",
        exposed=_steady(SICK),
        hanging=True,
        design=("N100, 138/195", "N100, 76/94", "N100, 44/48"),
    ),
    Scenario(
        name="1 of 2 strata stays sick",
        exposed=_steady(np.array([HEALTHY[0], SICK[1]])),
        design=("N12 P87, 483/1012", "N13 P87, 148/238", "N3 P97, 90/90"),
    ),
)
