"""What an analysis costs: each method in its own process on the same saved window."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.causes.methods import Method, present, saved


def compare_cost(sizes: Sequence[int], rounds: int) -> int:
    """Print time and memory by size and method; 1 if ours takes longer than the reference."""
    print(
        f"{'traces':>9} {'pairs':>11} {'method':10} {'seconds':>8} {'MB':>6} {'findings':>8} ",
        end="",
    )
    print(f"{'bare pass':>9} {'ours / reference':>16}")
    seconds: dict[int, float] = {}
    ratio = 0.0
    for size in sizes:
        runs, pairs = measured(size, rounds)
        for name in present():
            middle = {unit: median(run[name][unit] for run in runs) for unit in runs[0][name]}
            print(f"{size:9} {pairs:11} {name:10} {middle['seconds']:8.2f} ", end="")
            print(f"{middle['mb']:6.0f} {middle['findings']:8.0f} ", end="")
            if name == "ours":
                seconds[size] = middle["seconds"]
                print(f"{middle['pass'] / middle['seconds']:9.1%} ", end="")
                if "reference" in runs[0]:
                    ratio = median(r["ours"]["seconds"] / r["reference"]["seconds"] for r in runs)
                    print(f"{ratio:16.2f}", end="")
            print()
    for low, high in pairwise(sizes):
        growth = np.log(seconds[high] / seconds[low]) / np.log(high / low)
        print(f"from {low:,} to {high:,} traces the time of ours grows as n^{growth:.2f}")
    return int(ratio > 1)


def measured(size: int, rounds: int) -> tuple[list[dict[str, dict[str, float]]], int]:
    """Measure the methods in turn on one window of a size; and its trace-item pairs."""
    from tests.analysis.planted import plant  # noqa: PLC0415 - not in the measured processes

    window = plant(1, n=size, causes=6, heterogeneity=0.5).window
    pairs = len(window.items.columns)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "window.npz"
        np.savez(path, **saved(window))  # type: ignore[arg-type] # its stub knows no **arrays
        del window
        return [
            {name: measured_apart(name, path) for name in present()} for _ in range(rounds)
        ], pairs


def measured_apart(method: str, path: Path) -> dict[str, float]:
    """Measure one method in a fresh interpreter."""
    command = [sys.executable, "-m", "benchmarks", "causes", "--measure", method, str(path)]
    figures: dict[str, float] = json.loads(subprocess.check_output(command))
    return figures


def measure(method: Method, path: Path) -> int:
    """Print seconds, those of a bare pass, peak memory and findings of one method on a window."""
    with np.load(path) as arrays:
        columns = arrays["columns"]
        window = method.window(dict(arrays))
    began = time.process_time()  # Processor time: others on the machine do not disturb the ratio.
    found = method.reports(window)
    seconds = time.process_time() - began
    began = time.process_time()
    np.bincount(columns)
    bare = time.process_time() - began
    figures = {"seconds": seconds, "pass": bare, "mb": peak_mb(), "findings": len(found)}
    print(json.dumps(figures))
    return 0


def peak_mb() -> float:
    """Return the peak resident memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss also counts the parent's memory before the exec.
        [peak] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
