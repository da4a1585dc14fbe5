"""The shared-cause method on service faults: what deviates on a trace is an item it touched.

Traces of the faulty window count as failing, fault-free ones as healthy; an item is a service
together with a way it deviates (algorithms.md, section 11).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from benchmarks.nezha.loading import Trial
from graphmind.analysis.find import find
from graphmind.analysis.incidence import Incidence
from graphmind.analysis.localisation.divergence import bernoulli
from graphmind.analysis.localisation.period import Period
from graphmind.analysis.localisation.units import Unit, UnitCosts, unit_costs
from graphmind.analysis.window import NEVER, Window

Item: TypeAlias = tuple[str, str]
"""Service and deviation."""
Touch: TypeAlias = tuple[int, Item]
"""Trace, and what deviates on it."""

MARGIN_MS = 1.0
USUAL_SHARE = 0.95
"""What so many fault-free traces of a root operation show is missed where it is absent. Chosen."""
CAUSE_FIRST = 1e9


def shared_cause(trial: Trial) -> dict[str, float]:
    """Score services by the causes found, then by the gain of their best item."""
    normal = [*trial.references, *([trial.before] if trial.before else [])]
    items, window = _window(trial, normal)
    scores: dict[str, float] = defaultdict(float)
    for column, (service, _) in enumerate(items):
        scores[service] = max(scores[service], _gain(window, column))
    causes = [cause for finding in find(window).findings for cause in finding.causes]
    named = dict.fromkeys(items[item][0] for cause in causes for item in cause.items)
    for place, service in enumerate(named):
        scores[service] = CAUSE_FIRST - place
    return dict(scores)


def _gain(window: Window, column: int) -> float:
    rows = np.repeat(np.arange(window.n), np.diff(window.items.starts))
    failing = window.failing["error"]
    share = failing[rows[window.items.columns == column]].mean()
    base = failing.mean()
    return float((window.items.columns == column).sum() * bernoulli(share, base) * (share > base))


def _window(trial: Trial, normal: Sequence[Period]) -> tuple[list[Item], Window]:
    """Arrange fault-window and fault-free traces with their deviations as one window."""
    periods = [trial.window, *normal]
    deviations = _Deviations(trial.references)
    first = np.cumsum([0, *(period.traces for period in periods)])
    touches = {
        (int(offset) + trace, item)
        for offset, period in zip(first, periods, strict=False)
        for trace, item in deviations.of(period)
    }
    items = sorted({item for _, item in touches})
    number = {item: n for n, item in enumerate(items)}
    pairs = sorted((trace, number[item]) for trace, item in touches)
    rows = np.array([trace for trace, _ in pairs], np.int64)
    n = int(first[-1])
    failing = np.arange(n) < trial.window.traces
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    columns = np.array([item for _, item in pairs], np.int32)
    return items, Window(
        start_ns=np.arange(n),
        items=Incidence(starts=starts, columns=columns, width=len(items)),
        touched_ns=rows,
        item_kinds=("service",) * len(items),
        item_names=tuple(" ".join(item) for item in items),
        failing={"error": failing},
        failing_ns={"error": np.where(failing, np.arange(n), NEVER)},
        weight=np.ones(n),
        unit=np.arange(n, dtype=np.int32),
        stratum=np.zeros(n, np.int32),
    )


class _Deviations:
    """What is normal, and how the traces of a period differ from it."""

    def __init__(self, references: Sequence[Period]) -> None:
        self._limit_ms = _limits([unit_costs(period) for period in references])
        self._seen: set[Item] = set()
        roots: Counter[str] = Counter()
        shown: Counter[tuple[str, Item]] = Counter()
        for period in references:
            for root, features in _features(period):
                roots[root] += 1
                shown.update((root, feature) for feature in features)
                self._seen |= features
        self._usual: dict[str, set[Item]] = defaultdict(set)
        for (root, feature), count in shown.items():
            if count >= USUAL_SHARE * roots[root]:
                self._usual[root].add(feature)

    def of(self, period: Period) -> Iterator[Touch]:
        """Yield the deviations of each trace, some more than once."""
        yield from self._slow(unit_costs(period))
        for trace, (root, features) in enumerate(_features(period)):
            for service, feature in features - self._seen:
                yield trace, (service, f"new {feature}")
            for service, feature in self._usual[root] - features:
                yield trace, (service, f"missing {feature}")
            for service, feature in features:
                if feature.startswith("says ERROR"):
                    yield trace, (service, "error")

    def _slow(self, costs: UnitCosts) -> Iterator[Touch]:
        """Charge a slow way to the callee, and to a caller with two slow ways or more."""
        limit = np.array([self._limit_ms.get(unit, np.inf) for unit in costs.units])
        ways: dict[tuple[int, str], set[str]] = defaultdict(set)
        for call in np.flatnonzero(costs.cost_ms > limit[costs.unit]).tolist():
            unit, trace = costs.units[costs.unit[call]], int(costs.trace[call])
            yield trace, (unit.callee, "slow to reach" if unit.is_edge else "slow")
            if unit.is_edge:
                ways[trace, unit.caller].add(unit.callee)
        for (trace, caller), callees in ways.items():
            if len(callees) >= 2:
                yield trace, (caller, "slow to reach others")


def _limits(references: Sequence[UnitCosts]) -> dict[Unit, float]:
    """Largest normal cost of a call of each unit."""
    found: dict[Unit, list[np.ndarray]] = defaultdict(list)
    for costs in references:
        for number, unit in enumerate(costs.units):
            found[unit].append(costs.cost_ms[costs.unit == number])
    return {unit: _limit_ms(np.concatenate(costs)) for unit, costs in found.items()}


def _limit_ms(costs: np.ndarray) -> float:
    logs = np.log(np.maximum(costs, 1e-6))
    median = np.median(logs)
    deviation = 1.4826 * np.median(np.abs(logs - median))
    return float(np.exp(max(median + 3.5 * deviation, logs.max())) + MARGIN_MS)


def _features(period: Period) -> Iterator[tuple[str, set[Item]]]:
    """Yield the root operation and what each trace shows: operations and statements."""
    features: list[set[Item]] = [set() for _ in range(period.traces)]
    roots = [""] * period.traces
    for span in range(len(period.trace)):
        trace, operation = int(period.trace[span]), period.operations[period.operation[span]]
        features[trace].add((period.services[period.service[span]], f"does {operation}"))
        if period.parent[span] < 0:
            roots[trace] = operation
    if period.statements:
        said = period.statements
        for span, name in zip(said.span.tolist(), said.name.tolist(), strict=True):
            service = period.services[period.service[span]]
            features[period.trace[span]].add((service, f"says {' '.join(said.names[name])}"))
    return zip(roots, features, strict=True)
