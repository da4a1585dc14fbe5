"""Shared causes on planted incidences: cost and accuracy beside the reference and two baselines.

    python -m benchmarks causes [--traces 100000] [--rounds 3] [--seeds 10] [--sizes 1000 10000]

Cost: time of the analysis and peak memory, each method in its own process on the same saved window.
Exit code 1 if ours costs more than the reference, which is read from the design folder beside the
checkout; without it only ours is measured.
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks.scoring import Found, ItemSet, Planted, is_right, rank_of, trace_agreement

REFERENCE = Path(__file__).parents[2] / "shared" / "design" / "reference_causes.py"
WORLDS: dict[str, dict[str, Any]] = {
    "one strength": {},
    "strength by task": {"heterogeneity": 0.8},
    "healthy 1/5": {"keep_healthy": 0.2},
}

Saved = dict[str, np.ndarray]
"""The arrays of a window of one channel."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="causes", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--traces", type=int, default=100_000, help="of the window of the cost")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of the cost")
    parser.add_argument("--seeds", type=int, default=10, help="windows of the accuracy, each size")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--measure", nargs=2, metavar=("METHOD", "WINDOW"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.measure:
        return measure(METHODS[given.measure[0]](), Path(given.measure[1]))
    code = compare_cost(given.traces, given.rounds)
    if given.seeds:
        compare_accuracy(given.sizes, given.seeds)
    return code


# ------------------------------------------------------------------------------------------- cost


def compare_cost(traces: int, rounds: int) -> int:
    """Print time and memory of ours over those of the reference; 1 if either is above."""
    from tests.analysis.planted import plant  # noqa: PLC0415 - not in the measured processes

    window = plant(1, n=traces, causes=6, heterogeneity=0.5).window
    methods = [name for name in METHODS if name == "ours" or REFERENCE.exists()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "window.npz"
        np.savez(path, **saved(window))  # type: ignore[arg-type] # its stub knows no **arrays
        runs = [{name: measured_apart(name, path) for name in methods} for _ in range(rounds)]
    print(f"{window.n:,} traces, {len(window.items.columns):,} trace-item pairs")
    for name in methods:
        seconds, peak = (median(run[name][unit] for run in runs) for unit in ("seconds", "mb"))
        print(
            f"{name:20} {seconds:7.2f} s {peak:7.0f} MB {runs[0][name]['findings']:4.0f} findings"
        )
    if len(methods) == 1:
        print(f"no ratio: {REFERENCE.name} is not beside the checkout")
        return 0
    time_ratio, memory_ratio = (
        median(run["ours"][unit] / run["reference"][unit] for run in runs)
        for unit in ("seconds", "mb")
    )
    print(f"{'ours / reference':20} {time_ratio:7.2f}   {memory_ratio:7.2f}")
    return int(max(time_ratio, memory_ratio) > 1)


def measured_apart(method: str, path: Path) -> dict[str, float]:
    """Measure one method in a fresh interpreter."""
    command = [sys.executable, "-m", "benchmarks", "causes", "--measure", method, str(path)]
    measured: dict[str, float] = json.loads(subprocess.check_output(command))
    return measured


def measure(method: "Method", path: Path) -> int:
    """Print seconds, peak memory and number of findings of one method on a saved window."""
    with np.load(path) as arrays:
        window = method.window(dict(arrays))
    began = time.process_time()  # Processor time: others on the machine do not disturb the ratio.
    found = method.causes(window)
    seconds = time.process_time() - began
    print(json.dumps({"seconds": seconds, "mb": peak_mb(), "findings": len(found)}))
    return 0


def peak_mb() -> float:
    """Return the peak resident memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss also counts the parent's memory before the exec.
        [peak] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


# ---------------------------------------------------------------------------------------- methods


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to find causes."""

    window: Callable[[Saved], Any]
    """Saved arrays -> its own window."""
    causes: Callable[[Any], list[tuple[list[set[tuple[int, ...]]], np.ndarray]]]
    """Its window -> of each finding with a cause: names by rank, tied ones as a set, and rows."""


def saved(window: Any) -> Saved:
    """Return the arrays of a window whose only channel is the errors."""
    kinds = sorted(set(window.item_kinds))
    return {
        "start_ns": window.start_ns,
        "starts": window.items.starts,
        "columns": window.items.columns,
        "kinds": np.array(kinds),
        "kind": np.array([kinds.index(kind) for kind in window.item_kinds], np.int32),
        "touched_ns": window.touched_ns,
        "failing": window.failing["error"],
        "failing_ns": window.failing_ns["error"],
        "weight": window.weight,
        "stratum": window.stratum,
        "code": window.descriptors[0].codes,
    }


def ours() -> Method:
    # Imported here so that the process that measures the reference does not load ours.
    from graphmind.analysis.find import find  # noqa: PLC0415
    from graphmind.analysis.incidence import Incidence  # noqa: PLC0415
    from graphmind.analysis.window import Descriptor, Window  # noqa: PLC0415

    def window(arrays: Saved) -> Window:
        n, width = len(arrays["start_ns"]), len(arrays["kind"])
        return Window(
            start_ns=arrays["start_ns"],
            items=Incidence(starts=arrays["starts"], columns=arrays["columns"], width=width),
            touched_ns=arrays["touched_ns"],
            item_kinds=tuple(arrays["kinds"][arrays["kind"]].tolist()),
            item_names=tuple(map(str, range(width))),
            failing={"error": arrays["failing"]},
            failing_ns={"error": arrays["failing_ns"]},
            weight=arrays["weight"],
            unit=np.arange(n, dtype=np.int32),
            stratum=arrays["stratum"],
            descriptors=(Descriptor(codes=arrays["code"], power=1.0),),
        )

    def causes(window: Window) -> list[tuple[list[set[tuple[int, ...]]], np.ndarray]]:
        return [
            (
                [{c.items, *c.tied} for c in finding.causes]
                + [{rival} for _, rival in finding.causes[0].rivals],
                finding.traces,
            )
            for finding in find(window).findings
            if finding.causes
        ]

    return Method(window=window, causes=causes)


def reference() -> Method:
    spec = importlib.util.spec_from_file_location("reference_causes", REFERENCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference_causes"] = module
    spec.loader.exec_module(module)

    def window(arrays: Saved) -> Any:
        start, weight = arrays["start_ns"].astype(np.float64), arrays["weight"]
        began = np.where(arrays["failing"], arrays["failing_ns"], np.inf)
        return module.Window(
            n=len(start),
            indptr=arrays["starts"],
            indices=arrays["columns"],
            t=(start - start[0]) / max(start[-1] - start[0], 1),
            bad={"error": arrays["failing"]},
            item_type=arrays["kind"],
            weight=None if (weight == 1).all() else weight,
            stratum=arrays["stratum"],
            desc=((arrays["code"], 1.0),),
            item_time=arrays["touched_ns"],
            bad_time={"error": began},
        )

    def causes(window: Any) -> list[tuple[list[set[tuple[int, ...]]], np.ndarray]]:
        return [
            (
                [{c["items"], *((item,) for item in c["tied"])} for c in incident["causes"]]
                + [{rival} for _, rival in incident["causes"][0]["rivals"]],
                incident["traces"],
            )
            for incident in module.run(window)
            if incident["causes"]
        ]

    return Method(window=window, causes=causes)


METHODS: dict[str, Callable[[], Method]] = {"ours": ours, "reference": reference}


# --------------------------------------------------------------------------------------- accuracy


def compare_accuracy(sizes: Sequence[int], seeds: int) -> None:
    """Print right causes, right traces and seconds, by size, world and method."""
    print(f"\n{'traces':>7} {'world':17} {'method':19} {'Acc@1':>6} {'Acc@3':>6} ", end="")
    print(f"{'precision':>9} {'ARI':>6} {'seconds':>8}")
    for size in sizes:
        for world, options in WORLDS.items():
            scores = [scored(size, seed, options) for seed in range(seeds)]
            for method in scores[0]:
                ranks, right, agreement, seconds = zip(*(s[method] for s in scores), strict=True)
                flat, reports = np.concatenate(ranks), np.concatenate(right)
                precision = reports.mean() if len(reports) else 1.0
                print(
                    f"{size:7} {world:17} {method:19} {np.mean(flat <= 1):6.3f}"
                    f" {np.mean(flat <= 3):6.3f} {precision:9.3f} {mean(agreement):6.3f}"
                    f" {mean(seconds):8.2f}"
                )


Score = tuple[list[int], list[bool], float, float]
"""Ranks of the planted causes, whether each report is right, trace agreement, seconds."""


def scored(size: int, seed: int, options: dict[str, Any]) -> dict[str, Score]:
    """Score every method on one window with four causes."""
    from benchmarks.rivals.clustering import louvain_similarity  # noqa: PLC0415
    from benchmarks.rivals.methods import RANKERS  # noqa: PLC0415
    from benchmarks.rivals.ranking import at_once  # noqa: PLC0415
    from benchmarks.rivals.view import view_before_symptom  # noqa: PLC0415
    from tests.analysis.planted import plant  # noqa: PLC0415

    truth = plant(seed, n=size, causes=4, **options)
    window, ids = truth.window, [str(row) for row in range(truth.window.n)]
    arrays = saved(window)

    def named(items: tuple[int, ...]) -> ItemSet:
        return frozenset((window.item_kinds[item], window.item_names[item]) for item in items)

    def run(make: Callable[[], Method]) -> list[Found]:
        method = make()
        return [
            Found(
                explanations=tuple(frozenset(map(named, tied)) for tied in names),
                traces=frozenset(ids[row] for row in rows),
            )
            for names, rows in method.causes(method.window(arrays))
        ]

    planted = [
        Planted(
            kind="",
            explanations=frozenset({named(items)}),
            traces=frozenset(ids[row] for row in np.flatnonzero(truth.caused == number)),
            mended=frozenset(),
        )
        for number, items in enumerate(truth.causes)
    ]
    methods: dict[str, Callable[[], list[Found]]] = {
        name: partial(run, make)
        for name, make in METHODS.items()
        if name == "ours" or REFERENCE.exists()
    }
    view = view_before_symptom(window, ids)
    methods["louvain + Ochiai"] = partial(louvain_similarity, view)
    methods["failure-rate ratio"] = partial(
        at_once(RANKERS["failure-rate ratio"]), view, len(planted)
    )
    return {name: score(planted, find) for name, find in methods.items()}


def score(planted: Sequence[Planted], find: Callable[[], list[Found]]) -> Score:
    """Run one method and hold what it found to what was planted."""
    began = time.perf_counter()
    found = find()
    seconds = time.perf_counter() - began
    ranks = [rank_of(incident, found) for incident in planted]
    right = [is_right(report, planted) for report in found]
    return ranks, right, trace_agreement(planted, found), seconds


if __name__ == "__main__":
    sys.exit(main())
