"""Injected faults of two real systems: how often the faulty service is named first.

    python -m benchmarks nezha [SYSTEM ...] [--cases]

The published files lie in ``shared/data`` beside the checkout. Every method gets the same spans,
read by graphmind's own telemetry; the design's reference reads the files itself.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.nezha.cases import DATA, SYSTEMS
from benchmarks.nezha.loading import Trial, read_trials
from benchmarks.nezha.reference import DESIGN, load_reference, reference_places
from benchmarks.nezha.scoring import Place, figures, place
from benchmarks.nezha.shared_cause import shared_cause
from benchmarks.nezha.trivial import error_surplus, time_surplus
from graphmind.analysis.localisation.ranking import localise


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
    parser.add_argument("--cases", action="store_true", help="also print the place in each case")
    given = parser.parse_args(argv)
    for system in given.systems:
        if (DATA / system).is_dir():
            measure(system, each_case=given.cases)
        else:
            print(f"{system}: skipped, no folder {system} in shared/data beside the checkout")
    return 0


def measure(system: str, *, each_case: bool) -> None:
    """Run every method on the cases of one system and print its table."""
    places: dict[str, dict[str, list[Place]]] = {name: defaultdict(list) for name in METHODS}
    seconds: dict[str, float] = defaultdict(float)
    for trial in read_trials(DATA / system):
        for name, method in METHODS.items():
            began = time.perf_counter()
            found = place(method(trial), trial)
            seconds[name] += time.perf_counter() - began
            for group in ("all", trial.case.fault):
                places[name][group].append(found)
            if each_case:
                print(f"{trial.case.name} {trial.case.fault:16} {name:16} {found}")
    if DESIGN.exists():
        places["reference"], seconds["reference"] = measure_reference(system)
    report(system, places, seconds)


def measure_reference(system: str) -> tuple[dict[str, list[Place]], float]:
    """Run the reference twice: its second run finds the files parsed, as the methods do."""
    with tempfile.TemporaryDirectory() as cache:
        module = load_reference(DATA, Path(cache))
        reference_places(module, system)
        began = time.perf_counter()
        places = reference_places(module, system)
        return places, time.perf_counter() - began


def report(
    system: str, places: Mapping[str, Mapping[str, list[Place]]], seconds: Mapping[str, float]
) -> None:
    print(f"\n{system:34}{'cases':>6}{'Acc@1':>8}{'Acc@3':>8}{'Acc@5':>8}{'MRR':>8}{'seconds':>9}")
    for method, groups in places.items():
        for group, found in sorted(groups.items()):
            row = "".join(f"{value:8.3f}" for value in figures(found).values())
            took = f"{seconds[method]:9.2f}" if group == "all" else ""
            print(f"{method:16}{group:18}{len(found):6}{row}{took}")
