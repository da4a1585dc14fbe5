"""When a cause was active: the run of its traces with the greatest log-likelihood ratio."""

from dataclasses import dataclass

import numpy as np

from graphmind.analysis.evidence import Tally
from graphmind.analysis.incidence import Floats, Integers
from graphmind.analysis.model import Model, tally_sums

TRACES_MIN = 12  # Chosen: fewer traces cannot pay for an interval.
ADVANTAGE_NATS = 2.0  # Measured: over the whole span, after the price of choosing an interval.
ROUNDS_MAX = 4


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The run ``start:stop`` of some rows, and its outcome."""

    start: int
    stop: int
    tally: Tally
    price: float
    """ln of the number of runs it was chosen from; 0 for all rows."""


@dataclass(frozen=True, kw_only=True)
class _Track:
    """Sums over the first k of the rows, k = 0..len(rows), and where failing rows stand in them.

    Traces that start at the same time enter together, so their order is of no consequence.
    """

    exposed: Floats
    failed: Floats
    survived: Floats
    variance: Floats
    before: Integers
    """(failing rows,), rows that start before it."""
    after: Integers
    """(failing rows,), rows that start no later."""
    failures_before: Integers
    failures_after: Integers
    weight: Floats
    """(failing rows,)."""
    failing_share: Floats
    """(failing rows,), expected by the model."""

    def tally(self, model: Model, start: int, stop: int) -> Tally:
        """Outcome of a run."""
        return tally_sums(
            model,
            exposed=float(self.exposed[stop] - self.exposed[start]),
            failed=float(self.failed[stop] - self.failed[start]),
            survived=float(self.survived[stop] - self.survived[start]),
            variance=float(self.variance[stop] - self.variance[start]),
        )

    def best_run(self, strength: float) -> tuple[int, int]:
        """Run with the greatest log-likelihood ratio at a strength: it starts and ends failing."""
        passing = np.log1p(-strength)
        failing = np.log((1 - (1 - self.failing_share) * (1 - strength)) / self.failing_share)
        rise = _cumulative(self.weight * failing)
        passed = self.exposed - self.failed
        low = rise[self.failures_before] + passing * passed[self.before]
        high = rise[self.failures_after] + passing * passed[self.after]
        last = int(np.argmax(high - np.minimum.accumulate(low)))
        first = int(np.argmin(low[: last + 1]))
        return int(self.before[first]), int(self.after[last])


def best_interval(model: Model, rows: Integers) -> Interval:
    """Choose the run of rows to explain: all of them, unless a run is better after its price."""
    track = _track(model, rows)
    whole = track.tally(model, 0, len(rows))
    best = Interval(start=0, stop=len(rows), tally=whole, price=0.0)
    if whole.failed <= whole.expected or len(rows) < TRACES_MIN:
        return best
    strength, previous, price = max(0.5, whole.strength), (0, len(rows)), 2 * np.log(len(rows))
    for _ in range(ROUNDS_MAX):
        strength = min(max(strength, 0.01), 0.99)
        run = track.best_run(strength)
        outcome = track.tally(model, *run)
        better = outcome.gain - price > best.tally.gain - best.price + ADVANTAGE_NATS
        if better and outcome.failed > outcome.expected:
            best = Interval(start=run[0], stop=run[1], tally=outcome, price=float(price))
        if run == previous and abs(outcome.strength - strength) < 1e-3:
            break
        previous, strength = run, outcome.strength
    return best


def _track(model: Model, rows: Integers) -> _Track:
    sample = model.sample
    weight, failing, survival = sample.weight[rows], sample.failing[rows], model.survival[rows]
    times = sample.start_ns[rows]
    places = np.flatnonzero(failing)
    before = np.searchsorted(times, times[places], side="left")
    after = np.searchsorted(times, times[places], side="right")
    failures = np.concatenate([[0], np.cumsum(failing)])
    return _Track(
        exposed=_cumulative(weight),
        failed=_cumulative(np.where(failing, weight, 0.0)),
        survived=_cumulative(weight * survival),
        variance=_cumulative(sample.variance[rows]),
        before=before,
        after=after,
        failures_before=failures[before],
        failures_after=failures[after],
        weight=weight[places],
        failing_share=1 - (1 - model.base_rate) * survival[places],
    )


def _cumulative(values: Floats) -> Floats:
    """Sum the first k values, k = 0..len(values)."""
    return np.concatenate([[0.0], np.cumsum(values)])
