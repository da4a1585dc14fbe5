"""Injected faults of two real systems: how often the faulty service is named first.

    python -m benchmarks nezha [SYSTEM ...] [--cases] [--thin]

The published files lie in ``shared/data`` beside the checkout. Every method gets the same spans,
read by graphmind's own telemetry; the design's reference reads the files itself.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.nezha.cases import SYSTEMS
from benchmarks.nezha.loading import Trial, read_trials
from benchmarks.nezha.reference import DESIGN, load_reference, reference_places
from benchmarks.nezha.shared_cause import shared_cause
from benchmarks.nezha.trivial import error_surplus, time_surplus
from benchmarks.nezha.variants import measure_variants
from benchmarks.public.folder import DATA, present
from benchmarks.public.places import Place, place
from benchmarks.public.tables import print_places
from graphmind.analysis.localisation.ranking import localise

PUBLISHED = {
    "nezha-trainticket": {"Nezha, its own code on these cases": 0.783},
    "nezha-onlineboutique": {"Nezha, its own code on these cases": 0.960},
}
"""From the design's localisation.md."""


def localisation(trial: Trial) -> dict[str, float]:
    ranking = localise(trial.window, trial.references)
    return {suspect.service: suspect.score for suspect in ranking.suspects}


METHODS = {
    "localisation": localisation,
    "shared cause": shared_cause,
    "ERROR surplus": error_surplus,
    "time surplus": time_surplus,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="nezha", description=__doc__.splitlines()[0])
    parser.add_argument("systems", nargs="*", default=SYSTEMS, metavar="SYSTEM")
    parser.add_argument("--cases", action="store_true", help="also the place in each case")
    parser.add_argument(
        "--thin", action="store_true", help="fewer traces, worse references instead"
    )
    given = parser.parse_args(argv)
    for system in given.systems:
        if present(DATA / system):
            trials = list(read_trials(DATA / system))
            if given.thin:
                print_places(system, measure_variants(trials, localisation))
            else:
                measure(system, trials, each_case=given.cases)
    return 0


def measure(system: str, trials: Sequence[Trial], *, each_case: bool) -> None:
    """Run every method on the cases of one system and print its tables."""
    places: dict[str, list[Place]] = {name: [] for name in METHODS}
    by_fault: dict[str, list[Place]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    for trial in trials:
        for name, method in METHODS.items():
            began = time.process_time()
            scores = method(trial)
            seconds[name] += time.process_time() - began
            found = place(scores, trial.case.culprit, trial.services)
            places[name].append(found)
            if name == "localisation":
                by_fault[f"  {trial.case.fault}"].append(found)
            if each_case:
                print(f"{trial.case.name} {trial.case.fault:16} {name:16} {found}")
    if DESIGN.exists():
        places["reference"], seconds["reference"] = measure_reference(system)
    print_places(system, places, PUBLISHED[system], seconds)
    print_places(f"{system}, localisation by fault", dict(sorted(by_fault.items())))


def measure_reference(system: str) -> tuple[list[Place], float]:
    """Run the reference twice: its second run finds the files parsed, as the methods do."""
    with tempfile.TemporaryDirectory() as cache:
        module = load_reference(DATA, Path(cache))
        reference_places(module, system)
        began = time.process_time()
        places = reference_places(module, system)
        return places, time.process_time() - began
