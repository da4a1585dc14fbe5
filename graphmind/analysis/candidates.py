"""Candidate causes: the single items and the pairs with most unexplained failures."""

from dataclasses import dataclass

import numpy as np

from graphmind.analysis.incidence import Flags, Floats, Integers
from graphmind.analysis.intervals import best_interval
from graphmind.analysis.model import Candidate, Model, gains, tally
from graphmind.analysis.moments import best_moments, sums_before

GAIN_MIN = 3.0  # Chosen: less is noise in any window.
# Measured: pairs are sought for the 5 best items, the 3 best pairs each. A pair is an interaction
# if neither item without the other has .3 of its strength, and it is not as good as all of either:
# at .9 pairs were lost where healthy traces are sampled, whole windows report the same.
PAIR_ITEMS = 5
PAIRS_PER_ITEM = 3
PAIR_ROWS_MIN = 8
ALONE_SHARE_MAX = 0.3
OVERLAP_MAX = 0.97


def rank_candidates(model: Model) -> list[Candidate]:
    """Best candidates, by gain; ties by key."""
    singles = [single(model, int(column)) for column in _promising(model)]
    singles.sort(key=_by_gain)
    pairs = [pair for cause in singles[:PAIR_ITEMS] for pair in interacting_pairs(model, cause)]
    unique: dict[tuple[int, ...], Candidate] = {}
    for candidate in sorted(singles + pairs, key=_by_gain):
        unique.setdefault(candidate.key, candidate)
    return list(unique.values())


def single(model: Model, column: int) -> Candidate:
    """Make the candidate of one column."""
    return _candidate(model, (column,), partners_nats=0.0)


def interacting_pairs(model: Model, cause: Candidate) -> list[Candidate]:
    """Pairs of a single with a partner such that neither fails much without the other."""
    if len(cause.rows) < PAIR_ROWS_MIN or not model.columns.pairable[cause.key[0]]:
        return []
    screen = _screen(model, cause)
    partners_nats = float(np.log(max(screen.partners_tried, 2)))
    keep = np.flatnonzero(screen.interacts & (screen.gain - partners_nats > screen.gain_alone))
    best = keep[np.argsort(-screen.gain[keep], kind="stable")[:PAIRS_PER_ITEM]]
    keys = [
        tuple(sorted((cause.key[0], int(screen.partner[place]))))
        for place in best
        if not _fails_alone(model, screen, int(place))
    ]
    return [_candidate(model, key, partners_nats=partners_nats) for key in keys]


def _by_gain(candidate: Candidate) -> tuple[float, tuple[int, ...]]:
    return -candidate.gain, candidate.key


def _promising(model: Model) -> Integers:
    """Columns with the largest unexplained excess."""
    gain = gains(
        model,
        exposed=model.columns.exposed,
        failed=model.columns.failed,
        expected=model.expected,
        variance=model.columns.variance,
    )
    overall = _best(gain, model.options.top)
    briefly = _gain_in_parts(model)
    briefly[overall] = 0.0
    return np.concatenate([overall, _best(briefly, model.options.top_in_parts)])


def _best(gain: Floats, count: int) -> Integers:
    """Columns with the largest gains that are worth a look."""
    candidates = np.flatnonzero(gain > GAIN_MIN)
    return candidates[np.argsort(-gain[candidates], kind="stable")[:count]]


def _gain_in_parts(model: Model) -> Floats:
    """Gain of each column in a part of the window, from the failures that no cause explains."""
    sample, by_trace = model.sample, model.columns.by_trace
    failing = np.flatnonzero(sample.failing)
    unexplained = model.base_rate / (1 - (1 - model.base_rate) * model.survival[failing])
    failed = sums_before(by_trace, failing, sample.weight[failing] * unexplained)
    return best_moments(model.columns.exposed_before, failed, model.base_rate)


def _candidate(model: Model, key: tuple[int, ...], *, partners_nats: float) -> Candidate:
    exposed = model.columns.rows_of(key)
    interval = best_interval(model, exposed)
    interaction = model.options.gain_min if len(key) > 1 else 0.0
    choices = partners_nats + interval.price
    strength = min(max(interval.tally.strength, 1e-3), 0.995)
    return Candidate(
        key=key,
        exposed=exposed,
        rows=exposed[interval.start : interval.stop],
        tally=interval.tally,
        choices_nats=choices,
        price=model.columns.search_nats_of(key) + choices + interaction,
        strength=np.full(model.sample.strata, strength),
    )


@dataclass(frozen=True, kw_only=True)
class _Screen:
    """Partners of a single cause, and their outcomes together with it."""

    partner: Integers
    """(partners,), columns."""
    partners_tried: int
    exposed: Floats
    """(partners,), evidence weight of the screened rows with both."""
    failed: Floats
    expected: Floats
    gain: Floats
    strength: Floats
    interacts: Flags
    gain_alone: float
    """Of the single on the screened rows, after its price."""
    step: int
    """Every step-th row was screened."""


def _screen(model: Model, cause: Candidate) -> _Screen:
    """Tally every partner that shares enough failures, in one scan of the single's rows."""
    step = max(1, len(cause.rows) // model.options.pair_screen_rows)
    rows = cause.rows[::step]
    alone = tally(model, rows)
    gain_alone = alone.gain - cause.choices_nats
    partner, failed, tried = _partners(model, rows, cause.key[0], gain_min=gain_alone)
    weight = model.sample.weight_of(rows)
    exposed, survived, variance = (
        each[partner]
        for each in model.columns.by_trace.sums(
            rows, weight, weight * model.survival[rows], model.sample.variance[rows]
        )
    )
    expected = exposed - (1 - model.base_rate) * survived
    margin = 2 * model.sample.deviation(variance) if model.sample.sampled else 0.0
    scale = 1 + margin / np.maximum(exposed, 1e-9)
    strength = _strength(exposed * scale, failed, expected * scale)
    without = _strength(alone.exposed - exposed, alone.failed - failed, alone.expected - expected)
    return _Screen(
        partner=partner,
        partners_tried=tried,
        exposed=exposed,
        failed=failed,
        expected=expected,
        gain=gains(model, exposed=exposed, failed=failed, expected=expected, variance=variance),
        strength=strength,
        interacts=(exposed < OVERLAP_MAX * alone.exposed)
        & (exposed * step < OVERLAP_MAX * model.columns.exposed[partner])
        & (without < ALONE_SHARE_MAX * strength),
        gain_alone=gain_alone,
        step=step,
    )


def _partners(
    model: Model, rows: Integers, besides: int, *, gain_min: float
) -> tuple[Integers, Floats, int]:
    """Columns that could gain enough on the rows, their failed weight there, and how many tried.

    Tried is every column on enough failing rows. No gain exceeds f ln(1 / base rate).
    """
    failing = rows[model.sample.failing[rows]]
    count, failed = model.columns.by_trace.sums(
        failing, np.ones(len(failing)), model.sample.weight_of(failing)
    )
    tried = (count >= model.options.failures_min) & model.columns.pairable
    tried[besides] = False
    partner = np.flatnonzero(tried & (-np.log(model.base_rate) * failed > gain_min))
    return partner, failed[partner], int(tried.sum())


def _fails_alone(model: Model, screen: _Screen, place: int) -> bool:
    """Whether the partner fails without the single, so that there is no interaction."""
    columns, column, step = model.columns, screen.partner[place], screen.step
    exposed = columns.exposed[column] - screen.exposed[place] * step
    failed = columns.failed[column] - screen.failed[place] * step
    expected = model.expected[column] - screen.expected[place] * step
    strength = _strength(exposed, failed, expected)
    return bool(exposed > 5 and strength > ALONE_SHARE_MAX * screen.strength[place])


def _strength(exposed: Floats, failed: Floats, expected: Floats) -> Floats:
    return np.asarray(1 - (exposed - failed) / np.maximum(exposed - expected, 1e-9))
