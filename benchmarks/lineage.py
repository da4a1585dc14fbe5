"""A bad value passed on over shared keys: items of distance, patient zero, and cost of a closure.

    python -m benchmarks lineage [--seeds 15] [--quiet 30] [--traces 10000] [--accesses 1000000]

The value is read, and what its readers write is bad as well, over three hops; of the first readers
few fail. Each window is examined with the items of distance and without them.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pyarrow.compute as pc

from benchmarks.scoring import Found, Planted, is_right, rank_of
from graphmind.jobs.analyze import examine
from graphmind.jobs.window import with_lineage
from graphmind.settings import Settings
from graphmind.telemetry.facts import Facts
from tests.analysis.poisoned import Poisoned, poison

METHODS = ("direct items only", "items of distance")
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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="lineage", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=15, help="windows with a bad value")
    parser.add_argument("--quiet", type=int, default=30, help="windows without")
    parser.add_argument("--traces", type=int, default=10_000)
    given = parser.parse_args(arguments)
    report([run_window(poison(seed, n=given.traces)) for seed in range(given.seeds)])
    report_quiet(
        [
            run_window(poison(QUIET_FROM + seed, n=given.traces, quiet=True))
            for seed in range(given.quiet)
        ]
    )
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
    )


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


def report_quiet(outcomes: Sequence[Outcome]) -> None:
    """Print in how many quiet windows each method reports an incident."""
    for name in METHODS if outcomes else ():
        false = sum(bool(outcome.found[name]) for outcome in outcomes)
        print(f"{name:20} {false} of {len(outcomes)} quiet windows with a report")


def _share(flags: Iterable[bool]) -> float:
    counted = [*flags]
    return sum(counted) / len(counted) if counted else 0.0


if __name__ == "__main__":
    sys.exit(main())
