"""Strengths of the causes, by EM on classes of traces that the model cannot tell apart.

P(a trace of stratum s fails) = 1 - (1 - base rate) * product over active causes e (1 - p[e, s]).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from graphmind.analysis.incidence import Codes, Flags, Floats, Integers, sum_by
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.sample import Sample

# Measured: the steps at which the beta priors are fitted anew, and when the rest counts as still.
PRIOR_STEPS = (0, 3, 25)
STEPS_MAX = 60
BASE_TOLERANCE = 2e-5
STRENGTH_TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Traces with the same stratum and the same active causes, counted together."""

    active: Flags
    """(classes, causes)."""
    stratum: Integers
    """(classes,)."""
    total: Floats
    """(classes,), evidence weight."""
    failed: Floats
    strata: int

    def split(self, class_of: Codes, rows: Integers, sample: Sample) -> tuple["Classes", Integers]:
        """Classes after one more cause is active on the rows; and which classes it split."""
        count = len(self.total)
        of_rows, failing, weight = class_of[rows], sample.failing[rows], sample.weight_of(rows)
        total = sum_by(of_rows, weight, count)
        failed = sum_by(of_rows[failing], weight[failing], count)
        hit = np.flatnonzero(total > 0)
        without = np.zeros((count, 1), bool)
        active = np.vstack([self.active, self.active[hit]])
        return Classes(
            active=np.hstack([active, np.vstack([without, ~without[hit]])]),
            stratum=np.concatenate([self.stratum, self.stratum[hit]]),
            total=np.maximum(np.concatenate([self.total - total, total[hit]]), 0),
            failed=np.maximum(np.concatenate([self.failed - failed, failed[hit]]), 0),
            strata=self.strata,
        ), hit

    def only(self, kept: Flags) -> "Classes":
        """Drop the classes that are not kept."""
        return Classes(
            active=self.active[kept],
            stratum=self.stratum[kept],
            total=self.total[kept],
            failed=self.failed[kept],
            strata=self.strata,
        )


def stratum_classes(sample: Sample) -> Classes:
    """One class per stratum: the classes of a model without causes."""
    failing = sample.failing
    return Classes(
        active=np.zeros((sample.strata, 0), bool),
        stratum=np.arange(sample.strata),
        total=sum_by(sample.stratum, sample.weight, sample.strata),
        failed=sum_by(sample.stratum[failing], sample.weight[failing], sample.strata),
        strata=sample.strata,
    )


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """A fitted model."""

    objective: float
    """Log-likelihood less the cost of strengths that vary, in nats; prices not yet paid."""
    base_rate: float
    strength: Floats
    """(causes, strata)."""
    survival: Floats
    """(classes,), probability that no active cause makes a trace of the class fail."""


@dataclass(frozen=True, kw_only=True)
class _Prior:
    """Beta(k m, k (1 - m)) of each cause's strengths over strata, where they vary."""

    varies: Flags
    concentration: Floats
    mean: Floats
    cost: float
    """What varying strengths cost the objective (Cheeseman and Stutz 1996)."""


def fit_strengths(
    classes: Classes, start: Floats, options: CauseOptions, steps_max: int = STEPS_MAX
) -> Strengths:
    """Fit base rate and strengths from a start of (causes, strata)."""
    base_rate = _base_rate_start(classes)
    strength = np.clip(start, 1e-4, 0.995)
    if len(start):
        base_rate, strength, cost = _expectation_maximisation(
            classes, base_rate, strength, options, steps_max
        )
    else:
        cost = 0.0
    survival = _survival(classes, strength)
    passes = np.clip((1 - min(base_rate, 0.9)) * survival, 1e-12, 1 - 1e-12)
    passed = classes.total - classes.failed
    likelihood = classes.failed @ np.log1p(-passes) + passed @ np.log(passes)
    return Strengths(
        objective=float(likelihood) - cost,
        base_rate=float(base_rate),
        strength=strength,
        survival=survival,
    )


def _base_rate_start(classes: Classes) -> float:
    """Failing share of the traces without any cause."""
    none = ~classes.active.any(axis=1)
    return max(float((classes.failed[none].sum() + 0.5) / (classes.total[none].sum() + 1)), 1e-6)


def _survival(classes: Classes, strength: Floats) -> Floats:
    """Probability that no active cause makes a trace of the class fail."""
    where, cause = np.nonzero(classes.active)
    logs = np.log1p(-strength)[cause, classes.stratum[where]]
    return np.exp(sum_by(where, logs, len(classes.total)))


def _expectation_maximisation(
    classes: Classes, base_rate: float, strength: Floats, options: CauseOptions, steps_max: int
) -> tuple[float, Floats, float]:
    """Iterate to (base rate, strengths, cost of varying strengths)."""
    where, cause = np.nonzero(classes.active)
    cell = cause * classes.strata + classes.stratum[where]
    shape, cells, total = strength.shape, strength.size, classes.total.sum()
    exposed = sum_by(cell, classes.total[where], cells).reshape(shape)
    tolerance = STRENGTH_TOLERANCE if classes.strata > 1 else BASE_TOLERANCE
    for step in range(steps_max):
        survival = np.exp(sum_by(where, np.log1p(-strength).ravel()[cell], len(classes.total)))
        failed_share = 1 - (1 - min(base_rate, 0.9)) * survival
        blame = classes.failed / np.maximum(failed_share, 1e-12)
        caused = sum_by(cell, blame[where], cells).reshape(shape)
        caused = np.minimum(strength * caused, exposed)
        if step in PRIOR_STEPS:
            prior = _fit_prior(caused, exposed, options)
        updated = _update(caused, exposed, prior)
        base_updated = min(max(base_rate * float(blame.sum()) / total, 1e-6), 0.9)
        moved = np.abs(updated - strength)[exposed > 0].max(initial=0.0)
        still = abs(base_updated - base_rate) < BASE_TOLERANCE and moved < tolerance
        if step % 3 == 2 and not still:  # Over-relax every third step: measured, halves the steps.
            updated = np.clip(updated + 0.8 * (updated - strength), 1e-6, 0.9995)
        strength, base_rate = updated, base_updated
        if step >= 3 and still:
            break
    return base_rate, strength, prior.cost


def _update(caused: Floats, exposed: Floats, prior: _Prior) -> Floats:
    """Maximise the strengths given the failures attributed to each cause in each stratum."""
    constant = caused.sum(axis=1, keepdims=True) / np.maximum(
        exposed.sum(axis=1, keepdims=True), 1e-9
    )
    k, m = prior.concentration[:, None], prior.mean[:, None]
    varying = (caused + k * m) / (exposed + k)
    return np.clip(np.where(prior.varies[:, None], varying, constant), 1e-6, 0.9995)


def _fit_prior(caused: Floats, exposed: Floats, options: CauseOptions) -> _Prior:
    """Choose each cause's beta prior by marginal likelihood, if it beats a constant strength."""
    causes, strata = caused.shape
    all_caused, all_exposed = caused.sum(axis=1), exposed.sum(axis=1)
    constant = np.clip(all_caused / np.maximum(all_exposed, 1e-9), 1e-6, 1 - 1e-6)
    if strata < 2:
        never = np.zeros(causes, bool)
        return _Prior(varies=never, concentration=np.ones(causes), mean=constant, cost=0.0)
    concentrations = np.array(options.concentrations)
    means = _prior_means(caused, exposed, concentrations)
    marginal = _log_marginal(caused, exposed, concentrations, means)
    best, each = marginal.argmax(axis=1), np.arange(causes)
    marginal, mean, k = marginal[each, best], means[each, best], concentrations[best]
    alone = _log_binomial(all_caused, all_exposed, constant)
    varies = marginal - options.heterogeneity_nats > alone
    fitted = (caused + (k * mean)[:, None]) / (exposed + k[:, None])
    within = _log_binomial(caused, exposed, np.clip(fitted, 1e-6, 1 - 1e-6)).sum(axis=1)
    cost = (within - marginal + options.heterogeneity_nats)[varies].sum()
    return _Prior(varies=varies, concentration=k, mean=mean, cost=float(cost))


def _prior_means(caused: Floats, exposed: Floats, concentrations: Floats) -> Floats:
    """Precision-weighted mean strength over strata: (causes, concentrations)."""
    exposed = exposed[:, None, :]
    weight = exposed / (1 + np.maximum(exposed - 1, 0) / (concentrations[:, None] + 1))
    share = caused[:, None, :] / np.maximum(exposed, 1e-9)
    mean = (weight * share).sum(axis=2) / np.maximum(weight.sum(axis=2), 1e-9)
    return np.asarray(np.clip(mean, 1e-3, 0.999))


def _log_marginal(caused: Floats, exposed: Floats, concentrations: Floats, means: Floats) -> Floats:
    """Beta-binomial log marginal likelihood: (causes, concentrations)."""
    failed, passed = caused[:, None, :], (exposed - caused)[:, None, :]
    a = (concentrations * means)[:, :, None]
    c = (concentrations * (1 - means))[:, :, None]
    posterior = gammaln(failed + a) + gammaln(passed + c) - gammaln(failed + passed + a + c)
    prior = gammaln(a) + gammaln(c) - gammaln(a + c)
    return np.asarray(np.sum(posterior - prior, axis=2), np.float64)


def _log_binomial(failed: Floats, exposed: Floats, share: Floats) -> Floats:
    """Binomial log-likelihood without its constant."""
    return np.asarray(failed * np.log(share) + (exposed - failed) * np.log1p(-share))
