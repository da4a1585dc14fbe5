"""The noisy-or model of one channel at a given set of causes, and what it expects of any traces."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from graphmind.analysis.columns import Columns
from graphmind.analysis.evidence import Tally, kl_gain, sampled_gain
from graphmind.analysis.incidence import Codes, Flags, Floats, Integers, sum_by
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.sample import Sample
from graphmind.analysis.strengths import Classes, fit_strengths, stratum_classes

SURVIVAL_TOLERANCE = 1e-7


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A column or a pair of columns, in an interval or not, that may raise the failing rate."""

    key: tuple[int, ...]
    """Columns, ascending."""
    exposed: Integers
    """All rows that touch every column of the key, ascending."""
    rows: Integers
    """Those the candidate is active on: a run of the exposed."""
    tally: Tally
    """Of the rows, when the candidate was made."""
    choices_nats: float
    """ln of the intervals and partners it was chosen from."""
    price: float
    """What it must gain beyond: ln of all tests, choices and, for a pair, of the interaction."""
    strength: Floats
    """(strata,)."""
    posterior: float = 1.0
    """Against its rivals."""
    rivals: tuple[tuple[float, tuple[int, ...]], ...] = ()
    """(objective minus this one's, key), best first."""

    @property
    def gain(self) -> float:
        """Evidence less what its choices explain."""
        return self.tally.gain - self.choices_nats

    @property
    def bounded(self) -> bool:
        """Whether it is limited to an interval."""
        return len(self.rows) < len(self.exposed)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A set of causes with fitted strengths."""

    sample: Sample
    columns: Columns
    options: CauseOptions
    causes: tuple[Candidate, ...]
    classes: Classes
    class_of: Codes
    """(n,), class of each trace."""
    base_rate: float
    objective: float
    """Penalised log-likelihood, in nats."""
    survival: Floats
    """(n,), probability that no cause makes the trace fail."""
    touched: Flags
    """(n,), whether the trace has the items of some cause."""
    active: Flags
    """(n,), whether some cause is active on it."""

    @cached_property
    def expected(self) -> Floats:
        """Failures expected of each column's rows: (columns,)."""
        rows = np.flatnonzero(self.survival < 1 - SURVIVAL_TOLERANCE)
        lost = self.sample.weight_of(rows) * (1 - self.survival[rows])
        [hit] = self.columns.by_trace.sums(rows, lost)
        return self.columns.exposed - (1 - self.base_rate) * (self.columns.exposed - hit)

    def mean_strength(self, cause: Candidate) -> float:
        """Strength of a cause over the traces it is active on."""
        stratum, weight = self.sample.stratum[cause.rows], self.sample.weight_of(cause.rows)
        exposed = sum_by(stratum, weight, self.sample.strata)
        return float(cause.strength @ exposed / exposed.sum())


def empty_model(sample: Sample, columns: Columns, options: CauseOptions) -> Model:
    """Fit the model without causes."""
    classes = stratum_classes(sample)
    fitted = fit_strengths(classes, np.zeros((0, sample.strata)), options)
    nowhere = np.zeros(len(sample.failing), bool)
    return Model(
        sample=sample,
        columns=columns,
        options=options,
        causes=(),
        classes=classes,
        class_of=sample.stratum,
        base_rate=fitted.base_rate,
        objective=fitted.objective,
        survival=np.ones(len(sample.failing)),
        touched=nowhere,
        active=nowhere,
    )


def refit(model: Model, causes: tuple[Candidate, ...]) -> Model:
    """Fit the model with other causes, from the strengths they carry."""
    sample = model.sample
    classes, class_of = _classify(sample, causes)
    fitted = fit_strengths(classes, stack_strengths(causes, sample.strata), model.options)
    survival = fitted.survival[class_of]
    touched = np.zeros(len(survival), bool)
    active = touched.copy()
    for cause in causes:
        touched[cause.exposed] = True
        active[cause.rows] = True
    return replace(
        model,
        causes=tuple(
            replace(cause, strength=strength)
            for cause, strength in zip(causes, fitted.strength, strict=True)
        ),
        classes=classes,
        class_of=class_of,
        base_rate=fitted.base_rate,
        objective=fitted.objective - sum(cause.price for cause in causes),
        survival=survival,
        touched=touched,
        active=active,
    )


def trial(model: Model, candidate: Candidate) -> float:
    """Objective with one more cause after a few steps of EM."""
    classes, _ = model.classes.split(model.class_of, candidate.rows, model.sample)
    causes = (*model.causes, candidate)
    start = stack_strengths(causes, model.sample.strata)
    fitted = fit_strengths(classes, start, model.options, model.options.trial_steps)
    return fitted.objective - sum(cause.price for cause in causes)


def stack_strengths(causes: tuple[Candidate, ...], strata: int) -> Floats:
    """Strengths as (causes, strata)."""
    return np.array([cause.strength for cause in causes]).reshape(len(causes), strata)


def tally(model: Model, rows: Integers, *, survival: Floats | float | None = None) -> Tally:
    """Outcome of the rows against the model, or against another survival of those rows."""
    sample = model.sample
    weight, failing = sample.weight_of(rows), sample.failing[rows]
    survived = weight @ np.broadcast_to(
        model.survival[rows] if survival is None else survival, rows.shape
    )
    return tally_sums(
        model,
        exposed=float(weight.sum()),
        failed=float(weight[failing].sum()),
        survived=float(survived),
        variance=float(sample.variance[rows].sum()) if sample.sampled else 0.0,
    )


def tally_sums(
    model: Model, *, exposed: float, failed: float, survived: float, variance: float
) -> Tally:
    """Outcome of traces given by sums over them.

    In a sampled window the exposure is taken at the upper two standard errors.
    """
    expected = exposed - (1 - model.base_rate) * survived
    margin = 2 * float(model.sample.deviation(variance)) if model.sample.sampled else 0.0
    return Tally(
        exposed=exposed + margin,
        failed=failed,
        expected=expected + margin * expected / max(exposed, 1e-9),
        gain=float(
            gains(
                model,
                exposed=np.array(exposed),
                failed=np.array(failed),
                expected=np.array(expected),
                variance=np.array(variance),
            )
        ),
    )


def gains(
    model: Model, *, exposed: Floats, failed: Floats, expected: Floats, variance: Floats
) -> Floats:
    """Evidence of many sets of traces at once."""
    if not model.sample.sampled:
        return kl_gain(exposed, failed, expected)
    return sampled_gain(exposed, failed, expected, model.sample.deviation(variance))


def _classify(sample: Sample, causes: tuple[Candidate, ...]) -> tuple[Classes, Codes]:
    """Classes of traces by stratum and active causes, and the class of each trace."""
    classes, class_of = stratum_classes(sample), sample.stratum
    for cause in causes:
        before = len(classes.total)
        classes, hit = classes.split(class_of, cause.rows, sample)
        moved = np.arange(before, dtype=np.int32)
        moved[hit] = np.arange(before, before + len(hit))
        kept = classes.total > 1e-9
        place = (np.cumsum(kept) - 1).astype(np.int32)
        fresh = place[:before][class_of]
        fresh[cause.rows] = place[moved[class_of[cause.rows]]]
        classes, class_of = classes.only(kept), fresh
    return classes, class_of
