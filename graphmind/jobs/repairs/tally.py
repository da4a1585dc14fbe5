"""Repairs in numbers for a monitoring system (S18, S29). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphmind.repair.record import Repair, StepState
from graphmind.repair.states import State
from graphmind.repair.track_record import verdict_of
from graphmind.verification.history import nearest_rank

P95 = 0.95


@dataclass(frozen=True, kw_only=True)
class RepairTally:
    """What became of repairs; a share or a time is None where there is nothing to tell it by."""

    attempts: int
    """Live repairs that were begun."""
    successes: int
    """Of those, effective ones."""
    traces_rebuilt: int
    """Steps that built a chain anew and took effect."""
    rollback_seconds: tuple[float, ...]
    """From the first inverse to the last, of each that was rolled back."""
    auto_success_rate: float | None
    """Of those that ran without a person and have a verdict, the share that was effective."""
    latency_p95_s: float | None
    """From the start of a run to its last step."""


def tally_of(repairs: Iterable[Repair]) -> RepairTally:
    """Count repairs, given in any order."""
    begun = [each for each in repairs if each.mode == "live" and each.started_ms is not None]
    judged = [each for each in begun if each.operator == "system" and verdict_of(each)]
    latencies = [
        (each.executed_ms - each.started_ms) / 1000
        for each in begun
        if each.executed_ms is not None and each.started_ms is not None
    ]
    return RepairTally(
        attempts=len(begun),
        successes=_effective(begun),
        traces_rebuilt=sum(_rebuilt(each) for each in begun),
        rollback_seconds=tuple(
            seconds for each in begun if (seconds := _rolled_back_s(each)) is not None
        ),
        auto_success_rate=_effective(judged) / len(judged) if judged else None,
        latency_p95_s=nearest_rank(latencies, P95),
    )


def _effective(repairs: Sequence[Repair]) -> int:
    return sum(verdict_of(each) == "effective" for each in repairs)


def _rebuilt(repair: Repair) -> int:
    steps = repair.plan.steps if repair.plan else ()
    numbers = {step.number for step in steps if step.call.action == "rebuild_trace"}
    return sum(run.number in numbers and run.state is StepState.APPLIED for run in repair.steps)


def _rolled_back_s(repair: Repair) -> float | None:
    undone = [run for run in repair.steps if run.state is StepState.UNDONE]
    if repair.state is not State.ROLLED_BACK or not undone or repair.ended_ms is None:
        return None
    return (repair.ended_ms - min(run.started_ms for run in undone)) / 1000
