"""Shared causes in arrays of traces: time, memory and accuracy beside the reference.

    python -m benchmarks causes [--sizes 1000 10000 100000 1000000] [--rounds 3] [--seeds 20]

Cost: each method in its own process on the same saved window; processor time of the analysis, peak
memory, what share of ours one bare pass over the trace-item pairs is, and how time grows with size.
Accuracy: the same windows for each method, in two worlds: `plain` (four causes a window) and
`mixture` (one to eight incidents of ten kinds, small and overlapping). Exit code 1 if ours costs
more than the reference, which is read from the design folder beside the checkout; without it only
ours is measured.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.causes.accuracy import compare_accuracy
from benchmarks.causes.cost import compare_cost, measure
from benchmarks.causes.methods import METHODS


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="causes", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3, help="measurements of the cost")
    parser.add_argument("--seeds", type=int, default=20, help="windows at 10,000 traces")
    parser.add_argument("--large-seeds", type=int, default=5, help="windows at 100,000 traces")
    parser.add_argument("--quiet", type=int, default=100, help="windows with nothing planted")
    parser.add_argument("--measure", nargs=2, metavar=("METHOD", "WINDOW"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.measure:
        return measure(METHODS[given.measure[0]](), Path(given.measure[1]))
    code = compare_cost(given.sizes, given.rounds) if given.rounds else 0
    compare_accuracy(given.seeds, given.large_seeds, given.quiet)
    return code
