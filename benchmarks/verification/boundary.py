"""Errors where they are likeliest: rates exactly at the bounds, and the relapse watch."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from benchmarks.verification.scenarios import MIX, SCENARIOS, Rates
from benchmarks.verification.simulation import RatesAt, history, simulate, traffic
from graphmind.verification.bounds import Bounds, bounds_of
from graphmind.verification.options import Options
from graphmind.verification.watch import above_threshold, grow
from graphmind.verification.words import (
    BYSTANDER,
    EXPOSED,
    FAILURE,
    FAST_FAILURE,
    METRICS,
    RECIPIENT,
    Group,
    Verdict,
)

WATCHED: Final = (1.5, 6.0, 60.0)
"""Exposed requests a second."""
RAMP_S: Final = 60.0
"""Over which the background rises by 5 points (chosen: the design gives no course)."""


def boundary(*, runs: int, seed: int) -> None:
    """Print the tables."""
    _errors(runs, seed)
    _relapses(runs, seed)


def _errors(runs: int, seed: int) -> None:
    full = SCENARIOS[0]
    exact = history(full.usual(), full.incident(), runs)
    bounds = bounds_of(exact, traffic(20), Options())
    print(f"\n## Errors at the bounds, {runs} runs a cell, in %\n")
    print("| error | 20/s | 200/s | design |")
    print("| --- | ---: | ---: | --- |")
    healthy = {group: dict(full.usual()) for group in (EXPOSED, RECIPIENT, BYSTANDER)}
    at_bound = _with_failures(healthy, bounds.healthy[FAILURE][:, 0])
    cases = (
        ("effective, rate at the healthy bound", at_bound, "effective", 0.0, ".30/.43"),
        ("ineffective, rate at the healthy bound", at_bound, "ineffective", 0.0, ".18/.05"),
        ("harmful, all eight rates at their bounds", _harmed(bounds), "harmful", 0.0, ".08/.20"),
        ("the same, background rising by 5pp", _harmed(bounds), "harmful", 0.05, ".20/.25"),
        ("harmful, all healthy", healthy, "harmful", 0.0, "0/0"),
    )
    for name, rates, error, rise, design in cases:
        found = []
        for rate in (20, 200):
            outcome = simulate(
                _rising(rates, rise),
                exact,
                rate=rate,
                runs=runs,
                seed=seed,
                to_the_end=error == "harmful",
            )
            wrong = {
                "effective": outcome.verdict == Verdict.EFFECTIVE,
                "ineffective": np.isin(outcome.verdict, [Verdict.NONE, Verdict.PARTIAL]),
                "harmful": outcome.harmed,
            }[error]
            found.append(100 * float(np.mean(wrong)))
        print(f"| {name} | {found[0]:.2f} | {found[1]:.2f} | {design} |", flush=True)


def _with_failures(healthy: Mapping[Group, Rates], failure: np.ndarray) -> dict[Group, Rates]:
    return {**healthy, EXPOSED: {**healthy[EXPOSED], FAILURE: failure}}


def _harmed(bounds: Bounds) -> dict[Group, Rates]:
    rates: dict[Group, Rates] = {
        group: {metric: bounds.harm[group, metric][:, 0] for metric in METRICS}
        for group in (EXPOSED, RECIPIENT)
    }
    return {**rates, BYSTANDER: {m: bounds.usual_control[m][:, 0] for m in METRICS}}


def _rising(rates: Mapping[Group, Rates], rise: float) -> RatesAt:
    """Add to the failures of every group, more and more."""

    def at(group: Group, at_s: float) -> Rates:
        added = rise * min(at_s / RAMP_S, 1.0)
        failing = {m: rates[group][m] + added for m in (FAST_FAILURE, FAILURE)}
        return {**rates[group], **failing}

    return at


def _relapses(runs: int, seed: int) -> None:
    full = SCENARIOS[0]
    exact = history(full.usual(), full.incident(), runs)
    bounds = bounds_of(exact, traffic(20), Options())
    print(f"\n## Relapse watch, {runs} runs a cell: caught within 600 s in %, median delay in s\n")
    print("| failures of exposed requests | 1.5/s | 6/s | 60/s | design |")
    print("| --- | ---: | ---: | ---: | --- |")
    incident = full.incident()[FAILURE]
    cases = (
        ("18.7 %", incident, "28/8/1 s"),
        ("6 %", incident * 0.06 / float(MIX @ incident), "303/94/13 s, 94 % at 1.5/s"),
        ("at the healthy bound", bounds.healthy[FAILURE][:, 0], "at most .5 %"),
        ("usual", full.usual()[FAILURE], "0"),
    )
    for name, rate, design in cases:
        cells = [_watched(rate, exposed, bounds, runs, seed) for exposed in WATCHED]
        print(f"| {name} | {' | '.join(cells)} | {design} |", flush=True)


def _watched(failure: np.ndarray, exposed: float, bounds: Bounds, runs: int, seed: int) -> str:
    random = np.random.default_rng([seed, runs, int(10 * exposed)])
    grown = np.full((len(bounds.toward_sick), runs), -np.inf)
    alarm = np.full(runs, np.inf)
    for second in range(1, int(bounds.options.watch_s) + 1):
        n = random.poisson(exposed * MIX[:, None], (len(MIX), runs))
        bad = random.binomial(n, failure[:, None])
        grown = grow(grown, n.astype(float), bad.astype(float), bounds)
        alarm = np.where(above_threshold(grown, bounds) >= 0, np.minimum(alarm, second), alarm)
    caught = np.isfinite(alarm)
    share = f"{100 * float(caught.mean()):.1f}"
    return f"{share}, {np.median(alarm):.0f}" if caught.mean() > 0.5 else share
