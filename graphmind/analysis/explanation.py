"""The explanation of one channel: the causes in its model, each judged with the final base rate."""

from dataclasses import dataclass

import numpy as np

from graphmind.analysis.columns import testable_columns
from graphmind.analysis.confidence import confidence
from graphmind.analysis.evidence import Tally
from graphmind.analysis.incidence import Flags, Floats, Integers
from graphmind.analysis.model import Candidate, Model, empty_model, refit, tally
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.sample import Sample, counted_once, sampled_by_outcome, weighted
from graphmind.analysis.search import search
from graphmind.analysis.strata import pool_strata
from graphmind.analysis.window import Window, items_before_symptom


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A cause of the model against what all others expect of its traces."""

    cause: Candidate
    tally: Tally
    strength: float
    weak: bool
    """Kept in the model for what it explains, too weak to report."""

    @property
    def gain(self) -> float:
        """Evidence less what its choices explain."""
        return self.tally.gain - self.cause.choices_nats


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What explains the failures of a channel."""

    model: Model
    judged: tuple[Judged, ...]
    """One per cause of the model."""
    failing: Integers
    """Rows, ascending."""


def explain_channel(
    window: Window, channel: str, options: CauseOptions, *, channels: int
) -> Explanation:
    """Search one of several channels of a window for causes."""
    failing = window.failing[channel]
    raw = _sample(window, failing, options)
    final = weighted(raw, window.weight)
    late = sampled_by_outcome(window.weight, failing)
    sample = raw if late else final
    items = items_before_symptom(window, channel)
    kinds = window.item_kinds if options.price_by_kind else None
    columns = testable_columns(items, sample, options, channels=channels, kinds=kinds)
    model = search(empty_model(sample, columns, options))
    if late and final.sampled and model.causes:
        model = refit(empty_model(final, columns, options), model.causes)
    return Explanation(
        model=model,
        judged=tuple(judge(model, cause) for cause in model.causes),
        failing=np.flatnonzero(failing),
    )


def judge(model: Model, cause: Candidate) -> Judged:
    """Hold a cause of the model to the thresholds for reporting."""
    options = model.options
    outcome = tally_without(model, cause, cause.rows)
    ratio = options.risk_ratio_bounded if cause.bounded else options.risk_ratio_min
    by_ratio = min((ratio - 1) * model.base_rate, options.strength_cap)
    return Judged(
        cause=cause,
        tally=outcome,
        strength=model.mean_strength(cause),
        weak=confidence(cause.posterior, items=len(cause.key)) < options.confidence_min
        or outcome.strength_low < max(options.strength_min, by_ratio)
        or _risk_ratio_low(outcome, model.base_rate) < options.risk_ratio_floor
        or outcome.excess < options.failures_min,
    )


def _risk_ratio_low(outcome: Tally, base_rate: float) -> float:
    """Lower bound of the failing rate with a cause over the base rate.

    Relative to the base rate, never to what other causes make expected: overlapping true causes
    would veto each other.
    """
    return 1 + outcome.strength_low * (1 - base_rate) / base_rate


def tally_without(model: Model, cause: Candidate, rows: Integers) -> Tally:
    """Outcome of rows against the other causes alone."""
    active = np.isin(rows, cause.rows, assume_unique=True)
    own = np.where(active, cause.strength[model.sample.stratum[rows]], 0.0)
    survival: Floats = np.minimum(model.survival[rows] / np.maximum(1 - own, 1e-4), 1)
    return tally(model, rows, survival=survival)


def _sample(window: Window, failing: Flags, options: CauseOptions) -> Sample:
    """Outcomes with each trace counted once."""
    stratum, strata = pool_strata(window.stratum, failing, strata_max=options.strata_max)
    return counted_once(failing, window.start_ns, stratum, strata)
