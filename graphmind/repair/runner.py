"""Runs approved repairs step by step: the intent is kept, the call made, the outcome kept.

Each of these is one transaction of the journal with the change of state, so that a runner that dies
anywhere leaves a record from which ``resume`` goes on. A step that fails undoes those before it.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from graphmind.repair.audit import drafted
from graphmind.repair.calls import Calls, Patience
from graphmind.repair.connector import Connector
from graphmind.repair.journal import Journal, Outdated
from graphmind.repair.ledger import Ledger
from graphmind.repair.progress import joined, next_back
from graphmind.repair.record import Operator, Repair
from graphmind.repair.states import Event, NotAllowed, State, after
from graphmind.repair.walk import Unsettled, Walk

log = logging.getLogger(__name__)

STOP: Final = "stop"
"""The switch that stops all repairs: ``{on, by, why}``."""


class Runner:
    """Runs, resumes and undoes repairs; holds no state of its own."""

    def __init__(
        self,
        journal: Journal,
        connectors: Mapping[str, Connector],
        *,
        now_ms: Callable[[], int],
        sleep: Callable[[float], None],
        patience: Patience | None = None,
    ) -> None:
        self._journal = journal
        self._patience = patience or Patience()
        self._calls = Calls(connectors, patience=self._patience, sleep=sleep)
        self._now_ms = now_ms
        self._sleep = sleep

    def run(self, repair_id: str, *, who: str) -> Repair:
        """Run an approved repair until it is executed, undone, or nobody can tell.

        Returns it verifying, proposed (the world changed, plan anew), failed, intercepted, rolled
        back or expired; still running or rolling back where a call cannot be settled now. Raises
        NotAllowed where it may not run, TargetBusy where another repair holds the target, Outdated
        where somebody else was first, StoreError where the journal does not write.
        """
        repair, ledger = self._journal.get(repair_id), self._ledger(who)
        after(repair.state, Event.RUN)
        self._refuse(repair)
        if repair.plan is not None and repair.plan.expires_ms <= self._now_ms():
            return ledger.move(repair, Event.EXPIRE, reason="the plan is too old to run")
        return self._go_on(ledger.move(repair, Event.RUN), ledger)

    def undo(
        self,
        repair_id: str,
        *,
        who: str,
        reason: str,
        by: Operator = "human",
        harmful: bool = False,
    ) -> Repair:
        """Undo what a repair did, last step first; ``harmful`` is the verdict that asks for it.

        Returns it rolled back, failed, or rolling back where nobody can tell now. Raises NotAllowed
        where the state or the plan allows no undo, else as ``run``.
        """
        repair, ledger = self._journal.get(repair_id), self._ledger(who)
        if next_back(repair) is None:
            raise NotAllowed(
                f"Nothing that repair {repair_id} did can be undone: no step that is in effect has "
                "an inverse."
            )
        events = (Event.HARMFUL, Event.UNDO) if harmful else (Event.UNDO,)
        asked = replace(repair, operator=joined(repair.operator, by))
        return self._go_on(ledger.move(asked, *events, reason=reason), ledger)

    def resume(self, repair_id: str, *, who: str) -> Repair:
        """Go on with a repair whose runner is gone. Raises as ``run``."""
        repair, ledger = self._journal.get(repair_id), self._ledger(who)
        if repair.state not in (State.RUNNING, State.ROLLING_BACK):
            raise NotAllowed(
                f"Repair {repair_id} is {repair.state}: only one under way is resumed."
            )
        return self._go_on(ledger.keep(repair, ledger.entry(repair, "resume")), ledger)

    def _ledger(self, who: str) -> Ledger:
        return Ledger(self._journal, now_ms=self._now_ms, patience=self._patience, who=who)

    def _refuse(self, repair: Repair) -> None:
        if repair.mode != "live":
            raise NotAllowed(f"Repair {repair.repair_id} is a dry run: ask for a live one.")
        plan_hash = repair.plan.plan_hash if repair.plan else ""
        if not any(a.approved and a.plan_hash == plan_hash for a in repair.approvals):
            raise NotAllowed(
                f"No approval of repair {repair.repair_id} is for its plan {plan_hash[:12]}: "
                "the plan was made anew since, approve that one."
            )
        if stopped := self._stopped():
            raise NotAllowed(f"{stopped}: release the stop first.")

    def _go_on(self, repair: Repair, ledger: Ledger) -> Repair:
        walk = Walk(
            ledger, self._calls, patience=self._patience, halted=self._halted, sleep=self._sleep
        )
        try:
            return self._walked(repair, walk, ledger)
        except Outdated:
            log.warning("repair_taken_over repair_id=%s", repair.repair_id)
            return self._journal.get(repair.repair_id)

    def _walked(self, repair: Repair, walk: Walk, ledger: Ledger) -> Repair:
        try:
            while repair.state is State.RUNNING:
                repair = walk.forward(repair)
            while repair.state is State.ROLLING_BACK:
                repair = walk.back(repair)
        except Unsettled as left:
            waits = replace(left.repair, reason=left.detail)
            return ledger.keep(waits, ledger.entry(waits, "unsettled", detail=left.detail))
        return repair

    def _halted(self, repair: Repair) -> str:
        """Return why a running repair shall stop before its next step; empty where it shall not."""
        asked = self._journal.setting(intercept_name(repair.repair_id))
        if asked and asked["started_ms"] == repair.started_ms:
            return f"intercepted by {asked['who']}: {asked['reason']}"
        return self._stopped()

    def _stopped(self) -> str:
        stop = self._journal.setting(STOP)
        if not stop.get("on"):
            return ""
        return f"all repairs are stopped: {stop.get('why') or 'no reason given'}"


def intercept_name(repair_id: str) -> str:
    """Return the name of the switch by which a person intercepts a running repair."""
    return f"intercept:{repair_id}"


def intercept(journal: Journal, repair_id: str, *, who: str, reason: str, at_ms: int) -> None:
    """Ask that a running repair stops before its next step and undoes what it did.

    The runner does it, wherever it runs. Raises NotAllowed where the repair is not running.
    """
    repair = journal.get(repair_id)
    after(repair.state, Event.INTERCEPT)
    draft = drafted(repair, "ask_intercept", who=who, at_ms=at_ms, reason=reason)
    value = {"who": who, "reason": reason, "started_ms": repair.started_ms}
    journal.set(intercept_name(repair_id), value, draft)
