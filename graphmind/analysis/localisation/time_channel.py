"""The time channel: whose is the time that the reference periods do not spend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphmind.analysis.incidence import Floats, sum_by
from graphmind.analysis.localisation.divergence import growth
from graphmind.analysis.localisation.options import LocalisationOptions
from graphmind.analysis.localisation.units import Unit, UnitCosts
from graphmind.telemetry.tree import Bools, Ints

PARTS = ("self", "in", "out")
"""Where a service can lose time: its own work, the way to it, its ways to others."""
SELF, IN, OUT = range(3)
HYPOTHESES = ((SELF,), (IN,), (OUT,), (SELF, IN), (SELF, OUT), (IN, OUT), (SELF, IN, OUT))
# A lone edge that is slow both as a way out and as a way in is charged to the callee.
_OUT_ALONE = 1 - 1e-6
_TIE = 1e-9
_LEAST_MS = 1e-3
"""Added to the reference cost, so that a unit that cost nothing can be compared."""


@dataclass(frozen=True, kw_only=True)
class TimeEvidence:
    """Why a service is thought to be slow."""

    score: float
    """Divergence of the time it is charged with, as a share of all time."""
    parts: tuple[str, ...]
    """The best hypothesis: which of PARTS are slow."""
    excess_ms: float
    """Mean excess of a trace that touches the parts."""
    excess_low_ms: float
    """The same, with its lower bound."""
    traces: int
    """Traces that touch the parts."""
    reference_ms: float
    """Cost of the parts per trace of the window, at the reference's cost per call."""
    unit: Unit
    """The unit of the parts with the largest excess."""
    calls: int
    now_ms: float
    """Cost of a call of that unit in the window."""
    before_ms: float
    """The same in the reference period that is nearest."""


def time_channel(
    window: UnitCosts, references: Sequence[UnitCosts], options: LocalisationOptions
) -> dict[str, TimeEvidence]:
    """Score the services that lose time; the others are absent.

    A hypothesis "S is slow in these parts" is charged with the excess of ALL units it covers
    before the divergence is taken, so one whose other units are not slow is punished.
    """
    ledger = _ledger(window, references, options)
    shares = _trace_shares(window, ledger)
    best = np.zeros(len(ledger.services))
    chosen: dict[int, _Excess] = {}
    for parts in HYPOTHESES:
        excess = _excess(shares, ledger, parts, window.traces, options)
        divergence = excess.divergence * (_OUT_ALONE if parts == (OUT,) else 1.0)
        better = divergence > best * (1 + _TIE)
        best = np.where(better, divergence, best)
        chosen |= dict.fromkeys(np.flatnonzero(better).tolist(), excess)
    total = ledger.now_ms.sum()
    return {
        ledger.services[service]: _evidence(
            window, ledger, service, excess, score=float(best[service] / total)
        )
        for service, excess in sorted(chosen.items())
    }


@dataclass(frozen=True, kw_only=True)
class _Ledger:
    """What each unit costs now, and would at reference cost; (units,) arrays."""

    services: tuple[str, ...]
    known: Bools
    """Whether any reference period has the unit; the others are ignored."""
    expected_ms: Floats
    """Reference cost per call."""
    now_ms: Floats
    """Cost per trace of the window, 0 where not known."""
    reference_ms: Floats
    """The same at reference cost per call: counts are the window's, so the mix cancels."""
    caller: Ints
    callee: Ints
    part: Ints
    """SELF or OUT, from the caller's side."""


@dataclass(frozen=True, kw_only=True)
class _Shares:
    """Excess of a trace in one part of one service; (shares,) arrays."""

    service: Ints
    part: Ints
    trace: Ints
    excess_ms: Floats


@dataclass(frozen=True, kw_only=True)
class _Excess:
    """Excess that a hypothesis charges each service with; (services,) arrays."""

    parts: tuple[int, ...]
    divergence: Floats
    mean_ms: Floats
    low_ms: Floats
    traces: Ints
    reference_ms: Floats


def _ledger(
    window: UnitCosts, references: Sequence[UnitCosts], options: LocalisationOptions
) -> _Ledger:
    mean, per_trace = window.mean_ms(), window.calls() / window.traces
    expected = _nearest_reference(window.units, mean, references, options.reference_calls_min)
    known = ~np.isnan(expected)
    services = tuple(sorted({name for unit in window.units for name in (unit.caller, unit.callee)}))
    number = {name: n for n, name in enumerate(services)}
    caller = np.array([number[unit.caller] for unit in window.units], np.int64)
    callee = np.array([number[unit.callee] for unit in window.units], np.int64)
    return _Ledger(
        services=services,
        known=known,
        expected_ms=expected,
        now_ms=np.where(known, per_trace * mean, 0.0),
        reference_ms=np.where(known, per_trace * expected, 0.0),
        caller=caller,
        callee=callee,
        part=np.where(caller == callee, SELF, OUT),
    )


def _nearest_reference(
    units: tuple[Unit, ...], mean: Floats, references: Sequence[UnitCosts], calls_min: int
) -> Floats:
    """Return the point nearest to the window's mean in the range the references span, or NaN."""
    means = np.full((len(references), len(units)), np.nan)
    place = {unit: n for n, unit in enumerate(units)}
    for row, reference in zip(means, references, strict=True):
        for unit, calls, cost in zip(
            reference.units, reference.calls(), reference.mean_ms(), strict=True
        ):
            if calls >= calls_min and unit in place:
                row[place[unit]] = cost
    return np.clip(mean, np.fmin.reduce(means), np.fmax.reduce(means))


def _trace_shares(window: UnitCosts, ledger: _Ledger) -> _Shares:
    """Sum the excess of the calls by unit and trace, and charge it to both ends of an edge."""
    calls = ledger.known[window.unit]
    unit, trace = window.unit[calls], window.trace[calls]
    pairs, pair = np.unique(unit * window.traces + trace, return_inverse=True)
    excess = np.bincount(pair, window.cost_ms[calls] - ledger.expected_ms[unit], len(pairs))
    unit, trace = np.divmod(pairs, window.traces)
    edge = ledger.part[unit] == OUT
    return _Shares(
        service=np.concatenate([ledger.caller[unit], ledger.callee[unit[edge]]]),
        part=np.concatenate([ledger.part[unit], np.full(int(edge.sum()), IN)]),
        trace=np.concatenate([trace, trace[edge]]),
        excess_ms=np.concatenate([excess, excess[edge]]),
    )


def _excess(
    shares: _Shares,
    ledger: _Ledger,
    parts: tuple[int, ...],
    traces: int,
    options: LocalisationOptions,
) -> _Excess:
    """Charge every service with the excess of some of its parts, over the traces touched."""
    count = len(ledger.services)
    covered = np.isin(shares.part, parts)
    touches, touch = np.unique(
        shares.service[covered] * traces + shares.trace[covered], return_inverse=True
    )
    excess = np.bincount(touch, shares.excess_ms[covered], len(touches))
    service = touches // traces
    touched = np.bincount(service, minlength=count)
    mean = np.bincount(service, excess, count) / np.maximum(touched, 1)
    squares = np.bincount(service, (excess - mean[service]) ** 2, count)
    error = np.sqrt(squares / np.maximum(touched - 1, 1) / np.maximum(touched, 1))
    low = mean - options.standard_errors * error
    reference = np.sum([_reference_ms(ledger, part) for part in parts], axis=0) + _LEAST_MS
    divergence = growth(reference + low * touched / traces, reference)
    possible = (touched >= 2) & (mean > 0) & _has_all(shares, parts, count)
    return _Excess(
        parts=parts,
        divergence=np.where(possible, divergence, 0.0),
        mean_ms=mean,
        low_ms=low,
        traces=touched,
        reference_ms=reference,
    )


def _reference_ms(ledger: _Ledger, part: int) -> Floats:
    """Cost per trace of one part of each service at reference cost."""
    own = (ledger.part == OUT) if part == IN else (ledger.part == part)
    end = ledger.callee if part == IN else ledger.caller
    return sum_by(end[own], ledger.reference_ms[own], len(ledger.services))


def _has_all(shares: _Shares, parts: tuple[int, ...], count: int) -> Bools:
    """Whether each service has every one of the parts; else a smaller hypothesis says the same."""
    present = [np.bincount(shares.service[shares.part == p], minlength=count) > 0 for p in parts]
    return np.asarray(np.all(present, axis=0))


def _evidence(
    window: UnitCosts, ledger: _Ledger, service: int, excess: _Excess, *, score: float
) -> TimeEvidence:
    mine = (ledger.caller == service) & np.isin(ledger.part, excess.parts)
    if IN in excess.parts:
        mine |= (ledger.callee == service) & (ledger.part == OUT)
    units = np.flatnonzero(mine & ledger.known)
    top = int(units[np.argmax((ledger.now_ms - ledger.reference_ms)[units])])
    return TimeEvidence(
        score=score,
        parts=tuple(PARTS[part] for part in excess.parts),
        excess_ms=float(excess.mean_ms[service]),
        excess_low_ms=float(excess.low_ms[service]),
        traces=int(excess.traces[service]),
        reference_ms=float(excess.reference_ms[service]),
        unit=window.units[top],
        calls=int(window.calls()[top]),
        now_ms=float(window.mean_ms()[top]),
        before_ms=float(ledger.expected_ms[top]),
    )
