"""Verdicts on simulated repairs, beside the figures of the design: shares, time to verdict, errors.

    python -m benchmarks verification [--runs 200] [--rates 5 20 200] [--only NAME ...]
                                      [--boundary 400] [--noise failures] [--seed 0]

A cell says in which share of the runs, in %, the first verdict was effective (E), ineffective with
nothing gained (N) or a part (P), inconclusive (I) or harmful (H), shares below 1 left out; then
median and 95th percentile of the seconds to it. "recovering" is in which share it was said to be so
before the last run had its verdict, with the same times.

The boundary is where each error is likeliest.

History is measured with noise: of failures, which comes nearest to the design's cells, or of all
metrics. Then noise lets latency look sick in 1 to 2 % of the runs, and these end inconclusive that
would be effective.
"""

import argparse
import time
from collections.abc import Sequence

from benchmarks.verification.boundary import boundary
from benchmarks.verification.table import table
from graphmind.verification.words import FAILURE, FAST_FAILURE, METRICS

NOISE = {"failures": (FAST_FAILURE, FAILURE), "all": METRICS}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="verification", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--runs", type=int, default=200, help="of a cell")
    parser.add_argument("--rates", type=int, nargs="+", default=[5, 20, 200], help="requests/s")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="scenarios")
    parser.add_argument("--boundary", type=int, default=400, help="runs at the boundary; 0: none")
    parser.add_argument("--noise", choices=NOISE, default="failures", help="of the history")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    began = time.monotonic()
    noisy = NOISE[given.noise]
    table(given.rates, runs=given.runs, only=given.only, seed=given.seed, noisy=noisy)
    if given.boundary:
        boundary(runs=given.boundary, seed=given.seed)
    print(f"\nTook {time.monotonic() - began:.0f} s.")
    return 0
