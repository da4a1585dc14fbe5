"""Classes of root causes on real alerts: the failure types of TVDiag's three systems, F1 by route.

    python -m benchmarks failure_types [--folder ../shared/data/tvdiag-events]

Trained on the authors' training rows, tested on their test rows; only the rows in the folder. An
alert names an instance, which is left out: what fails is told by what was alerted and how. There
are no span trees in these sets, so structure is the alerts as they are: calls by whether they stay
in one instance, metrics whole. The injection's own message is not read.
"""

import argparse
import csv
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.classification import report_answers
from graphmind.classification.case import Case, features_of, in_order, lines_of
from graphmind.classification.choice import choose
from graphmind.classification.folds import macro_f1
from graphmind.classification.routes import all_routes
from graphmind.classification.rules_file import default_rules

FOLDER = Path("../shared/data/tvdiag-events")
SYSTEMS = ("gaia", "sockshop", "hotel")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="failure_types", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        print(f"skipped: no folder {given.folder}; name one with --folder")
        return 0
    for system in SYSTEMS:
        report(system, *read(given.folder / system))
    return 0


def report(system: str, train: Sequence[Case], test: Sequence[Case]) -> None:
    routes = all_routes(default_rules())
    known = in_order(train)
    choice = choose(routes, known)
    counts = Counter(case.label for case in known)
    print(f"\n{system}: {len(known)} training cases of {len(counts)} types, {len(test)} test cases")
    print(f"{'route':24} {'cross-validation':>16} {'test macro F1':>14} {'test accuracy':>14}")
    for route in routes:
        fitted = route.fit(known)
        said = [guesses[0].label if (guesses := fitted.candidates(c)) else "" for c in test]
        truth = [case.label for case in test]
        right = sum(a == b for a, b in zip(truth, said, strict=True)) / len(test)
        checked = f"{choice.f1[route.name]:.3f}" if choice.f1 else "-"
        print(f"{route.name:24} {checked:>16} {macro_f1(truth, said):14.3f} {right:14.3f}")
    usual = counts.most_common(1)[0][0]
    print(
        f"{'most frequent type':24} {'':16} {_f1_of(usual, test):14.3f} "
        f"{sum(case.label == usual for case in test) / len(test):14.3f}"
    )
    report_answers([(min(counts.values()), known, choice, 0.0)], test, routes)


def _f1_of(label: str, test: Sequence[Case]) -> float:
    return macro_f1([case.label for case in test], [label] * len(test))


def read(folder: Path) -> tuple[list[Case], list[Case]]:
    """Return the training and the test cases of one system."""
    traces, metrics, logs = (
        json.loads(gzip.decompress((folder / f"{name}.json.gz").read_bytes()))
        for name in ("traces", "metrics", "logs")
    )
    parts: dict[str, list[Case]] = {"train": [], "test": []}
    with (folder / "label.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            index = row["index"]
            own = (traces.get(index, []), metrics.get(index, []), logs.get(index, []))
            parts[row["data_type"]].append(_case(index, row["anomaly_type"], *own))
    return parts["train"], parts["test"]


def _case(index: str, label: str, calls: list[Any], metrics: list[Any], logs: list[Any]) -> Case:
    kinds = Counter("slow" if kind == "PD" else "error" for *_, kind in calls)
    alerted = {place for place, *_ in metrics}
    return Case(
        case_id=index,
        symptom=kinds.most_common(1)[0][0] if kinds else "",
        cause_kinds=(),
        codes=_shares(kind for *_, kind in calls if kind != "PD"),
        lines=lines_of(
            _weights(f"{_words(kpi)} {way}" for *_, kpi, way in metrics)
            | _weights(f"log {_letters(template)}" for _, template in logs)
            | _weights(f"call {kind} {name}" for _, _, name, kind in calls)
        ),
        structure=features_of(
            _weights(f"{_hop(a, b)} {kind}" for a, b, _, kind in calls)
            | _weights(f"metric {kpi} {way}" for *_, kpi, way in metrics)
        ),
        numbers=features_of(
            {f"calls {kind}": float(count) for kind, count in kinds.items()}
            | {
                "metrics": float(len(metrics)),
                "logs": float(len(logs)),
                "instances": float(len(alerted)),
            }
        ),
        label=label,
    )


def _words(kpi: str) -> str:
    return kpi.replace("_", " ")


def _letters(template: str) -> str:
    """Spell the number that stands for a log template: words are made of letters."""
    number = template.rpartition("-")[2]
    return "".join(chr(ord("a") + int(digit)) for digit in number)


def _hop(caller: str, callee: str) -> str:
    if caller == "-1":
        return "entry"
    return "inner" if caller == callee else "call"


def _weights(names: Iterable[str]) -> dict[str, float]:
    """Return the share of the most frequent name's count."""
    counts = Counter(names)
    most = max(counts.values(), default=1)
    return {name: count / most for name, count in counts.items()}


def _shares(codes: Iterable[str]) -> tuple[Any, ...]:
    counts = Counter(codes)
    return lines_of({code: count / counts.total() for code, count in counts.items()})


if __name__ == "__main__":
    sys.exit(main())
