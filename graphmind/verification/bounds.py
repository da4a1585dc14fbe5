"""The bounds a repair is measured by, fixed from history before anything after it is seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np

from graphmind.verification.evidence import WILSON_Z, Bet, Bools, Floats, anchored, wilson
from graphmind.verification.history import History, Traffic
from graphmind.verification.options import Options
from graphmind.verification.words import (
    BYSTANDER,
    CURABLE,
    EXPOSED,
    FAILURE,
    METRICS,
    TREATED,
    Group,
    Metric,
)

RATE_MAX: Final = 0.98
"""No bound is above: evidence against a rate of 1 does not exist."""
RATE_MIN: Final = 1e-4
"""A rate never seen is taken as this where odds are formed of it (chosen: 2 in 20,000)."""
NATS_MIN: Final = 1e-9
"""A rate that is its own bound: no traffic is enough."""
SPARE_NATS: Final = 2.3
"""Evidence lost by mixing over bets and starts, in the traffic needed (the design's)."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Bounds of rates, (strata, ...), and what follows from them for all strata, (...)."""

    options: Options
    history: History
    traffic: Traffic
    healthy: Mapping[Metric, Floats]
    """At least nine tenths of the excess are gone below it."""
    nothing: Mapping[Metric, Floats]
    """Above it, not even half of the excess is gone."""
    harm: Mapping[tuple[Group, Metric], Floats]
    usual_control: Mapping[Metric, Floats]
    """What is usual of the bystanders."""
    sick: Mapping[Metric, Bools]
    """(...): the incident was about this metric, in some stratum."""
    primary: Metric
    """The first sick metric: what ineffective, recovering and the watch look at."""
    toward_healthy: Mapping[Metric, tuple[Bet, ...]]
    toward_recovering: tuple[Bet, ...]
    toward_sick: tuple[Bet, ...]
    needed: Floats
    """(...): exposed requests that proof of a full recovery takes, about."""
    deadline_s: Floats
    """(...), after the repair."""

    @property
    def control_usable(self) -> bool:
        """Whether there are bystanders enough to compare with."""
        return self.traffic.bystander >= self.options.control_share_min * self.traffic.exposed

    @property
    def control_exists(self) -> bool:
        """Whether there are bystanders at all, to prove harm against."""
        return self.traffic.bystander > 0

    @property
    def recipients_guard(self) -> bool:
        """Whether there are recipients enough to ask that they are well."""
        return self.traffic.recipient >= self.options.recipient_share_min * self.traffic.exposed


def bounds_of(history: History, traffic: Traffic, options: Options) -> Bounds:
    """Derive all bounds."""
    usual = {metric: history.healthy[EXPOSED, metric] for metric in CURABLE}
    sick = {metric: _sick(history, metric) for metric in METRICS}
    healthy = {m: _healthy(usual[m], history.incident[m], options) for m in CURABLE}
    primary = next((metric for metric in CURABLE if sick[metric].any()), FAILURE)
    nothing = {
        m: np.maximum(healthy[m], np.minimum(options.none_share * history.incident[m], RATE_MAX))
        for m in CURABLE
    }
    well, ill = _mean(usual[primary], history), _mean(history.incident[primary], history)
    bound = _mean(healthy[primary], history)
    needed = (log(1 / options.alpha_effective) + SPARE_NATS) / divergence(well, bound)
    return Bounds(
        options=options,
        history=history,
        traffic=traffic,
        healthy=healthy,
        nothing=nothing,
        harm={(g, m): _harm(history, g, m, options) for g in TREATED for m in METRICS},
        usual_control={metric: history.healthy[BYSTANDER, metric] for metric in METRICS},
        sick={metric: np.asarray(sick[metric].any(axis=0)) for metric in CURABLE},
        primary=primary,
        toward_healthy={
            m: anchored(_mean(usual[m], history), _mean(healthy[m], history), options.odds_down)
            for m in CURABLE
        },
        toward_recovering=anchored(well, _mean(nothing[primary], history), options.odds_down),
        toward_sick=anchored(np.maximum(ill, bound), bound, options.odds_up),
        needed=needed,
        deadline_s=_deadline_s(needed, options.wait_of_s(primary), traffic, options),
    )


def divergence(rate: Floats, bound: Floats) -> Floats:
    """Return the nats that one request of this rate is worth against the bound, in the mean."""
    nats = rate * np.log(rate / bound) + (1 - rate) * np.log((1 - rate) / (1 - bound))
    return np.maximum(nats, NATS_MIN)


def _healthy(usual: Floats, incident: Floats, options: Options) -> Floats:
    least = np.maximum(usual, options.healthy_margin_min)
    most = np.maximum(least, options.healthy_margin_max)
    margin = np.clip(options.excess_left * (incident - usual), least, most)
    return np.minimum(usual + margin, RATE_MAX)


def _sick(history: History, metric: Metric) -> Bools:
    """Whether the incident's rate is clearly above the usual one, (strata, ...)."""
    lower = wilson(history.incident[metric], history.incident_n, -WILSON_Z)
    return np.asarray(lower > history.healthy[EXPOSED, metric])


def _harm(history: History, group: Group, metric: Metric, options: Options) -> Floats:
    """Return the bound of harm: worse than usual or, of what was sick anyway, than the incident."""
    reference = history.healthy[group, metric]
    if group == EXPOSED:
        worst = wilson(history.incident[metric], history.incident_n)
        reference = np.where(_sick(history, metric), worst, reference)
    margin = np.maximum(options.harm_relative * reference, options.margin_of(metric))
    return np.minimum(reference + margin, RATE_MAX)


def _mean(rates: Floats, history: History) -> Floats:
    """Return the mean over the strata, away from 0 and 1."""
    return np.clip(np.tensordot(history.mix, rates, axes=1), RATE_MIN, RATE_MAX)


def _deadline_s(needed: Floats, wait_s: float, traffic: Traffic, options: Options) -> Floats:
    if not traffic.exposed:
        return np.full_like(needed, options.deadline_max_s)
    awaited = options.deadline_base_s + wait_s + 2 * needed / traffic.exposed
    return np.clip(awaited, options.deadline_min_s, options.deadline_max_s)
