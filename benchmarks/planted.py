"""Shared causes on simulated windows: right cause, right traces, and silence where all is well.

    python -m benchmarks planted [--seeds 20] [--quiet 100] [--traces 5000] [--incidents 3]
                                 [--kind KIND]... [--misses] [--each] [--hard] [--sampled]
                                 [--decoys] [--confounded] [--effects] [--hidden] [--restless]

Every window is simulated, written as OTLP JSON lines, loaded, settled and examined as the product
does it; only the graph is not written. The baselines see the same window. ``--each`` measures the
ordinary windows and then every variation by itself, a line each, without baselines.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from graphmind_loaders import otlp_json
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.rivals.clustering import louvain_similarity
from benchmarks.rivals.methods import RANKERS
from benchmarks.rivals.ranking import at_once
from benchmarks.rivals.view import view_before_symptom
from benchmarks.scoring import (
    Found,
    Planted,
    adjusted_rand,
    calibration_error,
    is_part,
    is_right,
    rank_of,
    trace_labels,
)
from graphmind.analysis.window import window_from_facts
from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.jobs.analyze import examine
from graphmind.jobs.load import load
from graphmind.jobs.settle import settle
from graphmind.jobs.window import with_lineage
from graphmind.settings import Settings
from graphmind.simulation.files import SPANS_FILE, write
from graphmind.simulation.incidents import HIDDEN
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table

QUIET_FROM = 100_000
"""First seed of the quiet windows: other platforms than those with incidents."""
OURS = "graphmind"
VARIATIONS: Mapping[str, Mapping[str, Any]] = {
    "hard": {"strength_spread": 0.8},
    "sampled": {"healthy_share": 0.1},
    "decoys": {"decoys": True},
    "confounded": {"confounded": True},
    "effects": {"effects": True},
    "hidden": {"hidden": 1},
    "restless": {"restless": True},
}
"""What each variation changes in a scenario; its fields say what that means."""
HEAD = (
    f"{'method':20} {'Acc@1':>7} {'Acc@3':>7} {'Acc@5':>7} {'precision':>18} {'in part':>8}"
    f" {'ARI':>6} {'AMI':>6} {'ECE':>6}"
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One window: what was planted, and what each method found."""

    seed: int
    planted: tuple[Planted, ...]
    found: dict[str, tuple[Found, ...]]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="planted", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="windows with incidents")
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--quiet", type=int, default=100, help="windows without")
    parser.add_argument("--traces", type=int, default=5000)
    parser.add_argument("--incidents", type=int, default=3)
    parser.add_argument("--kind", action="append", help="plant only these kinds")
    parser.add_argument("--misses", action="store_true", help="show what was missed")
    parser.add_argument("--each", action="store_true", help="every variation by itself")
    for name in VARIATIONS:
        parser.add_argument(f"--{name}", action="store_true", help="see graphmind/simulation")
    given = parser.parse_args(arguments)
    if given.each:
        print(HEAD)
        for name in ("ordinary", *VARIATIONS):
            loud, quiet = _run(given, VARIATIONS.get(name, {}))
            print(f"{name:20} {_accuracy_line(loud, OURS)} {_false_line(quiet, OURS)}", flush=True)
        return 0
    chosen = [changes for name, changes in VARIATIONS.items() if getattr(given, name)]
    loud, quiet = _run(given, {key: value for each in chosen for key, value in each.items()})
    report_loud(loud)
    report_quiet(quiet)
    return 0


def _run(
    given: argparse.Namespace, changes: Mapping[str, Any]
) -> tuple[list[Outcome], list[Outcome]]:
    """Run the windows with incidents and those without, with some changes to the scenario."""
    kinds = tuple(given.kind) if given.kind else None
    ordinary = Scenario(seed=0, traces=given.traces, incidents=given.incidents, kinds=kinds)
    loud = (
        replace(ordinary, seed=seed, **changes)
        for seed in range(given.first, given.first + given.seeds)
    )
    quiet = (
        replace(ordinary, seed=seed, quiet=True, **{**changes, "hidden": 0})
        for seed in range(QUIET_FROM, QUIET_FROM + given.quiet)
    )
    return (
        list(_watched(loud, given.seeds, given)),
        list(_watched(quiet, given.quiet, given)),
    )


def _watched(
    scenarios: Iterable[Scenario], total: int, given: argparse.Namespace
) -> Iterator[Outcome]:
    began = time.monotonic()
    for number, scenario in enumerate(scenarios, 1):
        outcome = run_window(scenario, baselines=not given.each)
        print(f"\r{number}/{total} {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
        if given.misses:
            print_misses(outcome)
        yield outcome
    print(file=sys.stderr)


# ------------------------------------------------------------------------------------- one window


def run_window(scenario: Scenario, *, baselines: bool) -> Outcome:
    """Simulate a window, take it the product's way, and give the baselines the same facts."""
    with tempfile.TemporaryDirectory() as folder:
        truth = write(simulate(scenario), Path(folder))
        settings = Settings(data_dir=Path(folder) / "store")
        facts = read_facts(Path(folder) / SPANS_FILE, settings)
    _, incidents, _ = examine(facts, settings)
    found = {OURS: tuple(found_from(incident) for incident in incidents if incident["causes"])}
    if baselines:
        found |= _baselines(facts, scenario)
    return Outcome(
        seed=scenario.seed,
        planted=tuple(planted_from(incident) for incident in truth["incidents"]),
        found=found,
    )


def _baselines(facts: Facts, scenario: Scenario) -> dict[str, tuple[Found, ...]]:
    """Run two rivals, of all that ``python -m benchmarks comparison`` holds beside the method."""
    view = view_before_symptom(window_from_facts(facts), facts.traces["trace_id"].to_pylist())
    ranked = at_once(RANKERS["failure-rate ratio"])(view, scenario.planted)
    return {
        "louvain + Ochiai": tuple(louvain_similarity(view)),
        "failure-rate ratio": tuple(ranked),
    }


def read_facts(spans: Path, settings: Settings) -> Facts:
    """Load OTLP JSON lines and derive their facts, as the product does."""
    rejected = Rejections()
    with DuckArchive(settings.data_dir) as archive, spans.open("rb") as stream:
        batches = otlp_json.read(stream, rejected)
        load(
            batches,
            archive,
            settings,
            table=default_table(),
            rejected=rejected,
            now_ns=time.time_ns(),
        )
        settle(archive, settings, rejected)
        return with_lineage(archive.facts(Selection()))


def planted_from(incident: dict[str, Any]) -> Planted:
    """Read one incident of ``truth.json``."""
    explanations = (incident["all_of"], incident["same_as"])
    return Planted(
        kind=incident["kind"],
        explanations=frozenset(_items(items) for items in explanations if items),
        traces=frozenset(incident["trace_ids"]),
        mended=frozenset(incident["mended_trace_ids"]),
    )


def found_from(incident: dict[str, Any]) -> Found:
    """Take causes by rank, then what the first cause had to beat."""
    causes = incident["causes"]
    ranked = [
        frozenset(_items(items) for items in (cause["all_of"], *cause["tied"])) for cause in causes
    ]
    rivals = [frozenset({_items(rival["all_of"])}) for rival in causes[0]["rivals"]]
    return Found(
        explanations=(*ranked, *rivals),
        traces=frozenset(incident["trace_ids"]),
        confidence=incident["confidence"],
    )


def _items(items: list[dict[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((item["kind"], item["name"]) for item in items)


# ----------------------------------------------------------------------------------------- tables


def report_loud(outcomes: Sequence[Outcome]) -> None:
    """Print accuracy by method, then by kind of incident."""
    if not outcomes:
        return
    print(HEAD)
    for method in outcomes[0].found:
        print(f"{method:20} {_accuracy_line(outcomes, method)}")
    print(f"\n{'kind (graphmind)':20} {'planted':>7} {'Acc@1':>7} {'Acc@3':>7} {'failures':>9}")
    ranks: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for outcome in outcomes:
        for planted in outcome.planted:
            rank = rank_of(planted, outcome.found[OURS])
            ranks[planted.kind].append((rank, len(planted.traces)))
    for kind, own in sorted(ranks.items()):
        first, third = (_share(rank <= limit for rank, _ in own) for limit in (1, 3))
        failures = sum(size for _, size in own) / len(own)
        print(f"{kind:20} {len(own):7} {first:7.2f} {third:7.2f} {failures:9.0f}")


def _accuracy_line(outcomes: Sequence[Outcome], method: str) -> str:
    """Write every measure; a cause that no attribute records cannot be named and is not asked."""
    ranks = [
        rank_of(incident, outcome.found[method])
        for outcome in outcomes
        for incident in outcome.planted
        if incident.kind != HIDDEN
    ]
    reports = [(report, o.planted) for o in outcomes for report in o.found[method]]
    right = [is_right(report, planted) for report, planted in reports]
    part = _share(is_part(report, planted) for report, planted in reports)
    labels = [trace_labels(o.planted, o.found[method]) for o in outcomes]
    stated = [
        (report.confidence, fits)
        for (report, _), fits in zip(reports, right, strict=True)
        if report.confidence is not None
    ]
    accuracy = " ".join(f"{_share(rank <= limit for rank in ranks):7.3f}" for limit in (1, 3, 5))
    precision = f"{_share(right):.3f} ({sum(right)}/{len(right)})"
    rand = fmean(adjusted_rand(*each) for each in labels)
    information = fmean(adjusted_mutual_info_score(*each) for each in labels)
    error = f"{calibration_error(stated):6.3f}" if stated else f"{'':6}"
    return f"{accuracy} {precision:>18} {part:8.3f} {rand:6.3f} {information:6.3f} {error}"


def _false_line(quiet: Sequence[Outcome], method: str) -> str:
    return f"quiet: {sum(bool(outcome.found[method]) for outcome in quiet)} of {len(quiet)}"


def report_quiet(outcomes: Sequence[Outcome]) -> None:
    """Print in how many quiet windows each method reports an incident."""
    if not outcomes:
        return
    print("\nquiet windows with a report")
    for method in outcomes[0].found:
        print(f"{method:20} {_false_line(outcomes, method)}")


def print_misses(outcome: Outcome) -> None:
    """Print what graphmind missed in a window, and what it reported instead."""
    found = outcome.found[OURS]
    for planted in outcome.planted:
        rank = rank_of(planted, found)
        if rank > 1:
            print(f"seed {outcome.seed}: {planted.kind} ranked {rank}: {_text(planted)}")
    for report in found:
        if not is_right(report, outcome.planted):
            print(f"seed {outcome.seed}: reported {_text(report)}")


def _text(group: Planted | Found) -> str:
    tied = group.explanations if isinstance(group, Planted) else group.explanations[0]
    items = min(tied, key=sorted)
    return f"{' + '.join(' '.join(item) for item in sorted(items))}, {len(group.traces)} traces"


def _share(flags: Iterable[bool]) -> float:
    counted = [*flags]
    return sum(counted) / len(counted) if counted else 0.0


if __name__ == "__main__":
    sys.exit(main())
