"""Every rival beside graphmind on the same windows: right cause, right traces, silence, time.

    python -m benchmarks comparison [--seeds 20] [--quiet 100] [--traces 10000]
                                    [--simulated 5000] [--simulated-quiet 40]

Three worlds: windows drawn as arrays with one strength a cause, the same with strengths that differ
between tasks, and simulated platforms taken from OTLP to facts as the product does it. Rivals are
shown nothing that a trace touched after it failed, where not said otherwise.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from benchmarks.comparison.trial import Trial, not_below, table
from benchmarks.comparison.worlds import Rivals, drawn_trial, simulated_trial
from benchmarks.planted import QUIET_FROM
from benchmarks.rivals.methods import gds_rival, missing_rivals
from graphmind.settings import Settings

INCIDENTS = 3
"""Planted in a simulated window."""
SPREAD = 0.8
"""Log-normal spread of strengths over tasks in the hard world (algorithms.md, section 2a)."""


class World(Protocol):
    """Windows of one kind, one for each seed."""

    def __call__(self, seed: int, *, quiet: bool) -> Trial:
        """Run all methods on one window; a quiet one has no incident."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="comparison", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="windows with incidents, each world")
    parser.add_argument("--quiet", type=int, default=100, help="windows without, drawn")
    parser.add_argument("--simulated-quiet", type=int, default=40, help="windows without")
    parser.add_argument("--traces", type=int, default=10_000, help="of a drawn window; 0: none")
    parser.add_argument("--simulated", type=int, default=5_000, help="traces; 0: none")
    given = parser.parse_args(arguments)
    more, absent = gds_rival(Settings.from_environment(os.environ))
    print_skipped(absent)
    for title, world in drawn_worlds(given.traces, more).items():
        compare(title, world, given.seeds, given.quiet)
    if given.simulated:
        title = f"Simulated, from OTLP: {given.simulated:,} traces, {INCIDENTS} incidents"
        world = partial(simulated_trial, more=more, traces=given.simulated, incidents=INCIDENTS)
        compare(title, world, given.seeds, given.simulated_quiet)
    return 0


def print_skipped(absent: Mapping[str, str]) -> None:
    """Print which rivals cannot run here, and why."""
    for name, reason in (missing_rivals() | dict(absent)).items():
        print(f"Skipped: {name}: {reason}.\n")


def drawn_worlds(traces: int, more: Rivals) -> dict[str, World]:
    """Return the drawn worlds by title; none of no traces."""
    strengths = {"one strength a cause": 0.0, "strength by task": SPREAD} if traces else {}
    return {
        f"Drawn, {title}: {traces:,} traces, 1 to 8 incidents": partial(
            drawn_trial, more=more, traces=traces, spread=spread
        )
        for title, spread in strengths.items()
    }


def compare(title: str, world: World, seeds: int, quiet: int) -> None:
    """Print the table of one world, and who is not below graphmind in it."""
    print(
        f"## {title}\n\nSeeds 0 to {seeds - 1}; {quiet} quiet windows, seeds from {QUIET_FROM}.\n"
    )
    loud = [*_watched(partial(world, quiet=False), range(seeds))]
    silent = [*_watched(partial(world, quiet=True), range(QUIET_FROM, QUIET_FROM + quiet))]
    print(table(loud, silent), end="\n\n")
    reached = not_below(loud)
    print("Not below graphmind: " + ("; ".join(reached) if reached else "no rival") + ".\n")


def _watched(run: Callable[[int], Trial], seeds: range) -> Iterator[Trial]:
    for number, seed in enumerate(seeds, 1):
        print(f"\r{number}/{len(seeds)}", end="", file=sys.stderr)
        yield run(seed)
    print(file=sys.stderr)
