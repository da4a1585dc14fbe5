"""Alerts of three systems with injected faults: how often the faulty instance is named first.

    python -m benchmarks tvdiag [SYSTEM ...]

The published alerts lie in ``shared/data`` beside the checkout. Nothing is trained on labels: all
incidents of a system are scored together, or (``past only``) each with those before it.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from benchmarks.public.folder import DATA, present
from benchmarks.public.places import Place, place
from benchmarks.public.tables import print_places
from benchmarks.tvdiag.cases import Case, read_cases
from graphmind.analysis.localisation.alerts import (
    Incident,
    localise_alerts,
    score_rarity,
    score_together,
    without_details,
)

FOLDER = DATA / "tvdiag-events"
SYSTEMS = ("gaia", "sockshop", "hotel")
REFERENCE = {
    "gaia": {"design's reference, the best of three": 0.425},
    "sockshop": {"design's reference, the best of three": 0.665},
    "hotel": {"design's reference, the best of three": 0.770},
}
"""From the design's localisation.md, which chose among rarity, past only and EM by system. The
authors of the sets train on half of the labels, which is another question."""
REFITS = 20
"""Incidents between two fits of ``past only``."""

Scores = list[dict[str, float]]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tvdiag", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("systems", nargs="*", default=SYSTEMS, metavar="SYSTEM")
    given = parser.parse_args(arguments)
    if present(FOLDER):
        for system in given.systems:
            measure(system, read_cases(FOLDER / system))
    return 0


def measure(system: str, cases: Sequence[Case]) -> None:
    """Score all cases by each method and print their table."""
    incidents = [case.incident for case in cases]
    places: dict[str, list[Place]] = {}
    seconds = {}
    for name, method in METHODS.items():
        began = time.process_time()
        scores = method(incidents)
        seconds[name] = time.process_time() - began
        places[name] = [
            place(found, case.culprit, case.incident.instances)
            for found, case in zip(scores, cases, strict=True)
        ]
    named = Counter(case.culprit for case in cases)
    # Not available without labels: what a guess that knows the most frequent culprit reaches.
    places["always the most frequent culprit (told)"] = [
        place(named, case.culprit, case.incident.instances) for case in cases
    ]
    print_places(f"tvdiag {system}", places, REFERENCE[system], seconds)
    by_fault: Mapping[str, list[Place]] = defaultdict(list)
    for case, found in zip(cases, places["localisation"], strict=True):
        by_fault[f"  {case.fault}"].append(found)
    print_places(f"tvdiag {system}, localisation by fault", dict(sorted(by_fault.items())))


def _past_only(incidents: Sequence[Incident]) -> Scores:
    """Score incidents with those before them; a batch of REFITS is scored at once."""
    scores: Scores = []
    for start in range(0, len(incidents), REFITS):
        upto = incidents[: start + REFITS]
        scores += localise_alerts(upto)[start:]
    return scores


def _rarity(incidents: Sequence[Incident]) -> Scores:
    return [score_rarity(incident, incidents) for incident in incidents]


def _most_alerts(incidents: Sequence[Incident]) -> Scores:
    return [
        {name: float(n) for name, n in Counter(alert.instance for alert in each.alerts).items()}
        for each in incidents
    ]


METHODS: dict[str, Callable[[Sequence[Incident]], Scores]] = {
    "localisation": localise_alerts,
    "localisation, past only": _past_only,
    "rarity alone": _rarity,
    "EM alone": lambda incidents: score_together([without_details(each) for each in incidents]),
    "most alerts": _most_alerts,
}
