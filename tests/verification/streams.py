"""Requests after a repair, drawn one by one from the scenarios of the benchmark."""

import numpy as np

from benchmarks.verification.scenarios import GROUP_SHARES, MIX, SCENARIOS, Scenario
from graphmind.verification.bounds import bounds_of
from graphmind.verification.history import History, Traffic
from graphmind.verification.options import Options
from graphmind.verification.request import Attempt, RootRequest
from graphmind.verification.words import (
    BYSTANDER,
    EXPOSED,
    FAILURE,
    FAST_FAILURE,
    GROUPS,
    METRICS,
    RECIPIENT,
    SLOW,
    WRONG,
)

EXECUTED_MS = 1_700_000_000_000
SLOW_MS = 1500.0
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def history(scenario: Scenario = SCENARIOS[0], incident_n: float = 600.0) -> History:
    """Exact rates, as if measured on so many requests."""
    usual, sick = scenario.usual(), scenario.incident()
    return History(
        healthy={(group, metric): usual[metric] for group in GROUPS for metric in METRICS},
        incident={metric: sick[metric] for metric in METRICS},
        healthy_n=np.full(len(MIX), 20_000.0),
        incident_n=incident_n * MIX,
        mix=MIX,
    )


def traffic(rate: float) -> Traffic:
    return Traffic(
        exposed=rate * GROUP_SHARES[EXPOSED],
        recipient=rate * GROUP_SHARES[RECIPIENT],
        bystander=rate * GROUP_SHARES[BYSTANDER],
    )


def bounds(scenario: Scenario = SCENARIOS[0], rate: float = 20.0, options: Options | None = None):
    return bounds_of(history(scenario), traffic(rate), options or Options())


def draw(scenario: Scenario, seed: int, *, rate: float, seconds: float) -> list[RootRequest]:
    """Requests by start. Those of two groups never start a whole number of seconds apart."""
    random = np.random.default_rng(seed)
    n = random.poisson(rate * seconds)
    found, rates_of = {}, {}
    groups = list(GROUP_SHARES)
    drawn = random.choice(3, n, p=list(GROUP_SHARES.values()))
    for g, start in zip(drawn.tolist(), np.sort(random.uniform(0, seconds, n)), strict=True):
        group, stratum = groups[g], int(random.random() > MIX[0])
        start_ms = EXECUTED_MS + int(start * 100) * 10 + 3 * g
        if (group, start_ms) in found:
            continue
        key = (group, int(start))
        if key not in rates_of:
            rates_of[key] = scenario.rates(group, int(start) + 0.5)
        rates = rates_of[key]
        found[group, start_ms] = RootRequest(
            request_id=f"{start_ms}-{group}",
            group=group,
            stratum=stratum,
            slow_ms=SLOW_MS,
            attempts=(_attempt(random, start_ms, {m: rates[m][stratum] for m in METRICS}),),
        )
    return sorted(found.values(), key=lambda request: request.start_ms)


def _attempt(random, start_ms, rates) -> Attempt:
    failed = bool(random.random() < rates[FAILURE])
    if failed and random.random() < rates[FAST_FAILURE] / rates[FAILURE]:
        return Attempt(start_ms=start_ms, end_ms=start_ms + 700, failed=True)
    if failed and random.random() < 0.5:
        return Attempt(start_ms=start_ms, end_ms=start_ms + 10_700, failed=False)
    slow = bool(random.random() < rates[SLOW])
    end_ms = start_ms + (4300 if slow or failed else 900)
    wrong_ms = end_ms if random.random() < rates[WRONG] else None
    return Attempt(start_ms=start_ms, end_ms=end_ms, failed=failed, wrong_ms=wrong_ms)
