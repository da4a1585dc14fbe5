"""Classes of root causes: F1 by route, learning curve, and silence on what was never seen.

    python -m benchmarks classification [--cases 20] [--test 10] [--traces 2000] [--keep FILE]

Cases come from simulated windows, taken the product's way from OTLP lines to incidents; the class
is the kind of the planted incident that most of an incident's traces were hit by. A kind of planted
incident is nearly stated by its symptom and the kind of its cause, so every table is printed again
for cases that hide the cause. ``--keep`` writes the cases to a file and reads them where it exists.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphmind_loaders import otlp_json

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Archive, Selection
from graphmind.classification.case import Case, case_from, in_order
from graphmind.classification.choice import Choice, choose
from graphmind.classification.folds import macro_f1
from graphmind.classification.judge import fit_judge
from graphmind.classification.route import Route
from graphmind.classification.routes import all_routes
from graphmind.classification.rules_file import default_rules
from graphmind.errors import SettingsError
from graphmind.jobs.analyze import examine
from graphmind.jobs.cases import case_in
from graphmind.jobs.load import load
from graphmind.jobs.settle import settle
from graphmind.jobs.window import with_lineage
from graphmind.settings import Settings
from graphmind.simulation.files import SPANS_FILE, write
from graphmind.simulation.incidents import INCIDENT_KINDS
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table

TOGETHER = 3
"""Incidents planted in one window."""
FIRST_SEED = 1
LAST_SEED = 1000
"""Where the seeds for a class end, should one of its kind be hard to plant or to find."""


def gather(wanted: int, traces: int) -> Iterator[Case]:
    """Yield labelled cases until there are enough of every kind, each from windows of its own."""
    have = Counter[str]()
    began = time.process_time()
    for seed in range(FIRST_SEED, LAST_SEED):
        scarce = sorted(INCIDENT_KINDS, key=lambda kind: (have[kind], kind))[:TOGETHER]
        if have[scarce[0]] >= wanted:
            break
        for case in window_cases(seed, tuple(scarce), traces):
            have[case.label] += 1
            if have[case.label] <= wanted:
                yield case
        spent = time.process_time() - began
        print(f"\rseed {seed}, {have.total()} cases, {spent:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)


def window_cases(seed: int, kinds: tuple[str, ...], traces: int) -> list[Case]:
    """Simulate a window, take it the product's way, and label what was found by what was planted.

    Where the platform has no targets for all of the kinds, each gets a window of its own, if any.
    """
    scenario = Scenario(seed=seed, traces=traces, incidents=len(kinds), kinds=kinds)
    with tempfile.TemporaryDirectory() as folder:
        try:
            truth = write(simulate(scenario), Path(folder))
        except SettingsError:
            alone = [(kind,) for kind in kinds] if len(kinds) > 1 else []
            return [case for kind in alone for case in window_cases(seed, kind, traces)]
        with DuckArchive(None) as archive:
            settings = Settings()
            _load(archive, Path(folder) / SPANS_FILE, settings)
            facts = with_lineage(archive.facts(Selection()))
            _, incidents, _ = examine(facts, settings)
            return list(_labelled(archive, incidents, truth, seed))


def _load(archive: Archive, spans: Path, settings: Settings) -> None:
    rejected = Rejections()
    with spans.open("rb") as stream:
        load(
            otlp_json.read(stream, rejected),
            archive,
            settings,
            table=default_table(),
            rejected=rejected,
            now_ns=time.time_ns(),
        )
    settle(archive, settings, rejected)


def _labelled(
    archive: Archive, incidents: list[dict[str, Any]], truth: dict[str, Any], seed: int
) -> Iterator[Case]:
    for incident in incidents:
        own = set(incident["trace_ids"])
        named = incident | {"incident_id": f"{seed}-{incident['incident_id']}"}
        for planted in truth["incidents"]:
            hit = own & {*planted["trace_ids"], *planted["mended_trace_ids"]}
            if 2 * len(hit) > len(own):
                yield case_in(archive, named).labelled(planted["kind"])
                break


# ----------------------------------------------------------------------------------------- tables


def split(cases: Sequence[Case], test: int) -> tuple[list[Case], list[Case]]:
    """Keep the last cases of every class, those of the latest windows, for testing."""
    by_label = defaultdict(list)
    for case in cases:
        by_label[case.label].append(case)
    train = [case for own in by_label.values() for case in own[: len(own) - test]]
    return train, [case for own in by_label.values() for case in own[len(own) - test :]]


def first_of_each(cases: Sequence[Case], count: int) -> tuple[Case, ...]:
    have = Counter[str]()
    kept = []
    for case in cases:
        have[case.label] += 1
        if have[case.label] <= count:
            kept.append(case)
    return in_order(kept)


def report(title: str, train: Sequence[Case], test: Sequence[Case], sizes: Iterable[int]) -> None:
    routes = all_routes(default_rules())
    print(f"\n{title}: macro F1 on {len(test)} cases of other windows")
    print(f"{'cases a class':24} " + " ".join(f"{route.name:>23}" for route in routes))
    choices = []
    for size in sizes:
        known = first_of_each(train, size)
        began = time.process_time()
        choice = choose(routes, known)
        choices.append((size, known, choice, time.process_time() - began))
        scores = [_test_f1(route, known, test) for route in routes]
        print(f"{size:<24} " + " ".join(f"{score:23.3f}" for score in scores))
        print(f"{'  in cross-validation':24} " + _f1_line(routes, choice))
    report_answers(choices, test, routes)
    report_strangers(choices[-1], test, routes)


def _f1_line(routes: Sequence[Route], choice: Choice) -> str:
    shown = (f"{choice.f1[route.name]:.3f}" if choice.f1 else "-" for route in routes)
    return " ".join(f"{score:>23}" for score in shown)


def _test_f1(route: Route, known: Sequence[Case], test: Sequence[Case]) -> float:
    fitted = route.fit(known)
    said = [fitted.candidates(case) for case in test]
    labels = [guesses[0].label if guesses else "" for guesses in said]
    return macro_f1([case.label for case in test], labels)


Made = tuple[int, tuple[Case, ...], Choice, float]
"""Cases a class, the cases, what was chosen by them, and the seconds that took."""


def report_answers(choices: Sequence[Made], test: Sequence[Case], routes: Sequence[Route]) -> None:
    print(
        f"\n{'cases a class':14} {'primary':24} {'answered':>8} {'right':>6} {'ECE':>6} "
        f"{'choice s':>8}"
    )
    for size, known, choice, seconds in choices:
        sure, right = _answers(known, choice, test, routes)
        given = [
            own
            for own, level in zip(right, sure, strict=True)
            if level >= choice.calibration.threshold
        ]
        print(
            f"{size:<14} {choice.route:24} {len(given) / len(test):8.2f} {_share(given):6.2f} "
            f"{expected_error(sure, right):6.2f} {seconds:8.1f}"
        )


def _answers(
    known: Sequence[Case], choice: Choice, test: Sequence[Case], routes: Sequence[Route]
) -> tuple[list[float], list[bool]]:
    """Return how sure the first candidate is, 0 where there is none, and whether it is right."""
    judge = fit_judge(next(route for route in routes if route.name == choice.route), known)
    weighed = [judge.weigh(case) for case in test]
    sure = [choice.calibration.confidence(own[0].signs) if own else 0.0 for own in weighed]
    right = [
        bool(own) and own[0].guess.label == case.label
        for own, case in zip(weighed, test, strict=True)
    ]
    return sure, right


def report_strangers(made: Made, test: Sequence[Case], routes: Sequence[Route]) -> None:
    """Leave each class out of the cases, and ask for its test cases: silence is right."""
    size, known, choice, _ = made
    primary = [route for route in routes if route.name == choice.route]
    asked = Counter[str]()
    answered = Counter[str]()
    for label in sorted({case.label for case in test}):
        others = tuple(case for case in known if case.label != label)
        chosen = choose(primary, others)
        own = [case for case in test if case.label == label]
        sure, _ = _answers(others, chosen, own, routes)
        asked[label] = len(own)
        answered[label] = sum(level >= chosen.calibration.threshold for level in sure)
    silent = 1 - answered.total() / asked.total()
    print(f"\nclasses never seen ({size} cases of each other class): silent on {silent:.2f}")
    for label, count in answered.most_common():
        if count:
            print(f"  {label:20} answered {count} of {asked[label]}")


def expected_error(sure: Sequence[float], right: Sequence[bool]) -> float:
    """Return the expected calibration error over ten bins of equal width (Guo et al. 2017)."""
    bins = defaultdict(list)
    for level, own in zip(sure, right, strict=True):
        bins[min(int(level * 10), 9)].append((level, own))
    gaps = (abs(sum(level - own for level, own in rows)) for rows in bins.values())
    return sum(gaps) / max(len(sure), 1)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def without_cause(case: Case) -> Case:
    """Hide what the analysis found out about the cause."""
    kept = tuple(number for number in case.numbers if not number.name.startswith("cause "))
    return replace(case, cause_kinds=(), numbers=kept)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="classification", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--cases", type=int, default=20, help="cases of a class to learn from")
    parser.add_argument("--test", type=int, default=10, help="cases of a class to test with")
    parser.add_argument("--traces", type=int, default=2000, help="traces of a window")
    parser.add_argument("--keep", type=Path, help="file of the cases, written if not there")
    given = parser.parse_args(arguments)
    if given.keep and given.keep.exists():
        cases = [case_from(json.loads(line)) for line in given.keep.read_text().splitlines()]
    else:
        cases = list(gather(given.cases + given.test, given.traces))
        if given.keep:
            lines = (json.dumps(case.document()) for case in cases)
            given.keep.write_text("\n".join(lines))
    train, test = split(cases, given.test)
    sizes = sorted({size for size in (5, 10, 20) if size < given.cases} | {given.cases})
    report("all that is known", train, test, sizes)
    blind, asked = ([without_cause(case) for case in own] for own in (train, test))
    report("cause hidden", blind, asked, sizes[-1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
