"""Which instance is at fault, where only the alerts of many incidents are known."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import NamedTuple

import numpy as np

from graphmind.analysis.incidence import Floats, Integers, sum_by
from graphmind.telemetry.tree import Bools

METRIC = "metric"
"""Source of alerts that a shared cause, such as the host, raises on many instances."""
EM_STEPS = 10
"""Measured: it has settled by then."""
INCIDENTS_HALF = 20
"""So many incidents let what they have in common count half. Measured: from 8 incidents on it is
no worse than surprise alone."""
_RATE_MIN, _RATE_MAX = 1e-6, 0.999


class Alert(NamedTuple):
    """An alert on an instance; one about a call counts for the callee."""

    instance: str
    source: str
    """metric, log or call."""
    what: str
    """What other instances can raise, too: a metric and its direction, a kind of error."""
    detail: str = ""
    """What may be the instance's own: a log template, the caller and the operation called."""


@dataclass(frozen=True, kw_only=True)
class Incident:
    """The alerts of one incident, and the instances that could be at fault."""

    alerts: frozenset[Alert]
    instances: frozenset[str]

    def __post_init__(self) -> None:
        assert self.instances, "an incident needs at least one instance that could be at fault"


def localise_alerts(incidents: Sequence[Incident]) -> list[dict[str, float]]:
    """Score the instances of every incident among all of them, in nats.

    Two things are added: how surprising an instance's alerts are, and its log odds of being the
    culprit by what the culprits of all incidents have in common, as far as they are many enough to
    have something in common. On three systems the sum is better than either alone.
    """
    together = score_together([without_details(incident) for incident in incidents])
    trust = len(incidents) / (len(incidents) + INCIDENTS_HALF)
    both = [
        replace(incident, alerts=incident.alerts | without_details(incident).alerts)
        for incident in incidents
    ]
    seen = Counter(alert for incident in both for alert in incident.alerts)
    return [
        {
            name: score + trust * odds[name]
            for name, score in _surprise(each, seen, len(both)).items()
        }
        for each, odds in zip(both, together, strict=True)
    ]


def without_details(incident: Incident) -> Incident:
    """Return the incident as its instances can be compared."""
    return replace(
        incident, alerts=frozenset(alert._replace(detail="") for alert in incident.alerts)
    )


def score_rarity(incident: Incident, history: Sequence[Incident]) -> dict[str, float]:
    """Score instances by how unusual their alerts are among past incidents, in nats.

    A metric alert weighs less, the more instances raise the same now.
    """
    seen = Counter(alert for past in history for alert in past.alerts)
    return _surprise(incident, seen, len(history))


def _surprise(incident: Incident, seen: Mapping[Alert, int], past: int) -> dict[str, float]:
    alike = Counter(alert[1:] for alert in incident.alerts)
    count = len(incident.instances)
    scores = dict.fromkeys(sorted(incident.instances), 0.0)
    for alert in sorted(incident.alerts):
        if alert.instance in scores:
            surprise = -log((seen.get(alert, 0) + 0.5) / (past + 1))
            many = min(count, alike[alert[1:]])
            special = log((count + 1) / many) / log(count + 1) if alert.source == METRIC else 1.0
            scores[alert.instance] += surprise * special
    return {instance: max(0.0, score) for instance, score in scores.items()}


def score_together(incidents: Sequence[Incident]) -> list[dict[str, float]]:
    """Score the instances of all incidents at once: log odds of being the culprit.

    Expectation maximisation of a mixture in which every incident has one culprit; the alert rates
    of culprits are shared by all instances, those of the others are each instance's own. It
    starts from rarity and needs about a hundred incidents.
    """
    if not incidents:
        return []
    seen = _observe(incidents)
    usual = (seen.rates(np.ones(len(seen.kind))) + 0.5) / (seen.present.sum(axis=0)[:, None] + 1)
    surprise = seen.by_instance(-np.log(usual))
    culprit = seen.shares(surprise / max(1.0, float(surprise.std())))
    odds = surprise
    for _ in range(EM_STEPS):
        odds = _log_odds(seen, culprit, usual.mean(axis=0))
        culprit = seen.shares(odds)
    return [
        {name: float(row[n]) for n, name in enumerate(seen.instances) if name in incident.instances}
        for row, incident in zip(odds, incidents, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class _Observed:
    """Alerts as (alerts,) codes; ``present`` is (incidents, instances)."""

    instances: list[str]
    kinds: int
    present: Bools
    incident: Integers
    instance: Integers
    kind: Integers

    def rates(self, weight: Floats) -> Floats:
        """Sum a weight per alert: (instances, kinds)."""
        shape = len(self.instances), self.kinds
        cell = self.instance * self.kinds + self.kind
        return sum_by(cell, weight, shape[0] * shape[1]).reshape(shape)

    def by_instance(self, gain: Floats) -> Floats:
        """Sum gains, (instances, kinds), over the alerts raised: (incidents, instances)."""
        cell = self.incident * len(self.instances) + self.instance
        summed = sum_by(cell, gain[self.instance, self.kind], self.present.size)
        return summed.reshape(self.present.shape)

    def shares(self, odds: Floats) -> Floats:
        """Probability of each instance to be the culprit: rows sum to 1."""
        odds = np.where(self.present, odds, -np.inf)
        weight = np.exp(odds - odds.max(axis=1, keepdims=True))
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _observe(incidents: Sequence[Incident]) -> _Observed:
    instances = sorted({name for incident in incidents for name in incident.instances})
    kinds = sorted({alert[1:] for incident in incidents for alert in incident.alerts})
    column = {name: n for n, name in enumerate(instances)}
    number = {kind: n for n, kind in enumerate(kinds)}
    raised = [
        (row, column[alert.instance], number[alert[1:]])
        for row, incident in enumerate(incidents)
        for alert in sorted(incident.alerts)
        if alert.instance in column
    ]
    codes = np.array(raised, np.int64).reshape(-1, 3)
    return _Observed(
        instances=instances,
        kinds=len(kinds),
        present=np.array([[name in each.instances for name in instances] for each in incidents]),
        incident=codes[:, 0],
        instance=codes[:, 1],
        kind=codes[:, 2],
    )


def _log_odds(seen: _Observed, culprit: Floats, prior: Floats) -> Floats:
    """Compare each instance as culprit with it as bystander, by its alerts and its silence."""
    bystander = seen.present - culprit
    charged = sum_by(seen.kind, culprit[seen.incident, seen.instance], seen.kinds)
    guilty = np.clip((charged + prior) / (culprit.sum() + 2), _RATE_MIN, _RATE_MAX)
    noise = seen.rates(bystander[seen.incident, seen.instance]) + 0.5
    innocent = np.clip(noise / (bystander.sum(axis=0)[:, None] + 1), _RATE_MIN, _RATE_MAX)
    silent = np.log((1 - guilty) / (1 - innocent))
    spoken = seen.by_instance(np.log(guilty / innocent) - silent)
    return np.asarray(silent.sum(axis=1) + spoken)
