"""A bad value passed on over shared keys: items of distance, patient zero, and cost of a closure.

    python -m benchmarks lineage [--seeds 15] [--quiet 30] [--traces 10000] [--accesses 1000000]

The value is read, and what its readers write is bad as well, over three hops; of the first readers
few fail. Each window is examined with the items of distance and without them. The cost is processor
time of each step on a history in which a value lives for about a minute.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.scoring import Found, Planted, is_right, rank_of
from graphmind.analysis.contamination.failures import failures_of
from graphmind.analysis.contamination.origin import patient_zero, suspects_in
from graphmind.analysis.contamination.trail import follow
from graphmind.jobs.analyze import examine
from graphmind.jobs.window import with_lineage
from graphmind.settings import Settings
from graphmind.telemetry.facts import ACCESSES, Facts
from graphmind.telemetry.items import inherited
from graphmind.telemetry.lineage import history_of
from tests.analysis.poisoned import Poisoned, poison

METHODS = ("direct items only", "items of distance")
NOBODY = np.zeros(0, np.int64)
READS, WRITERS = 3, 0.5
"""Keys that a trace of the history of the cost reads, and the share of its traces that write."""
QUIET_FROM = 100_000
"""First seed of the quiet windows."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was planted in a window, and what each method found."""

    planted: tuple[Planted, ...]
    found: dict[str, list[Found]]
    seconds: float
    """Processor time to name who fed the traces."""
    items: dict[str, float]
    """Items a trace, by method."""
    origin: str
    """Trace that wrote the bad value; empty in a quiet window."""
    patient_zero: str
    """Trace blamed when no cause is known; empty if none is."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="lineage", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=15, help="windows with a bad value")
    parser.add_argument("--quiet", type=int, default=30, help="windows without")
    parser.add_argument("--traces", type=int, default=10_000)
    parser.add_argument(
        "--accesses", type=int, default=1_000_000, help="of the history of the cost"
    )
    given = parser.parse_args(arguments)
    report([run_window(poison(seed, n=given.traces)) for seed in range(given.seeds)])
    report_quiet(
        [
            run_window(poison(QUIET_FROM + seed, n=given.traces, quiet=True))
            for seed in range(given.quiet)
        ]
    )
    if given.accesses:
        report_cost(given.accesses)
    return 0


def run_window(poisoned: Poisoned) -> Outcome:
    """Examine a window with all items, and again without those of distance."""
    began = time.process_time()
    whole = with_lineage(poisoned.facts)
    seconds = time.process_time() - began
    near = pc.invert(pc.starts_with(whole.items["kind"], "fed_by_"))
    windows = dict(
        zip(METHODS, (replace(whole, items=whole.items.filter(near)), whole), strict=True)
    )
    cause = frozenset({("fed_by_trace", poisoned.origin)})
    planted = Planted(
        kind="poisoned value",
        explanations=frozenset({cause}),
        traces=frozenset(poisoned.hops),
        mended=frozenset(),
    )
    return Outcome(
        planted=(planted,) if poisoned.origin else (),
        found={name: find_in(facts) for name, facts in windows.items()},
        seconds=seconds,
        items={
            name: facts.items.num_rows / facts.traces.num_rows for name, facts in windows.items()
        },
        origin=poisoned.origin,
        patient_zero=blame(poisoned),
    )


def blame(poisoned: Poisoned) -> str:
    """Return the trace that wrote first what the failing ones descend from; empty if none did."""
    facts = poisoned.facts
    history = history_of(facts.accesses)
    failing = pc.unique(facts.symptoms["trace_id"])
    suspects = suspects_in(history, failures_of(history, facts.symptoms, failing))
    row = patient_zero(suspects, NOBODY)
    return "" if row is None else str(history.accesses["trace_id"][row].as_py())


def find_in(facts: Facts) -> list[Found]:
    """Return the incidents with a cause; tied names count as one explanation."""
    _, incidents, _ = examine(facts, Settings())
    return [
        Found(
            explanations=tuple(
                frozenset(
                    frozenset((item["kind"], item["name"]) for item in items)
                    for items in (cause["all_of"], *cause["tied"])
                )
                for cause in incident["causes"]
            ),
            traces=frozenset(incident["trace_ids"]),
        )
        for incident in incidents
        if incident["causes"]
    ]


def report(outcomes: Sequence[Outcome]) -> None:
    """Print accuracy by method."""
    if not outcomes:
        return
    print(f"{'':20} {'Acc@1':>6} {'precision':>10} {'reports':>8} {'items/trace':>12}")
    for name in METHODS:
        ranks = [rank_of(p, o.found[name]) for o in outcomes for p in o.planted]
        right = [is_right(f, o.planted) for o in outcomes for f in o.found[name]]
        items = sum(o.items[name] for o in outcomes) / len(outcomes)
        print(
            f"{name:20} {_share(rank == 1 for rank in ranks):6.3f} {_share(right):10.3f} "
            f"{len(right):8} {items:12.1f}"
        )
    print(f"naming them: {sum(o.seconds for o in outcomes) / len(outcomes):.2f} s a window")
    first = [o.patient_zero == o.origin for o in outcomes]
    print(f"patient zero, without a cause: {_share(first):.3f}")


def report_quiet(outcomes: Sequence[Outcome]) -> None:
    """Print in how many quiet windows each method reports an incident."""
    for name in METHODS if outcomes else ():
        false = sum(bool(outcome.found[name]) for outcome in outcomes)
        print(f"{name:20} {false} of {len(outcomes)} quiet windows with a report")
    blamed = sum(bool(outcome.patient_zero) for outcome in outcomes)
    print(f"{'patient zero':20} {blamed} of {len(outcomes)} quiet windows with one")


def report_cost(count: int) -> None:
    """Print what each step costs on a history of about so many accesses."""
    traces = int(count / (READS + WRITERS))
    accesses, failing = random_accesses(traces)
    spent = dict.fromkeys(("history", "suspects", "trail", "items"), 0.0)
    began = time.process_time()
    history = history_of(accesses)
    spent["history"] = time.process_time() - began
    failures = failures_of(history, failing, failing["trace_id"].combine_chunks())
    began = time.process_time()
    suspects = suspects_in(history, failures)
    spent["suspects"] = time.process_time() - began
    origins = np.flatnonzero(history.written)[::1000]
    began = time.process_time()
    trail = follow(history, failures, origins, patient_zero=int(suspects.write[0]))
    spent["trail"] = time.process_time() - began
    began = time.process_time()
    inherited(accesses, failing["trace_id"].combine_chunks())
    spent["items"] = time.process_time() - began
    print(f"{accesses.num_rows:,} accesses; {len(origins)} origins reach {trail.traces.num_rows:,}")
    print("  ".join(f"{name} {seconds:.2f} s" for name, seconds in spent.items()))


def random_accesses(traces: int) -> tuple[pa.Table, pa.Table]:
    """Traces read three keys of their task, every other one writes one; one in 50 fails."""
    random = np.random.default_rng(0)
    trace = np.arange(traces)
    task = random.integers(0, max(30, traces // 3000), traces)
    keys = task[:, None] * 12 + (random.random((traces, READS + 1)) ** 1.5 * 12).astype(np.int64)
    writes = np.flatnonzero(random.random(traces) < WRITERS)
    ids = np.concatenate([np.repeat(trace, READS), writes])
    at_ns = np.concatenate([(trace[:, None] * 10 + np.arange(READS)).ravel(), writes * 10 + READS])
    accesses = pa.Table.from_arrays(
        [
            pa.array(ids).cast(pa.string()),
            pa.array(np.concatenate([keys[:, :READS].ravel(), keys[writes, READS]])).cast(
                pa.string()
            ),
            pa.array(["read"] * (traces * READS) + ["write"] * len(writes)),
            pa.array(at_ns),
            pa.array(ids % 60).cast(pa.string()),
        ],
        schema=ACCESSES,
    )
    failing = trace[::50]
    return accesses, pa.table(
        {"trace_id": pa.array(failing).cast(pa.string()), "began_ns": failing * 10 + 9}
    )


def _share(flags: Iterable[bool]) -> float:
    counted = [*flags]
    return sum(counted) / len(counted) if counted else 0.0


if __name__ == "__main__":
    sys.exit(main())
