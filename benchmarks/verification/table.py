"""The table of scenarios by traffic."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.verification.scenarios import SCENARIOS, Scenario
from benchmarks.verification.simulation import Outcome, history, simulate
from graphmind.verification.words import Metric, Verdict

DESIGN_RATES: Final = (5, 20, 200)
DESIGN_RUNS: Final = 1000
LETTERS: Final = {
    Verdict.EFFECTIVE: "E",
    Verdict.NONE: "N",
    Verdict.PARTIAL: "P",
    Verdict.INCONCLUSIVE: "I",
    Verdict.HARMFUL: "H",
}


def table(
    rates: Sequence[int], *, runs: int, only: Sequence[str], seed: int, noisy: tuple[Metric, ...]
) -> None:
    """Print each scenario at each rate, ours and the design's, as rows come."""
    print(f"## First verdict, {runs} runs a cell\n")
    print("| scenario | requests/s | here | design | share apart by | recovering |")
    print("| --- | ---: | --- | --- | ---: | --- |")
    apart: list[float] = []
    for scenario in SCENARIOS:
        if only and scenario.name not in only:
            continue
        for rate in rates:
            outcome = run(scenario, rate=rate, runs=runs, seed=seed, noisy=noisy)
            design = dict(zip(DESIGN_RATES, scenario.design, strict=True)).get(rate, "")
            sigma = distance(outcome, design) if design else None
            apart += [] if sigma is None else [sigma]
            shown = "" if sigma is None else f"{sigma:.1f} s.e."
            cells = (scenario.name, str(rate), cell(outcome), design, shown, recovering(outcome))
            print(f"| {' | '.join(cells)} |", flush=True)
    if apart:
        within = sum(value <= 3 for value in apart)
        print(f"\nShares within 3 standard errors of the design's: {within} of {len(apart)} cells.")


def run(
    scenario: Scenario, *, rate: float, runs: int, seed: int, noisy: tuple[Metric, ...]
) -> Outcome:
    """Simulate a cell."""
    random = np.random.default_rng([seed, runs])
    past = history(scenario.usual(), scenario.incident(), runs, random, noisy=noisy)
    return simulate(scenario.rates, past, rate=rate, runs=runs, seed=seed)


def cell(outcome: Outcome) -> str:
    """Write an outcome as the design does."""
    parts = []
    for verdict, letter in LETTERS.items():
        share = 100 * float(np.mean(outcome.verdict == verdict))
        if share >= 1:
            rounded = f"{share:.1f}" if 99 <= share < 100 else f"{share:.0f}"
            parts.append(letter + rounded)
    median, late = np.nanpercentile(outcome.seconds, [50, 95])
    return f"{' '.join(parts)}, {median:.0f}/{late:.0f}"


def recovering(outcome: Outcome) -> str:
    """Write in which share of the runs it was said to be recovering, and when."""
    share = 100 * float(np.mean(~np.isnan(outcome.recovering_s)))
    if share < 50:
        return f"{share:.1f} %"
    median, late = np.nanpercentile(outcome.recovering_s, [50, 95])
    return f"{share:.1f} %, {median:.0f}/{late:.0f}"


def distance(outcome: Outcome, design: str) -> float:
    """Return the largest distance of a share from the design's, in standard errors of both.

    Half a percent is allowed for rounding and for shares below 1 % that a cell leaves out.
    """
    stated = {
        letter: float(share) / 100 for letter, share in re.findall(r"([A-Z])([\d.]+)", design)
    }
    found = 0.0
    for verdict, letter in LETTERS.items():
        share, other = float(np.mean(outcome.verdict == verdict)), stated.get(letter, 0.0)
        pooled = (share * len(outcome.verdict) + other * DESIGN_RUNS) / (
            len(outcome.verdict) + DESIGN_RUNS
        )
        error = np.sqrt(
            max(pooled * (1 - pooled), 1e-4) * (1 / len(outcome.verdict) + 1 / DESIGN_RUNS)
        )
        found = max(found, (abs(share - other) - 0.005) / error)
    return found
