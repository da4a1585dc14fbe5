"""Shared causes on simulated windows: right cause, right traces, and silence where all is well.

    python -m benchmarks planted [--seeds 20] [--quiet 100] [--traces 5000] [--incidents 3]
                                 [--kind KIND]... [--misses]

Every window is simulated, written as OTLP JSON lines, loaded, settled and examined as the product
does it; only the graph is not written. The baselines see the same window.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphmind_loaders import otlp_json

from benchmarks.rivals.clustering import louvain_similarity
from benchmarks.rivals.methods import RANKERS
from benchmarks.rivals.ranking import at_once
from benchmarks.rivals.view import view_before_symptom
from benchmarks.scoring import Found, Planted, is_part, is_right, rank_of, trace_agreement
from graphmind.analysis.window import window_from_facts
from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.jobs.analyze import examine
from graphmind.jobs.load import load
from graphmind.jobs.settle import settle
from graphmind.jobs.window import with_lineage
from graphmind.settings import Settings
from graphmind.simulation.files import SPANS_FILE, write
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table

QUIET_FROM = 100_000
"""First seed of the quiet windows: other platforms than those with incidents."""


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
    given = parser.parse_args(arguments)
    kinds = tuple(given.kind) if given.kind else None
    loud = (
        Scenario(seed=seed, traces=given.traces, incidents=given.incidents, kinds=kinds)
        for seed in range(given.first, given.first + given.seeds)
    )
    quiet = (
        Scenario(seed=seed, traces=given.traces, quiet=True)
        for seed in range(QUIET_FROM, QUIET_FROM + given.quiet)
    )
    report_loud(list(_watched(loud, given.seeds, misses=given.misses)))
    report_quiet(list(_watched(quiet, given.quiet, misses=given.misses)))
    return 0


def _watched(scenarios: Iterable[Scenario], total: int, *, misses: bool) -> Iterator[Outcome]:
    began = time.monotonic()
    for number, scenario in enumerate(scenarios, 1):
        outcome = run_window(scenario)
        print(f"\r{number}/{total} {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
        if misses:
            print_misses(outcome)
        yield outcome
    print(file=sys.stderr)


# ------------------------------------------------------------------------------------- one window


def run_window(scenario: Scenario) -> Outcome:
    """Simulate a window, take it the product's way, and give the baselines the same facts."""
    with tempfile.TemporaryDirectory() as folder:
        truth = write(simulate(scenario), Path(folder))
        settings = Settings(data_dir=Path(folder) / "store")
        facts = read_facts(Path(folder) / SPANS_FILE, settings)
    _, incidents, _ = examine(facts, settings)
    view = view_before_symptom(window_from_facts(facts), facts.traces["trace_id"].to_pylist())
    return Outcome(
        seed=scenario.seed,
        planted=tuple(planted_from(incident) for incident in truth["incidents"]),
        found={
            "graphmind": tuple(
                found_from(incident) for incident in incidents if incident["causes"]
            ),
            "louvain + Ochiai": tuple(louvain_similarity(view)),
            "failure-rate ratio": tuple(
                at_once(RANKERS["failure-rate ratio"])(view, scenario.planted)
            ),
        },
    )


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
    return Found(explanations=(*ranked, *rivals), traces=frozenset(incident["trace_ids"]))


def _items(items: list[dict[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((item["kind"], item["name"]) for item in items)


# ----------------------------------------------------------------------------------------- tables


def report_loud(outcomes: Sequence[Outcome]) -> None:
    """Print accuracy by method, then by kind of incident."""
    if not outcomes:
        return
    print(f"{'method':20} {'Acc@1':>7} {'Acc@3':>7} {'precision':>10} {'in part':>8} {'ARI':>6}")
    for method in outcomes[0].found:
        print(f"{method:20} {_accuracy_line(outcomes, method)}")
    print(f"\n{'kind (graphmind)':20} {'planted':>7} {'Acc@1':>7} {'Acc@3':>7} {'failures':>9}")
    ranks: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for outcome in outcomes:
        for planted in outcome.planted:
            rank = rank_of(planted, outcome.found["graphmind"])
            ranks[planted.kind].append((rank, len(planted.traces)))
    for kind, own in sorted(ranks.items()):
        first, third = (_share(rank <= limit for rank, _ in own) for limit in (1, 3))
        failures = sum(size for _, size in own) / len(own)
        print(f"{kind:20} {len(own):7} {first:7.2f} {third:7.2f} {failures:9.0f}")


def _accuracy_line(outcomes: Sequence[Outcome], method: str) -> str:
    ranks = [rank_of(p, o.found[method]) for o in outcomes for p in o.planted]
    reports = [(report, o.planted) for o in outcomes for report in o.found[method]]
    first, third = (_share(rank <= limit for rank in ranks) for limit in (1, 3))
    right = _share(is_right(report, planted) for report, planted in reports)
    part = _share(is_part(report, planted) for report, planted in reports)
    agreement = [trace_agreement(o.planted, o.found[method]) for o in outcomes]
    mean = sum(agreement) / len(agreement)
    return f"{first:7.3f} {third:7.3f} {right:10.3f} {part:8.3f} {mean:6.3f}"


def report_quiet(outcomes: Sequence[Outcome]) -> None:
    """Print in how many quiet windows each method reports an incident."""
    if not outcomes:
        return
    print(f"\n{'quiet windows':20} {'with a report':>13}")
    for method in outcomes[0].found:
        false = sum(bool(outcome.found[method]) for outcome in outcomes)
        print(f"{method:20} {false:6} of {len(outcomes)}")


def print_misses(outcome: Outcome) -> None:
    """Print what graphmind missed in a window, and what it reported instead."""
    found = outcome.found["graphmind"]
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
