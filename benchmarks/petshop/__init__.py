"""Issues of a shop on a cloud platform: how often the faulty node of the call graph comes first.

    python -m benchmarks petshop [--cases]

The published series lie in ``shared/data`` beside the checkout: per node and five minutes the
requests, latency and availability, and an alarm at the front.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from benchmarks.petshop.issues import LOADS, Issue, read_issues
from benchmarks.public.folder import DATA, present
from benchmarks.public.places import Place, place
from benchmarks.public.tables import print_places
from graphmind.analysis.localisation.call_graph import NodeTotals, localise_nodes

FOLDER = DATA / "petshop"
PUBLISHED = {"best of the set's paper, 52 issues": 0.654, "design's reference, these issues": 1.0}
"""From the design's localisation.md."""

Scores = Mapping[str, float]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="petshop", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", action="store_true", help="also the place in each issue")
    given = parser.parse_args(arguments)
    if present(FOLDER):
        issues = [issue for load in LOADS for issue in read_issues(FOLDER / "dataset", load)]
        measure(issues, each_case=given.cases)
    return 0


def measure(issues: Sequence[Issue], *, each_case: bool) -> None:
    """Run every method on all issues and print the tables."""
    places: dict[str, list[Place]] = {name: [] for name in METHODS}
    groups: dict[str, list[Place]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    for issue in issues:
        for name, method in METHODS.items():
            began = time.process_time()
            scores = method(issue)
            seconds[name] += time.process_time() - began
            found = place(scores, issue.culprit, issue.callees)
            places[name].append(found)
            if name == "localisation":
                groups[f"  {issue.metric}"].append(found)
            if each_case:
                print(f"{issue.name:24} {issue.metric:14} {name:30} {found}")
    print_places("petshop", places, PUBLISHED, seconds)
    print_places("petshop, localisation by alarm", dict(sorted(groups.items())))
    print_places("petshop, localisation made harder", dict(_harder(issues)))


def _harder(issues: Sequence[Issue]) -> Iterator[tuple[str, list[Place]]]:
    """Yield the places with less to compare with, and with less of the issue."""
    for name, reference, window in (
        ("the last day of normal operation only", slice(-288, None), slice(None)),
        ("the first day of normal operation only", slice(288), slice(None)),
        ("the last two hours of it only", slice(-24, None), slice(None)),
        ("the first ten minutes of the issue only", slice(None), slice(2)),
    ):
        yield (
            name,
            [
                place(_localised(_cut(issue, reference, window)), issue.culprit, issue.callees)
                for issue in issues
            ],
        )


def _cut(issue: Issue, reference: slice, window: slice) -> Issue:
    parts = (
        {
            node: NodeTotals(requests=each.requests[rows], cost=each.cost[rows])
            for node, each in totals.items()
        }
        for totals, rows in ((issue.reference, reference), (issue.window, window))
    )
    cut_reference, cut_window = parts
    return Issue(
        name=issue.name,
        metric=issue.metric,
        alarmed=issue.alarmed,
        culprit=issue.culprit,
        callees=issue.callees,
        reference=cut_reference,
        window=cut_window,
    )


def _localised(issue: Issue) -> Scores:
    suspects = localise_nodes(issue.callees, issue.reference, issue.window, alarmed=issue.alarmed)
    return {suspect.node: suspect.score for suspect in suspects}


def _uncoupled(issue: Issue) -> Scores:
    suspects = localise_nodes(issue.callees, issue.reference, issue.window)
    return {suspect.node: suspect.score for suspect in suspects}


def _surplus(issue: Issue) -> Scores:
    """Score nodes by their cost beyond normal operation's, callees' included."""
    return {
        node: float(issue.window[node].cost.mean() - issue.reference[node].cost.mean())
        for node in issue.reference.keys() & issue.window.keys()
    }


def _ratio(issue: Issue) -> Scores:
    """Score nodes by how many times a request costs what it does in normal operation."""
    return {
        node: _per_request(issue.window[node]) / max(_per_request(issue.reference[node]), 1e-9)
        for node in issue.reference.keys() & issue.window.keys()
    }


def _per_request(totals: NodeTotals) -> float:
    return float(totals.cost.sum() / max(np.sum(totals.requests), 1.0))


METHODS: dict[str, Callable[[Issue], Scores]] = {
    "localisation": _localised,
    "localisation without coupling": _uncoupled,
    "largest surplus": _surplus,
    "largest ratio": _ratio,
}
