"""Breaks the reference platform by each fault and seed, and tells how it was repaired."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from graphmind.demo.outcome import Outcome
from graphmind.demo.play import Script, play
from graphmind.demo.processes import DemoError

FAULTS: Final = (
    *("hanging-model", "wrong-answers", "poisoned-key", "bad-version-in-region", "region-loss"),
    *("webhook-storm", "drifting-agents", "dead-collector", "two-faults", "worse-cure"),
    *("decoy", "decoy-with-fault", "unknown"),
)
HEAD: Final = (
    "| fault | seed | named first | right | level | right | verdict | to incident | to executed "
    "| to recovering | to verdict | good |"
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks repair", description=__doc__)
    parser.add_argument("--faults", default=",".join(FAULTS), help="joined by commas; default: all")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--rate", type=float, default=20.0, help="tasks a second")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds for one fault")
    parser.add_argument("--twice", action="store_true", help="each fault again once healed")
    parser.add_argument("--folder", type=Path, help="keep stores and logs there")
    parser.add_argument("--stand-ins", action="store_true", help="use no real servers")
    asked = parser.parse_args(arguments)
    print(HEAD)
    print("|" + " --- |" * (HEAD.count("|") - 1), flush=True)
    good = tried = 0
    for script in _scripts(asked):
        try:
            outcomes = play(script, _aside, lambda one: _aside(f"[{one.kind}] {one.text}"))
        except DemoError as error:
            print(f"| {script.fault} | {script.seed} | not played: {error} |", flush=True)
            tried += 1
            continue
        for outcome in outcomes:
            print(_row(outcome), flush=True)
            good, tried = good + outcome.is_good, tried + 1
    print(f"\n{good} of {tried} ended as they should, at {asked.rate:g} tasks/s")
    return 0 if good == tried else 1


def _scripts(asked: argparse.Namespace) -> Iterator[Script]:
    for fault in asked.faults.split(","):
        for seed in range(asked.first, asked.first + asked.seeds):
            yield Script(
                fault=fault,
                seed=seed,
                rate=asked.rate,
                patience_s=asked.patience,
                again=asked.twice,
                stand_ins=asked.stand_ins,
                folder=asked.folder / f"{fault}-{seed}" if asked.folder else None,
            )


def _row(outcome: Outcome) -> str:
    truth, when = outcome.truth, outcome.moments
    named = bool(outcome.causes) and all(map(truth.is_right, outcome.causes))
    # Where nothing is to blame, nothing may be named.
    right = named if truth.causes else not outcome.causes
    at_level = (outcome.level or "") == truth.level
    seconds = outcome.seconds
    recovering = (
        (when.recovering - when.executed) / 1000 if when.recovering and when.executed else None
    )
    cells = (
        outcome.fault,
        str(outcome.seed),
        ", ".join(outcome.causes) or "nothing",
        _yes(right),
        outcome.level or "none",
        _yes(at_level),
        outcome.verdict,
        _seconds(seconds["first_failing_to_incident"]),
        _seconds(seconds["incident_to_executed"]),
        _seconds(recovering),
        _seconds(seconds["executed_to_verdict"]),
        _yes(outcome.is_good),
    )
    return f"| {' | '.join(cells)} |"


def _yes(holds: bool) -> str:  # noqa: FBT001 - what is told, not a switch
    return "yes" if holds else "no"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _aside(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
