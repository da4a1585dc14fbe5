"""The verdict: what each test says of the counts, and the table of what follows, first match first.

Works on the counts of one repair and, elementwise, on those of many runs of a simulation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from graphmind.verification.bounds import Bounds
from graphmind.verification.evidence import (
    Bools,
    Floats,
    Pairs,
    Stream,
    bets,
    log_e,
    log_pair,
    mixed,
)
from graphmind.verification.words import (
    BYSTANDER,
    CURABLE,
    EXPOSED,
    FAILURE,
    RECIPIENT,
    Group,
    Metric,
    Verdict,
)

UNANCHORED: Final = 2.0
"""Bets without the anchored one carry the whole weight."""


class Counts(Protocol):
    """What has matured since a repair."""

    def stream(self, group: Group, metric: Metric, since_s: float) -> Stream:
        """Return the requests that started at least so long after the repair."""

    def pairs(self, group: Group, metric: Metric, since_s: float) -> Pairs:
        """Return the pairs with bystanders, both of which did."""


@dataclass(frozen=True, kw_only=True)
class Signals:
    """Nats of evidence above the threshold of each test, (...): it fires at 0."""

    harm: Mapping[tuple[Group, Metric], Floats]
    proofs: Mapping[tuple[Group, Metric], Floats]
    """What effective asks for, all of it: sick metrics healed, guards unharmed."""
    none: Floats
    partial: Floats
    mostly_left: Bools
    """The point rate says that more than half of the excess is left."""
    recovering: Floats
    background: Floats
    """The bystanders are sick themselves."""
    hold_nats: float

    @property
    def harmful(self) -> Floats:
        """The strongest sign of harm."""
        return np.asarray(_stacked(self.harm).max(axis=0))

    @property
    def effective(self) -> Floats:
        """The weakest proof; below 0 also while a harm test is near to firing."""
        near = np.where(self.harmful > -self.hold_nats, -1.0, 1.0)
        weakest: Floats = np.minimum(_stacked(self.proofs).min(axis=0), near)
        return weakest


def read(counts: Counts, bounds: Bounds) -> Signals:
    """Read all tests off the counts."""
    options, metric = bounds.options, bounds.primary
    level = log(2 / options.alpha_ineffective)
    late_s = 2 * options.settle_s
    late = counts.stream(EXPOSED, metric, late_s)
    background = _background(counts, bounds)
    healthy, nothing = bounds.healthy[metric], bounds.nothing[metric]
    recovering = [
        log_e(counts.stream(EXPOSED, metric, since_s), nothing, bounds.toward_recovering)
        + log(weight)
        for since_s, weight in options.effective_starts
    ]
    return Signals(
        harm=_harm(counts, bounds),
        proofs=_proofs(counts, bounds, background),
        none=_above(counts, bounds, metric, options.settle_s, nothing) - level,
        partial=_above(counts, bounds, metric, late_s, healthy) - level,
        mostly_left=late.bad.sum(axis=0) >= (late.n * nothing).sum(axis=0),
        recovering=mixed(recovering) - log(options.recovering_evidence),
        background=background,
        hold_nats=options.hold_nats,
    )


def decide(signals: Signals, elapsed_s: float, bounds: Bounds) -> NDArray[np.object_]:
    """Return the Verdict of each run, as an array of objects of shape (...)."""
    partly = (signals.partial >= 0) & (elapsed_s >= 3 * bounds.options.settle_s)
    table: tuple[tuple[Bools, Verdict], ...] = (
        (signals.harmful >= 0, Verdict.HARMFUL),
        (signals.effective >= 0, Verdict.EFFECTIVE),
        (signals.none >= 0, Verdict.NONE),
        (partly & signals.mostly_left, Verdict.NONE),
        (partly, Verdict.PARTIAL),
        (elapsed_s >= bounds.deadline_s, Verdict.INCONCLUSIVE),
    )
    conditions = np.broadcast_arrays(*(condition for condition, _ in table))
    first = np.argmax([*conditions, np.ones_like(conditions[0])], axis=0)
    verdicts = np.array([*(verdict for _, verdict in table), Verdict.OPEN], dtype=object)
    found: NDArray[np.object_] = verdicts[np.atleast_1d(first)].reshape(first.shape)
    return found


def _harm(counts: Counts, bounds: Bounds) -> dict[tuple[Group, Metric], Floats]:
    """Test each group and metric against its bound; without bystanders alone, with a drift."""
    options, found = bounds.options, {}
    upward = bets(options.odds_up, share=UNANCHORED)
    for group, metric, share in options.harm_shares:
        bound, terms = bounds.harm[group, metric], []
        for since_s, weight in options.harm_starts:
            if bounds.control_exists:
                pairs = counts.pairs(group, metric, since_s)
                evidence = _beside(pairs, bounds, metric, bound)
            else:
                stream = counts.stream(group, metric, since_s)
                evidence = log_e(stream, _drifted(bound, bounds), upward)
            terms.append(evidence + log(weight))
        found[group, metric] = mixed(terms) - log(1 / (options.alpha_harm * share))
    return found


def _proofs(
    counts: Counts, bounds: Bounds, background: Floats
) -> dict[tuple[Group, Metric], Floats]:
    proofs: dict[tuple[Group, Metric], Floats] = {}
    for metric in CURABLE:
        unharmed = _guard(counts, bounds, EXPOSED, metric)
        healed = _healed(counts, bounds, metric)
        proofs[EXPOSED, metric] = np.where(bounds.sick[metric], healed, unharmed)
    if bounds.recipients_guard:
        unharmed = _guard(counts, bounds, RECIPIENT, FAILURE)
        proofs[RECIPIENT, FAILURE] = np.where(background >= 0, np.inf, unharmed)
    return proofs


def _healed(counts: Counts, bounds: Bounds, metric: Metric) -> Floats:
    """Evidence that the rate is below the healthy bound, and in no stratum visibly above."""
    options, bound, terms = bounds.options, bounds.healthy[metric], []
    upward = bets(options.odds_up, share=UNANCHORED)
    for since_s, weight in options.effective_starts:
        stream = counts.stream(EXPOSED, metric, since_s)
        evidence = log_e(stream, bound, bounds.toward_healthy[metric]) + log(weight)
        forbidden = stream.n.sum(axis=0) < options.matured_min
        for k in range(len(bound)):
            one = Stream(stream.n[k : k + 1], stream.bad[k : k + 1])
            vetoes = log_e(one, bound[k : k + 1], upward) >= log(options.veto_evidence)
            forbidden = forbidden | vetoes
        terms.append(np.where(forbidden, -np.inf, evidence))
    return mixed(terms) - log(1 / options.alpha_effective)


def _guard(counts: Counts, bounds: Bounds, group: Group, metric: Metric) -> Floats:
    """Evidence that the rate is below the bound of harm, in itself or beside the bystanders."""
    options, bound = bounds.options, bounds.harm[group, metric]
    downward = bets(options.odds_down, share=UNANCHORED)
    alone = log_e(counts.stream(group, metric, options.grace_s), bound, downward)
    pairs = counts.pairs(group, metric, options.grace_s).swapped()
    beside = log_pair(pairs, bounds.usual_control[metric] - bound, options.pair_bets)
    return np.logaddexp(alone, beside) - log(2) - log(1 / options.alpha_guard)


def _background(counts: Counts, bounds: Bounds) -> Floats:
    options, usual = bounds.options, bounds.usual_control[FAILURE]
    bound = np.minimum(usual + np.maximum(usual, options.healthy_margin_min), 0.98)
    stream = counts.stream(BYSTANDER, FAILURE, options.grace_s)
    evidence = log_e(stream, bound, bets(options.odds_up, share=UNANCHORED))
    return evidence - log(options.background_evidence)


def _above(counts: Counts, bounds: Bounds, metric: Metric, since_s: float, bound: Floats) -> Floats:
    """Evidence that the exposed rate is above a bound, the background's course apart."""
    if bounds.control_usable:
        return _beside(counts.pairs(EXPOSED, metric, since_s), bounds, metric, bound)
    stream = counts.stream(EXPOSED, metric, since_s)
    upward = bets(bounds.options.odds_up, share=UNANCHORED)
    return log_e(stream, _drifted(bound, bounds), upward)


def _beside(pairs: Pairs, bounds: Bounds, metric: Metric, bound: Floats) -> Floats:
    """Evidence that the rate exceeds the control's by more than the bound exceeds the usual."""
    return log_pair(pairs, bound - bounds.usual_control[metric], bounds.options.pair_bets)


def _drifted(bound: Floats, bounds: Bounds) -> Floats:
    return np.minimum(bound + bounds.options.drift, 0.99)


def _stacked(signals: Mapping[Any, Floats]) -> Floats:
    return np.stack(np.broadcast_arrays(*signals.values()))
