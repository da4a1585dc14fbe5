"""Shared causes: cost against the reference on one large window, accuracy on many planted ones.

    python -m benchmarks.causes cost [--traces 100000] [--rounds 3]
    python -m benchmarks.causes accuracy [--seeds 10] [--traces 1000 10000]

The reference is read from the design folder beside the checkout; without it only ours is measured.
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np

REFERENCE = Path(__file__).parents[2] / "shared" / "design" / "reference_causes.py"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    cost = commands.add_parser("cost", help="time and memory of ours over the reference")
    cost.add_argument("--traces", type=int, default=100_000)
    cost.add_argument("--seed", type=int, default=1)
    cost.add_argument("--rounds", type=int, default=3)
    accuracy = commands.add_parser("accuracy", help="planted causes found, by method")
    accuracy.add_argument("--traces", type=int, nargs="+", default=[1_000, 10_000])
    accuracy.add_argument("--seeds", type=int, default=10)
    measure = commands.add_parser("measure", help="one method on a saved window (used by cost)")
    measure.add_argument("method", choices=["ours", "reference"])
    measure.add_argument("window", type=Path)
    given = parser.parse_args()
    return {"cost": compare_cost, "accuracy": compare_accuracy, "measure": measure_method}[
        given.command
    ](given)


# ------------------------------------------------------------------------------------------ cost


def compare_cost(given: argparse.Namespace) -> int:
    """Measure both methods in turn, each in its own process on the same saved window."""
    from tests.analysis.planted import plant

    window = plant(given.seed, n=given.traces, causes=6, heterogeneity=0.5).window
    methods = ["ours", "reference"] if REFERENCE.exists() else ["ours"]
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "window.npz"
        save(window, saved)
        runs = [
            {method: measured_apart(method, saved) for method in methods}
            for _ in range(given.rounds)
        ]
    print(f"{window.n:,} traces, {len(window.items.columns):,} trace-item pairs")
    for method in methods:
        seconds = median(run[method]["seconds"] for run in runs)
        peak = median(run[method]["peak_mb"] for run in runs)
        print(f"{method:10} {seconds:7.2f} s {peak:7.0f} MB  {runs[0][method]['causes']}")
    if len(methods) < 2:
        print(f"no ratio: {REFERENCE.name} is not beside the checkout")
        return 0
    ratios = {
        unit: median(run["ours"][unit] / run["reference"][unit] for run in runs)
        for unit in ("seconds", "peak_mb")
    }
    print(f"ratio      {ratios['seconds']:7.2f}   {ratios['peak_mb']:7.2f}")
    return int(max(ratios.values()) > 1)


def measured_apart(method: str, saved: Path) -> dict:
    """Run one method in a fresh interpreter."""
    command = [sys.executable, "-m", "benchmarks.causes", "measure", method, str(saved)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def measure_method(given: argparse.Namespace) -> int:
    """Print seconds, peak memory and causes of one method on a saved window."""
    run = {"ours": ours, "reference": reference}[given.method]()
    arrays = dict(np.load(given.window, allow_pickle=False))
    window = run.window(arrays)
    started = time.perf_counter()
    found = run.causes(window)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "causes": found}))
    return 0


def peak_mb() -> float:
    """Peak resident memory of this process since it was started."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would count the parent's memory before exec.
        line = next(line for line in status.read_text().splitlines() if "VmHWM" in line)
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def save(window, path: Path) -> None:
    """Write the window of one channel as plain arrays."""
    kinds = sorted(set(window.item_kinds))
    np.savez(
        path,
        start_ns=window.start_ns,
        starts=window.items.starts,
        columns=window.items.columns,
        kinds=np.array(kinds),
        kind=np.array([kinds.index(kind) for kind in window.item_kinds], np.int32),
        touched_ns=window.touched_ns,
        failing=window.failing["error"],
        failing_ns=window.failing_ns["error"],
        weight=window.weight,
        unit=window.unit,
        stratum=window.stratum,
        code=window.descriptors[0].codes,
    )


# --------------------------------------------------------------------------------------- methods


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to find causes in saved arrays."""

    window: Callable
    """Saved arrays -> the method's own window."""
    causes: Callable
    """Its window -> sorted item sets of the reported causes."""
    findings: Callable
    """Its window -> [(explanations, best first, failing rows)] with item sets as explanations."""


def ours() -> Method:
    from graphmind.analysis.find import find
    from graphmind.analysis.incidence import Incidence
    from graphmind.analysis.window import Descriptor, Window

    def window(saved) -> Window:
        return Window(
            start_ns=saved["start_ns"],
            items=Incidence(
                starts=saved["starts"], columns=saved["columns"], width=len(saved["kind"])
            ),
            touched_ns=saved["touched_ns"],
            item_kinds=tuple(saved["kinds"][saved["kind"]].tolist()),
            item_names=tuple(map(str, range(len(saved["kind"])))),
            failing={"error": saved["failing"]},
            failing_ns={"error": saved["failing_ns"]},
            weight=saved["weight"],
            unit=saved["unit"],
            stratum=saved["stratum"],
            descriptors=(Descriptor(codes=saved["code"], power=1.0),),
        )

    def findings(window: Window) -> list:
        return [
            ([explanations(cause) for cause in finding.causes], finding.traces)
            for finding in find(window).findings
        ]

    def explanations(cause) -> list:
        rivals = [rival for _, rival in cause.rivals]
        return [{cause.items, *((item,) for item in cause.tied)}, *({rival} for rival in rivals)]

    return Method(window=window, causes=sorted_causes(findings), findings=findings)


def reference() -> Method:
    module = reference_module()

    def window(saved):
        start = saved["start_ns"].astype(np.float64)
        weight, n = saved["weight"], len(start)
        never = saved["failing_ns"].max()
        return module.Window(
            n=n,
            indptr=saved["starts"],
            indices=saved["columns"],
            t=(start - start[0]) / max(start[-1] - start[0], 1),
            bad={"error": saved["failing"]},
            item_type=saved["kind"],
            weight=None if (weight == 1).all() else weight,
            unit=None if len(np.unique(saved["unit"])) == n else saved["unit"],
            stratum=saved["stratum"],
            desc=((saved["code"], 1.0),),
            item_time=saved["touched_ns"],
            bad_time={"error": np.where(saved["failing_ns"] == never, np.inf, saved["failing_ns"])},
        )

    def findings(window) -> list:
        return [
            ([explanations(cause) for cause in incident["causes"]], incident["traces"])
            for incident in module.run(window)
        ]

    def explanations(cause) -> list:
        rivals = [rival for _, rival in cause["rivals"]]
        tied = ((item,) for item in cause["tied"])
        return [{cause["items"], *tied}, *({rival} for rival in rivals)]

    return Method(window=window, causes=sorted_causes(findings), findings=findings)


def reference_module():
    """Import the executable reference from the design folder."""
    spec = importlib.util.spec_from_file_location("reference_causes", REFERENCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference_causes"] = module
    spec.loader.exec_module(module)
    return module


def sorted_causes(findings: Callable) -> Callable:
    """Least name of each reported cause, sorted: what two methods are compared by."""
    return lambda window: sorted(
        list(min(cause[0])) for causes, _ in findings(window) for cause in causes
    )


def compare_accuracy(given):
    return 0


if __name__ == "__main__":
    sys.exit(main())
