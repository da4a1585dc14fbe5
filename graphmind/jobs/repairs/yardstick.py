"""What a repair is measured by, learnt before it: who is exposed, usual rates, figures. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from graphmind.jobs.repairs.requests import PARTS, Trace, cell_of, requests_of
from graphmind.verification.bounds import Bounds, bounds_of
from graphmind.verification.effect import Figures, figures_of
from graphmind.verification.exposure import Exposure, Past, exposure_of
from graphmind.verification.history import (
    WAIT_MAX_S,
    history_of,
    nearest_rank,
    traffic_of,
    waiting_s,
)
from graphmind.verification.options import Options
from graphmind.verification.request import RootRequest
from graphmind.verification.strata import Strata, strata_of
from graphmind.verification.words import BYSTANDER, EXPOSED

REGION, AGENT = PARTS.index("region"), PARTS.index("agent")
HEALTHY_FEW: Final = 200
"""With fewer traces before the onset, bystanders of the incident stand in for them (chosen)."""
SETTLED_FEW: Final = 50
"""Requests of the incident whose whole wait lies before the repair; with fewer, all are taken."""
BESIDE_SHARE_MIN: Final = 0.2
"""Bystanders for each exposed request, below which they are too few to compare with."""
MET_SHARE_MIN: Final = 0.5
"""Of the share of traces that met the target in the incident; from so much on before it they count
too (chosen)."""
SLOW_SHARE: Final = 0.95
NEVER_MS: Final = 1e12
"""No request is slow where no healthy one ended."""


@dataclass(frozen=True, kw_only=True)
class Before:
    """Traces before a repair, and what they touched."""

    traces: Sequence[Trace]
    target: set[str]
    """Ids of those that touched what the repair acts on."""
    destination: set[str]
    onset_ms: int
    executed_ms: int
    times_to_symptom_s: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Yardstick:
    """Who counts after the repair, and as what."""

    parts: tuple[int, ...]
    exposure: Exposure
    strata: Strata
    slow_ms: Mapping[str, float]
    """Healthy P95 by kind of task; the empty name is of all."""
    callbacks: tuple[str, ...]
    """Kinds of task whose answers are called back."""
    healthy: Figures
    incident: Figures

    def request(self, request_id: str, attempts: Sequence[Trace]) -> RootRequest | None:
        """Return a request of its attempts by start; None where it belongs to no group."""
        cell = cell_of(attempts[0], self.parts)
        group = self.exposure.group_of(cell)
        if group is None:
            return None
        task = attempts[0].parts[0]
        return RootRequest(
            request_id=request_id,
            group=group,
            stratum=self.strata.of_cell(cell),
            slow_ms=self.slow_ms.get(task, self.slow_ms[""]),
            attempts=tuple(trace.attempt for trace in attempts),
        )

    def exposed(self, traces: Iterable[Trace]) -> list[Trace]:
        """Return those that would have touched the target, each request by its last attempt."""
        return [
            attempts[-1]
            for attempts in requests_of(traces).values()
            if self.exposure.group_of(cell_of(attempts[0], self.parts)) == EXPOSED
        ]

    def figures(self, traces: Iterable[Trace]) -> Figures:
        """Sum up exposed requests."""
        return figures_of(
            trace.seen(callbacks=trace.parts[0] in self.callbacks) for trace in self.exposed(traces)
        )

    def document(self) -> dict[str, Any]:
        """Return it as JSON-ready names and values."""
        return {
            "parts": list(self.parts),
            "exposure": self.exposure.document(),
            "strata": self.strata.document(),
            "slow_ms": dict(self.slow_ms),
            "callbacks": list(self.callbacks),
            "healthy": asdict(self.healthy),
            "incident": asdict(self.incident),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``document`` returned."""
        return cls(
            parts=tuple(document["parts"]),
            exposure=Exposure.of(document["exposure"]),
            strata=Strata.of(document["strata"]),
            slow_ms=document["slow_ms"],
            callbacks=tuple(document["callbacks"]),
            healthy=Figures(**document["healthy"]),
            incident=Figures(**document["incident"]),
        )


def measure(
    before: Before, parts: tuple[int, ...], *, wait_s: float | None = None
) -> tuple[Yardstick, Bounds]:
    """Learn from the traces before a repair; ``wait_s`` is what a strategy asks for.

    Raises Unverifiable without healthy requests, or exposed ones of the incident.
    """
    parts = _still_telling(before.traces, parts)
    early = [t for t in before.traces if t.attempt.start_ms < before.onset_ms]
    late = [t for t in before.traces if t.attempt.start_ms >= before.onset_ms]
    exposure = _exposure(early, late, before, parts)
    groups = [exposure.group_of(cell_of(trace, parts)) for trace in late]
    grouped = [(t, group) for t, group in zip(late, groups, strict=True) if group]
    strata = strata_of((cell_of(trace, parts), group) for trace, group in grouped)
    beside = [trace for trace, group in grouped if group == BYSTANDER]
    healthy = early if len(early) >= HEALTHY_FEW else [*early, *beside]
    rough = Yardstick(
        parts=parts,
        exposure=exposure,
        strata=strata,
        slow_ms=_slow(healthy),
        callbacks=_callbacks(healthy),
        healthy=figures_of(()),
        incident=figures_of(()),
    )
    yardstick = replace(rough, healthy=rough.figures(healthy), incident=rough.figures(late))
    options = Options(wait_s=_wait_s(before, healthy, wait_s))
    return yardstick, _bounds(yardstick, before, healthy, late, options)


def _still_telling(traces: Iterable[Trace], parts: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out the agent with the region where each works in one: a drain decides both."""
    if REGION in parts or AGENT not in parts:
        return parts
    regions = defaultdict[str, set[str]](set)
    for trace in traces:
        regions[trace.parts[AGENT]].add(trace.parts[REGION])
    if len(regions) > 1 and all(len(each) == 1 for each in regions.values()):
        return tuple(part for part in parts if part != AGENT)
    return parts


def _bounds(
    yardstick: Yardstick,
    before: Before,
    healthy: Sequence[Trace],
    late: Sequence[Trace],
    options: Options,
) -> Bounds:
    # What began within the wait before the repair was perhaps mended by it.
    until_ms = before.executed_ms - round(options.wait_s * 1000)
    settled = [trace for trace in late if trace.attempt.start_ms < until_ms]
    of_incident = settled if len(settled) >= SETTLED_FEW else late
    history = history_of(
        _requests(yardstick, healthy),
        _requests(yardstick, of_incident),
        strata=yardstick.strata.count,
        options=options,
    )
    seconds = max((before.executed_ms - before.onset_ms) / 1000, 1.0)
    return bounds_of(history, traffic_of(_requests(yardstick, late), seconds=seconds), options)


def _requests(yardstick: Yardstick, traces: Iterable[Trace]) -> Iterator[RootRequest]:
    for name, attempts in requests_of(traces).items():
        request = yardstick.request(name, attempts)
        if request is not None:
            yield request


def _exposure(
    early: Sequence[Trace], late: Sequence[Trace], before: Before, parts: tuple[int, ...]
) -> Exposure:
    """Learn the cells by the incident, and by the time before it where the target was met then.

    A key, an agent, a region was; a new version was not, and what went elsewhere then says nothing.
    """
    known = late or early
    if late and _share(early, before.target) >= MET_SHARE_MIN * _share(late, before.target):
        known = [*early, *late]
    exposure = exposure_of(
        Past(
            cell=cell_of(trace, parts),
            target=trace.trace_id in before.target,
            destination=trace.trace_id in before.destination,
        )
        for trace in known
    )
    # Where nearly all meet the target at times, those who do so less often are what is beside.
    few = exposure.size(BYSTANDER) < BESIDE_SHARE_MIN * exposure.size(EXPOSED)
    return replace(exposure, mixed_beside=few)


def _share(traces: Sequence[Trace], target: set[str]) -> float:
    return sum(trace.trace_id in target for trace in traces) / max(len(traces), 1)


def _slow(healthy: Iterable[Trace]) -> dict[str, float]:
    durations: dict[str, list[float]] = {"": []}
    for trace in healthy:
        if trace.duration_ms is not None:
            durations.setdefault(trace.parts[0], []).append(trace.duration_ms)
            if trace.parts[0]:
                durations[""].append(trace.duration_ms)
    return {task: nearest_rank(found, SLOW_SHARE) or NEVER_MS for task, found in durations.items()}


def _callbacks(healthy: Iterable[Trace]) -> tuple[str, ...]:
    """Return the kinds of task most of whose healthy requests call back."""
    seen, called = Counter[str](), Counter[str]()
    for trace in healthy:
        seen[trace.parts[0]] += 1
        called[trace.parts[0]] += trace.calls_back
    return tuple(sorted(task for task, n in seen.items() if 2 * called[task] > n))


def _wait_s(before: Before, healthy: Iterable[Trace], asked_s: float | None) -> float:
    """Return how long a request is waited for: until symptoms show, and healthy ones end."""
    if asked_s is not None:
        return asked_s
    durations = [t.duration_ms / 1000 for t in healthy if t.duration_ms is not None]
    usual = min(nearest_rank(durations, 0.99) or 0.0, WAIT_MAX_S)
    return max(waiting_s(before.times_to_symptom_s, Options()), usual)
