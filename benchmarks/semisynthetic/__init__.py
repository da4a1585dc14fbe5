"""Semi-synthetic: faults planted into traces of two real systems, graphmind beside every rival.

    python -m benchmarks semisynthetic [--seeds 6] [--quiet 6] [--traces 3000]

The published spans lie in ``shared/data`` beside the checkout. Only errors are looked at, and all
of them are planted: the sets hold faults of their own, which show as slow or short traces.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from benchmarks.comparison import compare, print_skipped
from benchmarks.comparison.trial import Trial
from benchmarks.comparison.worlds import Rivals, facts_trial
from benchmarks.nezha.cases import SYSTEMS
from benchmarks.planted import read_facts
from benchmarks.public.folder import DATA, present
from benchmarks.rivals.methods import gds_rival
from benchmarks.scoring import Planted
from benchmarks.semisynthetic.lines import request_lines
from benchmarks.semisynthetic.planting import plant
from benchmarks.semisynthetic.runs import Run
from benchmarks.semisynthetic.traces import read_traces
from graphmind.settings import Settings
from graphmind.telemetry.facts import Facts

FAULTS = 3
"""Planted in a window."""


def main(arguments: Sequence[str] | None = None) -> int:
    summary = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="semisynthetic", description=summary)
    parser.add_argument("--seeds", type=int, default=6, help="windows with faults, each system")
    parser.add_argument("--quiet", type=int, default=6, help="windows without, each system")
    parser.add_argument("--traces", type=int, default=3000, help="real traces drawn for a window")
    given = parser.parse_args(arguments)
    more, absent = gds_rival(Settings.from_environment(os.environ))
    print_skipped(absent)
    for system in SYSTEMS:
        if not present(DATA / system):
            continue
        title = f"Semi-synthetic, {FAULTS} faults in {given.traces:,} real traces of {system}"
        world = partial(run_window, system=DATA / system, traces=given.traces, more=more)
        compare(title, world, given.seeds, given.quiet)
    return 0


def run_window(seed: int, *, quiet: bool, system: Path, traces: int, more: Rivals) -> Trial:
    """Draw real traces, plant faults, write them as OTLP, load them, and try all methods."""
    recorded = read_traces(system)
    drawn = np.random.default_rng(seed).permutation(len(recorded))[:traces]
    runs, faults = plant(
        [recorded[row] for row in sorted(drawn.tolist())], seed, faults=0 if quiet else FAULTS
    )
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "store")
        facts = load_runs(runs, Path(folder) / "spans.jsonl", settings)
    planted = [
        Planted(
            kind=fault.kind,
            explanations=frozenset({frozenset(fault.items)}),
            traces=frozenset(fault.trace_ids),
            mended=frozenset(),
        )
        for fault in faults
    ]
    return facts_trial(facts, settings, planted, more)


def load_runs(runs: Sequence[Run], path: Path, settings: Settings) -> Facts:
    """Write runs as OTLP and load them as the product does; symptoms other than errors go."""
    path.write_bytes(b"".join(request_lines(runs)))
    facts = read_facts(path, settings)
    return replace(facts, symptoms=facts.symptoms.filter(pc.equal(facts.symptoms["kind"], "error")))
