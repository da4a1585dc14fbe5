"""How the runner keeps what it does: a change of a repair, its audit entries and its lease."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from graphmind.repair.audit import drafted
from graphmind.repair.calls import Outcome, Patience
from graphmind.repair.journal import AuditDraft, Journal
from graphmind.repair.model import Step
from graphmind.repair.progress import run_of, with_run
from graphmind.repair.record import Repair, StepRun, StepState
from graphmind.repair.states import Event, State, after

ENDED: Final = frozenset({State.FAILED, State.INTERCEPTED, State.ROLLED_BACK, State.EXPIRED})
"""States in which the runner lets a repair go for good."""


class Ledger:
    """Writes to the journal on behalf of one who runs, resumes or undoes a repair."""

    def __init__(
        self, journal: Journal, *, now_ms: Callable[[], int], patience: Patience, who: str
    ) -> None:
        self._journal = journal
        self._now_ms = now_ms
        self._patience = patience
        self._who = who

    def keep(self, repair: Repair, *drafts: AuditDraft) -> Repair:
        """Write a changed repair; renews the lease while it is live."""
        is_executed = repair.state is State.VERIFYING
        lease_ms = self._patience.verifying_lease_ms if is_executed else self._patience.lease_ms
        return self._journal.change(repair, *drafts, lease_until_ms=self._now_ms() + lease_ms)

    def move(
        self, repair: Repair, *events: Event, reason: str = "", first: AuditDraft | None = None
    ) -> Repair:
        """Change the state by the table, over several events in one transaction.

        ``first`` is the entry of what led to it. Raises NotAllowed.
        """
        now_ms, drafts = self._now_ms(), [first] if first else []
        for event in events:
            repair = replace(repair, state=after(repair.state, event), reason=reason)
            drafts.append(self.entry(repair, event, reason=reason))
        if events[-1] is Event.RUN:
            repair = replace(repair, steps=(), started_ms=now_ms)
        if events[-1] is Event.EXECUTED:
            repair = replace(repair, executed_ms=now_ms)
        if events[-1] is Event.REPLAN:
            repair = replace(repair, steps=(), started_ms=None)
        ended_ms = now_ms if repair.state in ENDED else None
        return self.keep(replace(repair, ended_ms=ended_ms), *drafts)

    def intend(self, repair: Repair, step: Step, state: StepState, *, attempt: int) -> Repair:
        """Write that a call is about to be made."""
        now_ms = self._now_ms()
        run = StepRun(number=step.number, state=state, attempts=attempt, started_ms=now_ms)
        begun = with_run(repair, run)
        return self.keep(begun, self.step_entry(begun, step, f"step_{state}"))

    def marked(self, repair: Repair, step: Step, state: StepState, detail: str) -> Repair:
        """Return the repair with a step that ended so; writes nothing."""
        run = run_of(repair, step)
        assert run is not None
        return with_run(repair, replace(run, state=state, detail=detail, ended_ms=self._now_ms()))

    def entry(self, repair: Repair, what: str, **facts: Any) -> AuditDraft:
        """Return an audit entry on a repair; writes nothing."""
        return drafted(repair, str(what), who=self._who, at_ms=self._now_ms(), **facts)

    def step_entry(
        self, repair: Repair, step: Step, what: str, outcome: Outcome | None = None
    ) -> AuditDraft:
        """Return an audit entry on a step; writes nothing."""
        run = run_of(repair, step)
        is_undo = run is not None and run.state in (StepState.UNDOING, StepState.UNDONE)
        call = step.undo if is_undo and step.undo else step.call
        facts: dict[str, Any] = {
            "step": step.number,
            "connector": step.connector,
            "call": {"action": call.action, "target": call.target, "params": dict(call.params)},
            "attempt": run.attempts if run else 0,
        }
        if outcome is not None:
            facts |= {"detail": outcome.detail, "facts": dict(outcome.facts)}
        return self.entry(repair, what, **facts)
