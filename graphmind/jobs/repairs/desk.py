"""The one place that repairs are asked for: people by CLI and API, and the service by itself."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from graphmind.jobs.repairs.book import Book
from graphmind.jobs.repairs.judging import (
    PAST_MAX,
    SUPPRESSED,
    Judged,
    judge,
    policy_of,
    standing_against,
)
from graphmind.jobs.repairs.situation import Situation, root_cause_of, situation_of
from graphmind.jobs.stores import Stores
from graphmind.repair.audit import ChainBreak, drafted, proposed
from graphmind.repair.audit_views import package
from graphmind.repair.connector import Connector
from graphmind.repair.graph_journal import GraphJournal, verify_journal
from graphmind.repair.guards import in_force
from graphmind.repair.impact import ask_impact, impact_of, scope_of
from graphmind.repair.journal import AuditDraft, AuditEntry
from graphmind.repair.model import Plan
from graphmind.repair.planner import PlanRefused, draft, make_plan, render
from graphmind.repair.policy import MAY_APPROVE, POLICY, approved, level_of, missing, target_of
from graphmind.repair.progress import joined
from graphmind.repair.reach import joined as joined_rows
from graphmind.repair.reach import reach_of
from graphmind.repair.record import Approval, Operator, Repair
from graphmind.repair.recovery import recover
from graphmind.repair.runner import STOP, Runner, intercept
from graphmind.repair.states import Event, NotAllowed, State, after
from graphmind.repair.strategies.revisions import Revision
from graphmind.repair.track_record import records_of
from graphmind.repair.trigger import Choice, choose
from graphmind.settings import Settings

SWITCHES: Final = ("incident", "cluster", "strategy", "target")
"""What may be suppressed, each with a name: ``incident:ID``, ``target:LEVEL:NAME``..."""

PLANNING_MS: Final = 60_000
"""A repair that has no plan after so long gets none from who asked for it (chosen)."""


class RepairDesk:
    """Plans, decides, runs and undoes repairs over the stores of one data folder. Thread-safe.

    Its methods raise UnknownName for what does not exist, NotAllowed where the state of a repair,
    a guard or a role forbids it, Outdated where somebody else was first, and StoreError.
    """

    def __init__(
        self,
        stores: Stores,
        settings: Settings,
        connectors: Mapping[str, Connector],
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        sleep: Callable[[float], None] = time.sleep,
        new_id: Callable[[], str] = lambda: f"rep-{uuid.uuid4().hex[:12]}",
    ) -> None:
        self.connectors: Mapping[str, Connector] = connectors
        self.stores = stores
        self.settings = settings
        self.now_ms = now_ms
        self.journal = GraphJournal(stores.graph)
        self.runner = Runner(self.journal, connectors, now_ms=now_ms, sleep=sleep)
        self._new_id = new_id
        self._book = Book(stores.graph, self.journal)

    def open(self) -> None:
        """Bring the strategies shipped and those of the set folder into the graph."""
        self.stores.graph.ensure_schema()
        folder = Path(self.settings.strategies) if self.settings.strategies else None
        self._book.take_in(folder, now_ms=self.now_ms())

    def choices(self, incident_id: str) -> Choice:
        """Return the strategies that answer an incident, best first, and why others do not."""
        return self.choices_in(self.situation(incident_id))

    def choices_in(self, situation: Situation) -> Choice:
        """Return the same for an incident of which the situation was read before."""
        records = records_of(self.journal.repairs(limit=PAST_MAX))
        fingerprint = situation.fingerprint
        return choose(situation.signs, self._book.in_use(), records, fingerprint=fingerprint)

    def situation(self, incident_id: str) -> Situation:
        """Return what is known of an incident."""
        archive = self.stores.archive
        incident = archive.incident(incident_id)
        return situation_of(archive, self.settings, incident, now_ms=self.now_ms())

    def plan(
        self,
        incident_id: str,
        *,
        who: str,
        strategy: str | None = None,
        idempotency_key: str = "",
        dry_run: bool = False,
        situation: Situation | None = None,
    ) -> Repair:
        """Plan a repair, best strategy first unless one is named; changes nothing outside.

        ``situation`` is that of the incident where it was just read: reading takes seconds.
        Returns it planned (a dry run), approved where the policy approves by itself, suppressed,
        or awaiting approval. For a key that is known it returns that repair as it stands. Raises
        PlanRefused where nothing answers the incident or no plan can be made, ConnectorError where
        a system does not answer.
        """
        if known := self._of_key(idempotency_key):
            return self._finished(known, who=who)
        situation = situation or self.situation(incident_id)
        revision = self._revision(situation, strategy)
        plan = self._plan(situation, revision)
        repair = self._new(situation, revision, plan, who=who, key=idempotency_key, dry_run=dry_run)
        kept = self.journal.create(
            repair,
            proposed(
                repair,
                who=who,
                at_ms=repair.requested_ms,
                detected_ms=situation.incident["opened_ms"],
            ),
        )
        if kept.repair_id != repair.repair_id:
            return kept
        return self._planned(kept, plan, revision, situation, who=who)

    def text(self, repair: Repair) -> str:
        """Say exactly what a repair would do, for people."""
        return render(repair.plan, self.connectors) if repair.plan else "no plan was made yet"

    def approve(
        self, repair_id: str, *, who: str, role: str, plan_hash: str, reason: str = ""
    ) -> Repair:
        """Approve the plan of that hash; the repair is approved once enough people did."""
        repair = self._decided(
            repair_id, who=who, role=role, plan_hash=plan_hash, reason=reason, yes=True
        )
        assert repair.plan is not None
        if repair.plan.expires_ms <= self.now_ms():
            return self._move(repair, Event.EXPIRE, who=who, reason="the plan is too old to run")
        policy, least = policy_of(self.settings), self._at_least(repair)
        if approved(repair, policy, at_least=least):
            return self._move(repair, Event.APPROVE, who=who, reason=reason, role=role)
        lacking = replace(repair, reason=missing(repair, policy, at_least=least))
        return self._keep(lacking, "approval", who=who, reason=reason, role=role)

    def reconsider(self, repair_id: str) -> Repair:
        """Judge a plan that waits for people once more: the finding may be surer by now.

        Returns it approved where the policy now lets it run by itself, else as it is.
        """
        repair = self.get(repair_id)
        if repair.state is not State.AWAITING_APPROVAL or repair.plan is None:
            return repair
        revision = self._book.get(repair.strategy)
        judged = self._judged(repair, revision, self.situation(repair.incident_id))
        if judged.suppressed or judged.decision.outcome != "by itself":
            return repair
        repair = self._with_own_approval(repair, judged)
        reason = "; ".join(judged.decision.reasons)
        return self._move(repair, Event.APPROVE, who=POLICY, reason=reason, role=POLICY)

    def reject(
        self, repair_id: str, *, who: str, role: str, plan_hash: str, reason: str = ""
    ) -> Repair:
        """Reject the plan of that hash: the repair ends."""
        repair = self._decided(
            repair_id, who=who, role=role, plan_hash=plan_hash, reason=reason, yes=False
        )
        return self._move(repair, Event.REJECT, who=who, reason=reason, role=role)

    def run(self, repair_id: str, *, who: str) -> Repair:
        """Run an approved repair; where the world changed since, return it planned anew.

        Raises TargetBusy where another repair holds the target.
        """
        repair = self.get(repair_id)
        after(repair.state, Event.RUN)
        revision = self._book.get(repair.strategy)
        against = standing_against(
            self.journal, self.settings, repair, revision, now_ms=self.now_ms()
        )
        # The runner itself lets a plan that is too old expire.
        stopping = [each for each in against if each.stops == "everything" and each.guard != "ttl"]
        if stopping:
            raise NotAllowed(
                f"Repair {repair_id} may not run: {'; '.join(each.reason for each in stopping)}"
            )
        ran = self.runner.run(repair_id, who=who)
        return self._replanned(ran, revision, who=who) if ran.state is State.PROPOSED else ran

    def cancel(self, repair_id: str, *, who: str, reason: str) -> Repair:
        """Give a repair up before it runs."""
        return self._move(self.get(repair_id), Event.CANCEL, who=who, reason=reason)

    def undo(self, repair_id: str, *, who: str, reason: str) -> Repair:
        """Undo what a repair did, last step first."""
        return self.runner.undo(repair_id, who=who, reason=reason)

    def intercept(self, repair_id: str, *, who: str, reason: str) -> None:
        """Stop a running repair before its next step; what it did is undone."""
        intercept(self.journal, repair_id, who=who, reason=reason, at_ms=self.now_ms())

    def suppress(self, target: str, *, who: str, reason: str, until_ms: int | None) -> None:
        """Keep repairs from a target until a time, for good without one; a past time lifts it.

        ``target`` is one of SWITCHES with its name. Raises NotAllowed for anything else.
        """
        kind, _, name = target.partition(":")
        if kind not in SWITCHES or not name:
            raise NotAllowed(
                f"Expected one of {', '.join(f'{each}:NAME' for each in SWITCHES)} to suppress, "
                f"came {target!r}"
            )
        now_ms, rules = self.now_ms(), dict(self.journal.setting(SUPPRESSED))
        lifts = until_ms is not None and until_ms <= now_ms
        rule = {"by": who, "why": reason} | ({} if until_ms is None else {"until_ms": until_ms})
        rules = {key: value for key, value in rules.items() if key != target}
        rules |= {} if lifts else {target: rule}
        what = "lift_suppression" if lifts else "set_suppression"
        body = {"suppressed": target, "reason": reason, "until_ms": until_ms}
        entry = AuditDraft(who=who, what=what, at_ms=now_ms, body=body)
        self.journal.set(SUPPRESSED, rules, entry)

    def switches(self) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]]]:
        """Return the stop (``on``, ``by``, ``why``), and the rules by what they suppress now."""
        suppressed = in_force(self.journal.setting(SUPPRESSED), self.now_ms())
        return dict(self.journal.setting(STOP)), suppressed

    def stop(self, on: bool, *, who: str, reason: str) -> None:  # noqa: FBT001 - a switch
        """Stop all repairs, also those that run, or let them go on."""
        what = "stop" if on else "release_stop"
        entry = AuditDraft(who=who, what=what, at_ms=self.now_ms(), body={"reason": reason})
        self.journal.set(STOP, {"on": on, "by": who, "why": reason}, entry)

    def repairs(
        self, *, incident_id: str | None = None, states: Sequence[str] = (), limit: int = 200
    ) -> list[Repair]:
        """Return repairs, newest first."""
        return self.journal.repairs(incident_id=incident_id, states=states, limit=limit)

    def get(self, repair_id: str) -> Repair:
        """Return one repair."""
        return self.journal.get(repair_id)

    def entries(self, **filters: Any) -> list[AuditEntry]:
        """Return the audit trail in order; filters as ``Journal.entries`` takes them."""
        return self.journal.entries(**filters)

    def verify_audit(self) -> list[ChainBreak]:
        """Return where the audit trail is not what was written; empty where it is whole."""
        return list(verify_journal(self.journal))

    def package(self, repair_id: str) -> dict[str, Any]:
        """Return all that is known of a repair as one document, for auditors elsewhere."""
        repair = self.get(repair_id)
        incident = self.stores.archive.incident(repair.incident_id)
        structure = repair.verification.get("structure", {})
        choice = self.choices(repair.incident_id)
        return package(
            repair,
            self.entries(repair_id=repair_id),
            head=self.journal.head(),
            incident=incident,
            evidence=choice.evidence,
            rule_hits=[
                {"strategy": match.strategy.key, "reasons": list(match.reasons)}
                for match in choice.matches
            ],
            structure_before=structure.get("before", {}),
            structure_after=structure.get("after", {}),
        )

    def strategies(self) -> list[Revision]:
        """Return all revisions of strategies, by key."""
        return self._book.revisions()

    def approve_strategy(self, key: str, *, who: str) -> Revision:
        """Approve a revision of a strategy. Raises ApprovalRefused for who proposed it."""
        return self._book.approve(key, who=who, now_ms=self.now_ms())

    def recover(self, *, alone: bool) -> list[Repair]:
        """Settle repairs whose runner is gone; ``alone`` as ``recovery.recover`` means it."""
        return recover(self.journal, self.runner, now_ms=self.now_ms, alone=alone)

    def revision(self, repair: Repair) -> Revision:
        """Return the strategy that a repair goes by."""
        return self._book.get(repair.strategy)

    def _revision(self, situation: Situation, strategy: str | None) -> Revision:
        if strategy is not None:
            revision = self._book.get(strategy)
            if not revision.usable:
                raise PlanRefused(f"{revision.key} waits for approval, or is switched off")
            return revision
        choice = self.choices_in(situation)
        if not choice.matches:
            raise PlanRefused(choice.summary)
        return self._book.get(choice.matches[0].strategy.key)

    def _plan(self, situation: Situation, revision: Revision) -> Plan:
        incident, alternatives = situation.incident, situation.alternatives
        drafted_ = draft(revision.strategy, incident, alternatives, self.connectors)
        scope = scope_of(drafted_.calls, incident)
        rows = ask_impact(
            self.stores.graph.read, scope, from_ms=situation.from_ms, until_ms=situation.until_ms
        )
        # The graph is written after the incident was found: the archive knows its traces already.
        rows = joined_rows(rows, reach_of(situation.facts, scope, incident))
        impact = impact_of(rows, drafted_.calls, incident)
        return make_plan(
            revision.strategy,
            incident,
            alternatives,
            impact,
            self.connectors,
            now_ms=self.now_ms(),
        )

    def _new(
        self,
        situation: Situation,
        revision: Revision,
        plan: Plan,
        *,
        who: str,
        key: str,
        dry_run: bool,
    ) -> Repair:
        incident = situation.incident
        operator: Operator = "system" if who == POLICY else "human"
        return Repair(
            repair_id=self._new_id(),
            version=0,
            incident_id=incident["incident_id"],
            cluster_id=incident["cluster_id"],
            root_cause=root_cause_of(incident),
            fingerprint=situation.fingerprint,
            strategy=revision.key,
            level=level_of(plan),
            target=target_of(plan),
            command=incident["command"],
            state=State.PROPOSED,
            mode="dry_run" if dry_run else "live",
            operator=operator,
            requested_by=who,
            requested_ms=self.now_ms(),
            idempotency_key=key,
        )

    def _planned(
        self, repair: Repair, plan: Plan, revision: Revision, situation: Situation, *, who: str
    ) -> Repair:
        """Keep a plan, with what was decided of it."""
        repair = replace(repair, plan=plan, level=level_of(plan), target=target_of(plan))
        if repair.mode == "dry_run":
            return self._move(repair, Event.PLAN, who=who, plan_hash=plan.plan_hash)
        return self._decide(repair, self._judged(repair, revision, situation), who=who)

    def _judged(self, repair: Repair, revision: Revision, situation: Situation) -> Judged:
        return judge(
            self.journal,
            self.settings,
            repair,
            revision=revision,
            situation=situation,
            connectors=self.connectors,
            now_ms=self.now_ms(),
        )

    def _with_own_approval(self, repair: Repair, judged: Judged) -> Repair:
        assert repair.plan is not None
        yes = Approval(
            who=POLICY,
            role=POLICY,
            approved=True,
            at_ms=self.now_ms(),
            plan_hash=repair.plan.plan_hash,
            reason="; ".join(judged.decision.reasons),
        )
        return replace(repair, approvals=(*repair.approvals, yes))

    def _decide(self, repair: Repair, judged: Judged, *, who: str) -> Repair:
        assert repair.plan is not None
        now_ms, plan_hash = self.now_ms(), repair.plan.plan_hash
        decision, event = judged.decision, Event.REQUEST_APPROVAL
        if judged.suppressed:
            event = Event.SUPPRESS
        elif decision.outcome == "by itself":
            event = Event.APPROVE
            repair = self._with_own_approval(repair, judged)
        facts = {
            "outcome": decision.outcome,
            "approvers": decision.approvers,
            "objections": [each.reason for each in judged.objections],
        }
        planned = replace(repair, state=after(repair.state, Event.PLAN))
        first = drafted(planned, str(Event.PLAN), who=who, at_ms=now_ms, plan_hash=plan_hash)
        reason = judged.suppressed or "; ".join(decision.reasons)
        return self._move(planned, event, who=POLICY, reason=reason, first=first, **facts)

    def _finished(self, repair: Repair, *, who: str) -> Repair:
        """Return a repair as it is; one whose planner died before it had a plan is planned now."""
        late_ms = self.now_ms() - repair.requested_ms
        if repair.state is not State.PROPOSED or repair.plan or late_ms < PLANNING_MS:
            return repair
        return self._replanned(repair, self._book.get(repair.strategy), who=who)

    def _replanned(self, repair: Repair, revision: Revision, *, who: str) -> Repair:
        """Plan a repair anew against the world as it is now, by the same strategy."""
        situation = self.situation(repair.incident_id)
        plan = self._plan(situation, revision)
        return self._planned(repair, plan, revision, situation, who=who)

    def _decided(
        self, repair_id: str, *, who: str, role: str, plan_hash: str, reason: str, yes: bool
    ) -> Repair:
        """Return the repair with a decision added; writes nothing."""
        repair = self.get(repair_id)
        after(repair.state, Event.APPROVE if yes else Event.REJECT)
        if role not in MAY_APPROVE:
            raise NotAllowed(
                f"{who} is {role}: expected one of {', '.join(sorted(MAY_APPROVE))} to decide"
            )
        current = repair.plan.plan_hash if repair.plan else ""
        if plan_hash != current or repair.mode != "live":
            raise NotAllowed(
                f"The decision is on plan {plan_hash[:12]}, and repair {repair_id} ({repair.mode}) "
                f"has plan {current[:12] or 'none'}: read it, and decide on that one"
            )
        decision = Approval(
            who=who,
            role=role,
            approved=yes,
            at_ms=self.now_ms(),
            plan_hash=plan_hash,
            reason=reason,
        )
        operator = joined(repair.operator, "human")
        return replace(repair, approvals=(*repair.approvals, decision), operator=operator)

    def _at_least(self, repair: Repair) -> int:
        return self._book.get(repair.strategy).strategy.approval.approvers

    def _of_key(self, key: str) -> Repair | None:
        """Return the repair of an idempotency key among the latest; older ones ``create`` finds."""
        if not key:
            return None
        past = self.journal.repairs(limit=PAST_MAX)
        return next((each for each in past if each.idempotency_key == key), None)

    def _move(
        self,
        repair: Repair,
        event: Event,
        *,
        who: str,
        reason: str = "",
        first: AuditDraft | None = None,
        **facts: Any,
    ) -> Repair:
        now_ms = self.now_ms()
        state = after(repair.state, event)
        over = state in {State.EXPIRED, State.REJECTED, State.CANCELLED, State.SUPPRESSED}
        moved = replace(
            repair, state=state, reason=reason, ended_ms=now_ms if over else repair.ended_ms
        )
        entry = drafted(moved, str(event), who=who, at_ms=now_ms, reason=reason, **facts)
        return self.journal.change(moved, *([first] if first else []), entry)

    def _keep(self, repair: Repair, what: str, *, who: str, **facts: Any) -> Repair:
        return self.journal.change(
            repair, drafted(repair, what, who=who, at_ms=self.now_ms(), **facts)
        )
