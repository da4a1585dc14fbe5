"""Whether a slow, failing or silent service of a simulated agent platform is named first.

    python -m benchmarks services [--seeds 3] [--traces 500] [--periods 3] [--misses]

Every seed is one platform: fault-free periods and a window of as many traces, which is broken in
one service or operation at a time. How often a quiet window shows firm evidence is told, too.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from random import Random

from benchmarks.public.tables import print_shares
from benchmarks.services.faults import Fault, break_traces
from benchmarks.services.windows import list_faults, read_period, simulate_periods
from graphmind.analysis.localisation.options import LocalisationOptions
from graphmind.analysis.localisation.period import Period
from graphmind.analysis.localisation.ranking import (
    Ranking,
    Reference,
    profile_of,
    rank_services,
    reference_of,
)

OPTIONS = LocalisationOptions()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="services", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="platforms")
    parser.add_argument("--traces", type=int, default=500, help="traces of a period")
    parser.add_argument("--periods", type=int, default=3, help="fault-free periods")
    parser.add_argument("--misses", action="store_true", help="show what was missed")
    given = parser.parse_args(arguments)
    services: dict[str, list[bool]] = defaultdict(list)
    operations: dict[str, list[bool]] = defaultdict(list)
    firm, seconds = 0, 0.0
    for seed in range(1, given.seeds + 1):
        *usual, window = simulate_periods(seed, given.traces, given.periods + 1)
        reference = reference_of([read_period(each, seed) for each in usual], OPTIONS)
        firm += not _rank(read_period(window, seed), reference).weak
        for fault in list_faults(window):
            broken = list(break_traces(fault, window, Random(f"{seed}/{fault}")))
            period = read_period(broken, seed)
            began = time.process_time()
            ranking = _rank(period, reference)
            seconds += time.process_time() - began
            hit, exact = _judge(ranking, fault)
            level = "operation" if fault.operation else "service"
            for group in ("all", f"{fault.kind} {level}, {fault.share:.0%} of calls"):
                services[group].append(hit)
                if fault.operation:
                    operations[group].append(exact)
            if given.misses and not (hit and exact):
                print(f"seed {seed} {fault}: {_first(ranking)}")
    groups = sorted(services)
    print_shares("service named first", ["Acc@1"], {name: [services[name]] for name in groups})
    print_shares(
        "and its operation",
        ["Acc@1"],
        {name: [operations[name]] for name in groups if operations[name]},
    )
    print(f"\nquiet windows with firm evidence: {firm} of {given.seeds}")
    print(f"{seconds / len(services['all']):.3f} s CPU to rank a window of {given.traces} traces")
    return 0


def _rank(window: Period, reference: Reference) -> Ranking:
    return rank_services(profile_of(window), reference, OPTIONS)


def _judge(ranking: Ranking, fault: Fault) -> tuple[bool, bool]:
    """Whether the service is named first, and with it the operation, where one is at fault."""
    first = ranking.suspects[0]
    hit = first.score > 0 and first.service == fault.service
    return hit, hit and fault.operation in ("", first.operation)


def _first(ranking: Ranking) -> str:
    shown = ranking.suspects[:3]
    return ", ".join(f"{each.service} {each.operation} {each.score:.1f}" for each in shown)
