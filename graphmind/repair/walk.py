"""One step forward or back: what follows from what came of a call."""

from collections.abc import Callable

from graphmind.repair.calls import Calls, Came, Outcome, Patience
from graphmind.repair.journal import AuditDraft
from graphmind.repair.ledger import Ledger
from graphmind.repair.model import Step
from graphmind.repair.progress import (
    first_of_targets,
    kept,
    key_of,
    next_back,
    next_forward,
    run_of,
)
from graphmind.repair.record import Repair, StepState
from graphmind.repair.states import Event


class Unsettled(Exception):  # noqa: N818 - reads as the finding it reports
    """Nobody can tell now what came of a call: the repair is left for a recovery."""

    def __init__(self, repair: Repair, detail: str) -> None:
        super().__init__(detail)
        self.repair = repair
        self.detail = detail


class Walk:
    """Takes a repair from step to step; ``halted`` says why it shall stop, or nothing."""

    def __init__(
        self,
        ledger: Ledger,
        calls: Calls,
        *,
        patience: Patience,
        halted: Callable[[Repair], str],
        sleep: Callable[[float], None],
    ) -> None:
        self._ledger = ledger
        self._calls = calls
        self._patience = patience
        self._halted = halted
        self._sleep = sleep

    def forward(self, repair: Repair) -> Repair:
        """Make one attempt at the next step of a running repair, or turn back.

        Raises Unsettled where it cannot be said what came of it.
        """
        step = next_forward(repair)
        if step is None:
            return self._executed(repair)
        run = run_of(repair, step)
        if run is not None and run.state is StepState.INTENDED:
            said = "the runner ended after the call was intended"
            return self._take(repair, step, self._settled(repair, step, said))
        if halt := self._halted(repair):
            return self._turn_back(repair, Event.INTERCEPT, halt)
        if not repair.steps and (turned := self._prechecked(repair)):
            return turned
        attempts = run.attempts if run else 0
        if run is not None and attempts >= self._patience.attempts_max:
            return self._given_up(repair, step, run.detail)
        repair = self._ledger.intend(repair, step, StepState.INTENDED, attempt=attempts + 1)
        return self._take(repair, step, self._calls.apply(step, key_of(repair, step)))

    def back(self, repair: Repair) -> Repair:
        """Undo the last step in effect of a repair that rolls back; fail where that does not work.

        Raises Unsettled where it cannot be said what came of it.
        """
        step = next_back(repair)
        if step is None:
            return self._ledger.move(repair, Event.UNDONE, reason=_reason_undone(repair))
        if unfit := self._calls.unfit(step):
            return self._ledger.move(repair, Event.FAIL, reason=unfit)
        run = run_of(repair, step)
        if run is not None and run.state is StepState.UNDOING:
            said = "the runner ended after the undo was intended"
            outcome = self._calls.settle_undo(step, key_of(repair, step), said=said)
            return self._take_back(repair, step, outcome)
        return self._undone(repair, step)

    def _prechecked(self, repair: Repair) -> Repair | None:
        """Look before the first step whether all is as planned; return the repair where not."""
        assert repair.plan is not None
        for unfit in filter(None, map(self._calls.unfit, repair.plan.steps)):
            return self._turn_back(repair, Event.FAIL, unfit)
        for step in first_of_targets(repair):
            if step.optional:
                continue
            outcome = self._calls.precheck(step, key_of(repair, step))
            if outcome.came is Came.CHANGED:
                return self._ledger.move(repair, Event.REPLAN, reason=outcome.detail)
            if outcome.came is Came.UNKNOWN:
                return self._turn_back(repair, Event.FAIL, outcome.detail)
        return None

    def _take(self, repair: Repair, step: Step, outcome: Outcome) -> Repair:
        """Keep what came of a step, with the change of state that follows from it."""
        if outcome.came is Came.UNKNOWN:
            raise Unsettled(repair, outcome.detail)
        if outcome.came is Came.DONE:
            done = self._ledger.marked(repair, step, StepState.APPLIED, outcome.detail)
            draft = self._ledger.step_entry(done, step, "step_applied", outcome)
            if next_forward(done) is None:
                return self._executed(done, first=draft)
            return self._ledger.keep(done, draft)
        failed = self._ledger.marked(repair, step, StepState.FAILED, outcome.detail)
        if outcome.came is Came.CHANGED:
            draft = self._ledger.step_entry(failed, step, "step_changed", outcome)
            if step.optional:
                return self._given_up(self._ledger.keep(failed, draft), step, outcome.detail)
            return self._on_changed(failed, draft, outcome.detail)
        draft = self._ledger.step_entry(failed, step, "step_failed", outcome)
        failed = self._ledger.keep(failed, draft)
        wait_s = self._wait_s(failed, step, outcome)
        if wait_s is None:
            return self._given_up(failed, step, outcome.detail)
        self._sleep(wait_s)
        return failed

    def _given_up(self, repair: Repair, step: Step, detail: str) -> Repair:
        """Go on without a step that is optional; turn back for any other."""
        if not step.optional:
            return self._turn_back(repair, Event.FAIL, f"step {step.number}: {detail}")
        repair = self._looked_late(repair)
        left = next_forward(repair)
        if left is not None and left.number == step.number:
            repair = self._ledger.marked(repair, step, StepState.LEFT_OUT, detail)
            repair = self._ledger.keep(
                repair, self._ledger.step_entry(repair, step, "step_left_out")
            )
        return self._executed(repair) if next_forward(repair) is None else repair

    def _executed(self, repair: Repair, first: AuditDraft | None = None) -> Repair:
        """End a run over all steps; it failed where every one of them was left out."""
        if {run.state for run in repair.steps} == {StepState.LEFT_OUT}:
            return self._turn_back(repair, Event.FAIL, "all its steps had to be left out")
        return self._ledger.move(repair, Event.EXECUTED, first=first)

    def _on_changed(self, repair: Repair, draft: AuditDraft, detail: str) -> Repair:
        if any(run.state is StepState.APPLIED for run in repair.steps):
            return self._turn_back(self._ledger.keep(repair, draft), Event.FAIL, detail)
        return self._ledger.move(repair, Event.REPLAN, reason=detail, first=draft)

    def _wait_s(self, repair: Repair, step: Step, outcome: Outcome) -> float | None:
        """Return how long to wait before the next attempt; None where there shall be none."""
        run = run_of(repair, step)
        assert run is not None
        asked_s = outcome.retry_after_s or 0.0
        if run.attempts >= self._patience.attempts_max or asked_s > self._patience.wait_max_s:
            return None
        wait_s: float = self._patience.wait_s * 2.0 ** (run.attempts - 1)
        return max(asked_s, min(wait_s, self._patience.wait_max_s))

    def _turn_back(self, repair: Repair, event: Event, reason: str) -> Repair:
        """End a running repair; where something can be undone it rolls back in the same change."""
        repair = self._looked_late(repair)
        events = (event, Event.UNDO) if next_back(repair) else (event,)
        return self._ledger.move(repair, *events, reason=reason)

    def _looked_late(self, repair: Repair) -> Repair:
        """Look at the step that failed once more: a call may have come through late."""
        step = next_forward(repair)
        if step is None or run_of(repair, step) is None:
            return repair
        outcome = self._settled(repair, step, "looked at again before turning back")
        if outcome.came is not Came.DONE:
            return repair
        late = self._ledger.marked(repair, step, StepState.APPLIED, outcome.detail)
        return self._ledger.keep(
            late, self._ledger.step_entry(late, step, "step_applied_late", outcome)
        )

    def _undone(self, repair: Repair, step: Step) -> Repair:
        """Undo one step, several times if it must be; the repair fails where none works."""
        for attempt in range(1, self._patience.attempts_max + 1):
            repair = self._ledger.intend(repair, step, StepState.UNDOING, attempt=attempt)
            outcome = self._calls.undo(step, key_of(repair, step))
            repair = self._take_back(repair, step, outcome)
            if outcome.came is not Came.NOT_DONE:
                return repair
            wait_s = self._wait_s(repair, step, outcome)
            if wait_s is None:
                break
            self._sleep(wait_s)
        return self._ledger.move(repair, Event.FAIL, reason=_reason_kept(step, outcome))

    def _take_back(self, repair: Repair, step: Step, outcome: Outcome) -> Repair:
        if outcome.came is Came.UNKNOWN:
            raise Unsettled(repair, outcome.detail)
        if outcome.came is Came.DONE:
            undone = self._ledger.marked(repair, step, StepState.UNDONE, outcome.detail)
            draft = self._ledger.step_entry(undone, step, "step_undone", outcome)
            return self._ledger.keep(undone, draft)
        still = self._ledger.marked(repair, step, StepState.APPLIED, outcome.detail)
        draft = self._ledger.step_entry(still, step, "step_undo_failed", outcome)
        if outcome.came is Came.NOT_DONE:
            return self._ledger.keep(still, draft)
        reason = _reason_kept(step, outcome)
        return self._ledger.move(still, Event.FAIL, reason=reason, first=draft)

    def _settled(self, repair: Repair, step: Step, said: str) -> Outcome:
        if unfit := self._calls.unfit(step):
            return Outcome(came=Came.UNKNOWN, detail=unfit)
        return self._calls.settle(step, key_of(repair, step), said=said)


def _reason_undone(repair: Repair) -> str:
    left = ", ".join(f"step {s.number}: {s.undoes_with or s.summary}" for s in kept(repair))
    return f"{repair.reason}; not brought back: {left}" if left else repair.reason


def _reason_kept(step: Step, outcome: Outcome) -> str:
    return f"step {step.number} could not be undone: {outcome.detail}"
