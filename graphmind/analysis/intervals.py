"""When a cause was active: the run of its traces with the greatest log-likelihood ratio."""

from dataclasses import dataclass

import numpy as np

from graphmind.analysis.evidence import Tally
from graphmind.analysis.incidence import Floats, Integers
from graphmind.analysis.model import Model, tally_sums

TRACES_MIN = 12  # Chosen: fewer traces cannot pay for an interval.
ADVANTAGE_NATS = 2.0  # Measured: over the whole span, after the price of choosing an interval.
ROUNDS_MAX = 4
# Chosen: from the first, a weak cause of many traces ends in a chance run of a few failures.
STRENGTHS = 0.5, 0.15


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
    """Outcomes along some rows, and where failing rows stand among them.

    Traces that start at the same time enter together, so their order is of no consequence.
    """

    weight: Floats
    """(rows,)."""
    survived: Floats
    """(rows,), weight times survival."""
    variance: Floats
    places: Integers
    """(failing rows,), ascending."""
    before: Integers
    """(failing rows,), rows that start before it."""
    after: Integers
    """(failing rows,), rows that start no later."""
    failures_before: Integers
    """(failing rows,), failing ones of ``before``."""
    failures_after: Integers
    passed_before: Floats
    """(failing rows,), weight of the passing ones of ``before``."""
    passed_after: Floats
    failing_share: Floats
    """(failing rows,), expected by the model."""

    def tally(self, model: Model, start: int, stop: int) -> Tally:
        """Outcome of a run."""
        first, last = np.searchsorted(self.places, (start, stop))
        return tally_sums(
            model,
            exposed=float(self.weight[start:stop].sum()),
            failed=float(self.weight[self.places[first:last]].sum()),
            survived=float(self.survived[start:stop].sum()),
            variance=float(self.variance[start:stop].sum()),
        )

    def best_run(self, strength: float) -> tuple[int, int]:
        """Run with the greatest log-likelihood ratio at a strength: it starts and ends failing."""
        passing = np.log1p(-strength)
        failing = np.log((1 - (1 - self.failing_share) * (1 - strength)) / self.failing_share)
        rise = _cumulative(self.weight[self.places] * failing)
        low = rise[self.failures_before] + passing * self.passed_before
        high = rise[self.failures_after] + passing * self.passed_after
        last = int(np.argmax(high - np.minimum.accumulate(low)))
        first = int(np.argmin(low[: last + 1]))
        return int(self.before[first]), int(self.after[last])


def best_interval(model: Model, rows: Integers) -> Interval:
    """Choose the run of rows to explain: all of them, unless a run is better after its price."""
    track = _track(model, rows)
    whole = track.tally(model, 0, len(rows))
    best = Interval(start=0, stop=len(rows), tally=whole, price=0.0)
    if not len(track.places) or len(rows) < TRACES_MIN:
        return best
    price = 2 * np.log(len(rows))
    for start in STRENGTHS:
        best = _improved(model, track, best, max(start, whole.strength), price=float(price))
        if len(track.weight) > best.stop - best.start:
            break
    return best


def _improved(
    model: Model, track: _Track, best: Interval, strength: float, *, price: float
) -> Interval:
    """Alternate between the best run at a strength and the strength of that run."""
    previous = (0, len(track.weight))
    for _ in range(ROUNDS_MAX):
        strength = min(max(strength, 0.01), 0.99)
        run = track.best_run(strength)
        outcome = track.tally(model, *run)
        better = outcome.gain - price > best.tally.gain - best.price + ADVANTAGE_NATS
        if better and outcome.failed > outcome.expected:
            best = Interval(start=run[0], stop=run[1], tally=outcome, price=price)
        if run == previous and abs(outcome.strength - strength) < 1e-3:
            break
        previous, strength = run, outcome.strength
    return best


def _track(model: Model, rows: Integers) -> _Track:
    sample = model.sample
    weight, failing = sample.weight_of(rows), sample.failing[rows]
    survival = model.survival[rows]
    places = np.flatnonzero(failing)
    before, after = _together(sample.start_ns[rows], places)
    passed = _cumulative(np.where(failing, 0.0, weight))
    return _Track(
        weight=weight,
        survived=weight * survival,
        variance=sample.variance[rows] if sample.sampled else np.zeros(len(rows)),
        places=places,
        before=before,
        after=after,
        failures_before=np.searchsorted(places, before),
        failures_after=np.searchsorted(places, after),
        passed_before=passed[before],
        passed_after=passed[after],
        failing_share=1 - (1 - model.base_rate) * survival[places],
    )


def _together(times: Integers, places: Integers) -> tuple[Integers, Integers]:
    """How many start before each place, and how many no later; times ascend."""
    if (times[1:] > times[:-1]).all():
        return places, places + 1
    at = times[places]
    return np.searchsorted(times, at, side="left"), np.searchsorted(times, at, side="right")


def _cumulative(values: Floats) -> Floats:
    """Sum the first k values, k = 0..len(values)."""
    return np.concatenate([[0.0], np.cumsum(values)])
