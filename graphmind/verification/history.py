"""What was usual and what the incident did: rates by group, metric and stratum."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from graphmind.verification.evidence import Floats
from graphmind.verification.options import Options
from graphmind.verification.request import RootRequest
from graphmind.verification.words import (
    BYSTANDER,
    EXPOSED,
    GROUPS,
    METRICS,
    RECIPIENT,
    Group,
    Metric,
    Unverifiable,
)

HEALTHY_MIN: Final = 20_000
"""Healthy requests a stratum: fewer make the usual rates themselves uncertain (the design's)."""
INCIDENT_MIN: Final = 600
"""The same for exposed requests of the incident."""
WAIT_MAX_S: Final = 60.0
"""Chosen: what takes longer is unfinished, and counts as bad anyway."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Root requests a second that are expected after the repair."""

    exposed: float
    recipient: float
    bystander: float


@dataclass(frozen=True, kw_only=True)
class History:
    """Rates before the repair. Arrays are (strata, ...)."""

    healthy: Mapping[tuple[Group, Metric], Floats]
    """Share of bad requests when all was well, of every group."""
    incident: Mapping[Metric, Floats]
    """The same of the exposed ones in the incident."""
    healthy_n: Floats
    """Healthy requests."""
    incident_n: Floats
    """Exposed requests of the incident; at least 1."""
    mix: Floats
    """(strata,): share of each among the exposed requests, in sum 1."""

    def doubts(self) -> tuple[str, ...]:
        """Say where the history is thinner than the error rates assume."""
        thin = [
            *_thin("healthy requests", self.healthy_n, HEALTHY_MIN),
            *_thin("exposed requests of the incident", self.incident_n, INCIDENT_MIN),
        ]
        return tuple(thin)

    def document(self) -> dict[str, Any]:
        """Return a history of one run as JSON-ready names and values."""
        return {
            "healthy": {f"{g}/{m}": rates.tolist() for (g, m), rates in self.healthy.items()},
            "incident": {metric: rates.tolist() for metric, rates in self.incident.items()},
            "healthy_n": self.healthy_n.tolist(),
            "incident_n": self.incident_n.tolist(),
            "mix": self.mix.tolist(),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``document`` returned."""
        return cls(
            healthy={
                (group, metric): np.asarray(document["healthy"][f"{group}/{metric}"], float)
                for group in GROUPS
                for metric in METRICS
            },
            incident={m: np.asarray(document["incident"][m], float) for m in METRICS},
            healthy_n=np.asarray(document["healthy_n"], float),
            incident_n=np.asarray(document["incident_n"], float),
            mix=np.asarray(document["mix"], float),
        )


def history_of(
    healthy: Iterable[RootRequest],
    incident: Iterable[RootRequest],
    *,
    strata: int,
    options: Options,
) -> History:
    """Measure past requests, each as it was known when it would have counted.

    A group without requests in a stratum takes the rate of the stratum over all groups, then that
    of all strata. Raises Unverifiable without healthy requests, or exposed ones of the incident.
    """
    usual, sick = _counted(healthy, strata, options), _counted(incident, strata, options)
    n, bad = usual
    exposed_n, exposed_bad = sick[0][GROUPS.index(EXPOSED)], sick[1][GROUPS.index(EXPOSED)]
    if not n.sum() or not exposed_n.sum():
        raise Unverifiable(
            f"Expected healthy requests and exposed ones of the incident, came {int(n.sum())} and "
            f"{int(exposed_n.sum())}: take a longer window before the repair"
        )
    pooled_n, pooled_bad = n.sum(axis=0), bad.sum(axis=0)
    fallback = _rate(pooled_n, pooled_bad, _overall(pooled_n, pooled_bad)[:, None])
    usual_rates = _rate(n[:, None], bad, fallback[None])
    sick_rates = _rate(exposed_n, exposed_bad, _overall(exposed_n, exposed_bad)[:, None])
    of_exposed = n[GROUPS.index(EXPOSED)] + exposed_n
    return History(
        healthy={
            (group, metric): usual_rates[g, m]
            for g, group in enumerate(GROUPS)
            for m, metric in enumerate(METRICS)
        },
        incident={metric: sick_rates[m] for m, metric in enumerate(METRICS)},
        healthy_n=pooled_n,
        incident_n=np.maximum(exposed_n, 1.0),
        mix=of_exposed / of_exposed.sum(),
    )


def traffic_of(requests: Iterable[RootRequest], *, seconds: float) -> Traffic:
    """Return the requests a second by group."""
    counts: dict[Group, int] = dict.fromkeys(GROUPS, 0)
    for request in requests:
        counts[request.group] += 1
    return Traffic(
        exposed=counts[EXPOSED] / seconds,
        recipient=counts[RECIPIENT] / seconds,
        bystander=counts[BYSTANDER] / seconds,
    )


def waiting_s(times_to_symptom_s: Sequence[float], options: Options) -> float:
    """Return how long to wait for a request: the P99 of the time to symptom, or the usual wait."""
    return min(max(options.wait_s, nearest_rank(times_to_symptom_s, 0.99) or 0.0), WAIT_MAX_S)


def nearest_rank(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least this share does not exceed; None for none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else None


def _counted(
    requests: Iterable[RootRequest], strata: int, options: Options
) -> tuple[Floats, Floats]:
    """Count (groups, strata) requests, and (groups, metrics, strata) bad ones."""
    n = np.zeros((len(GROUPS), strata))
    bad = np.zeros((len(GROUPS), len(METRICS), strata))
    for request in requests:
        group = GROUPS.index(request.group)
        n[group, request.stratum] += 1
        for m, metric in enumerate(METRICS):
            at_ms = request.start_ms + round(options.wait_of_s(metric) * 1000)
            bad[group, m, request.stratum] += request.outcome(metric, at_ms)
    return n, bad


def _rate(n: Floats, bad: Floats, fallback: Floats) -> Floats:
    n, bad, fallback = np.broadcast_arrays(n, bad, fallback)
    return np.where(n > 0, bad / np.maximum(n, 1), fallback)


def _overall(n: Floats, bad: Floats) -> Floats:
    """Return the rate over all strata of each metric; ``bad`` is (metrics, strata)."""
    rates: Floats = bad.sum(axis=-1) / n.sum()
    return rates


def _thin(what: str, counts: Floats, least: int) -> list[str]:
    if counts.min() >= least:
        return []
    return [f"a stratum has {int(counts.min())} {what}; the error rates hold from {least} on"]
