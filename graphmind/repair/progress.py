"""How far a repair got, read from its record, and the record with one step further. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from graphmind.repair.model import Step
from graphmind.repair.record import Operator, Repair, StepRun, StepState


def key_of(repair: Repair, step: Step) -> str:
    """Return the idempotency key of a step: the same for each attempt, another for another plan."""
    assert repair.plan is not None
    return f"{repair.repair_id}:{repair.plan.plan_hash[:8]}:{step.number}"


def run_of(repair: Repair, step: Step) -> StepRun | None:
    """Return how far a step got; None where it was never begun."""
    return next((run for run in repair.steps if run.number == step.number), None)


def with_run(repair: Repair, run: StepRun) -> Repair:
    """Return the record with a step's progress in place of what it was."""
    others = [known for known in repair.steps if known.number != run.number]
    return replace(repair, steps=tuple(sorted((*others, run), key=lambda known: known.number)))


def next_forward(repair: Repair) -> Step | None:
    """Return the first step that did not take effect yet, and is not left out."""
    over = (StepState.APPLIED, StepState.LEFT_OUT)
    return next((s for s in _steps(repair) if not _is(repair, s, *over)), None)


def next_back(repair: Repair) -> Step | None:
    """Return the last step that is in effect and has an inverse."""
    return next(reversed(list(_in_effect(repair, has_undo=True))), None)


def kept(repair: Repair) -> list[Step]:
    """Return the steps that are in effect and have no inverse: no undo brings them back."""
    return list(_in_effect(repair, has_undo=False))


def first_of_targets(repair: Repair) -> list[Step]:
    """Return the first step on each target: the others find what that one left."""
    firsts: dict[tuple[str, str], Step] = {}
    for step in _steps(repair):
        firsts.setdefault((step.connector, step.call.target), step)
    return list(firsts.values())


def joined(operator: Operator, other: Operator) -> Operator:
    """Return who a repair is by when another kind of operator takes part."""
    return operator if operator == other else "mixed"


def _in_effect(repair: Repair, *, has_undo: bool) -> Iterator[Step]:
    for step in _steps(repair):
        is_on = _is(repair, step, StepState.APPLIED, StepState.UNDOING)
        if is_on and (step.undo is not None) == has_undo:
            yield step


def _is(repair: Repair, step: Step, *states: StepState) -> bool:
    run = run_of(repair, step)
    return run is not None and run.state in states


def _steps(repair: Repair) -> tuple[Step, ...]:
    return repair.plan.steps if repair.plan else ()
