"""Who must approve a plan: nobody, one person, two, or no approval helps. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from graphmind.repair.command import LEVELS_OF_CAUSE
from graphmind.repair.guards import Objection
from graphmind.repair.model import LEVELS, Level, Plan
from graphmind.repair.record import Approval, Repair
from graphmind.repair.strategies.actions import NOTHING_TO_UNDO, RECORDS
from graphmind.repair.strategies.strategy import Strategy

POLICY: Final = "policy"
"""The role, and the name, under which the policy itself approves."""
FAILURES_MIN: Final = 5.0
"""Failing traces that a cause needs (as the setting ``min_excess``)."""
RISK_RATIO_MIN: Final = 2.0
"""Lower bound of the risk ratio that a cause needs (chosen: it at least doubles the failures)."""
UNEXPLAINED_MAX: Final = 0.5
"""Share of an incident that its causes may leave unexplained (chosen)."""
MAY_APPROVE: Final = frozenset({"approver", "admin"})


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Defaults as in repair.md, or chosen where it says so."""

    automatic: bool = True
    """Off: nothing runs by itself."""
    approvers: Mapping[Level, int] = field(
        default_factory=lambda: MappingProxyType(
            {"trace": 0, "key": 0, "agent": 0, "model": 2, "region": 2}
        )
    )
    """People who must approve a small plan, by the highest level it acts at. A key is treated as
    an agent (chosen): to take one away hits all who read it."""
    small_share: float = 0.1
    """Share of the traffic below which a plan is small: a larger one needs a person more at key
    and agent level."""
    small_traces: int = 1_000
    """As for the share, at every level (chosen: more than one incident of a quarter of an hour
    shows at ten traces a second)."""
    large_share: float = 0.5
    """Share from which two people must approve at any level (chosen: half of all work)."""
    standing: bool = False
    """A strategy may say that the two people who approved it approved its plans as well."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is known of the finding and the strategy when a plan is judged."""

    strategy: Strategy
    confidence: float
    """Of the incident's first cause; 0 without one."""
    gaps: tuple[str, ...] = ()
    """What the evidence lacks, as ``evidence_gaps`` says."""
    barred: str = ""
    """Why the record of the strategy takes its automatic right; empty where it does not."""
    approved_by: tuple[str, ...] = ()
    """Who approved the revision of the strategy."""
    objections: tuple[Objection, ...] = ()
    """What guards have against it."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a plan needs before it may run."""

    outcome: Literal["by itself", "approval", "refused"]
    approvers: int
    """Different people; 0 where it runs by itself or is refused."""
    reasons: tuple[str, ...]
    """Why it does not run by itself; where it does, why it may."""


def decide(plan: Plan, case: Case, policy: Policy) -> Decision:
    """Judge a plan: by itself, so many people, or refused."""
    stopping = [each.reason for each in case.objections if each.stops == "everything"]
    if not plan.steps:
        stopping.append("the plan has no steps")
    if stopping:
        return Decision(outcome="refused", approvers=0, reasons=tuple(stopping))
    needed = max(people_needed(plan, policy), case.strategy.approval.approvers)
    standing = needed > 0 and _stands(case, policy)
    against = _unfit(plan, case, policy, standing=standing)
    if standing:
        if not against:
            both = " and ".join(sorted(set(case.approved_by)))
            why = f"{both} approved {case.strategy.key} with all its plans"
            return Decision(outcome="by itself", approvers=0, reasons=(why,))
    elif needed:
        against.insert(0, _why_people(plan, policy, needed))
    if against:
        return Decision(outcome="approval", approvers=max(needed, 1), reasons=tuple(against))
    small = f"{level_of(plan)} level, {plan.impact.share:.1%} of the traffic"
    sure = f"confidence {case.confidence:.2f} of at least {case.strategy.confidence_min:.2f}"
    return Decision(outcome="by itself", approvers=0, reasons=(small, sure))


def evidence_gaps(incident: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what an incident document lacks to be acted on without a person."""
    if not incident["causes"]:
        return ("no cause is named",)
    cause = incident["causes"][0]
    gaps = []
    if cause["failed_with"] < FAILURES_MIN:
        gaps.append(f"only {cause['failed_with']:g} failing traces touch the cause")
    if cause["risk_ratio_low"] < RISK_RATIO_MIN:
        gaps.append(
            f"traces that touch the cause may fail no more than {cause['risk_ratio_low']:.1f} "
            "times as often as others"
        )
    if incident["unexplained_share"] > UNEXPLAINED_MAX:
        gaps.append(f"the causes leave {incident['unexplained_share']:.0%} of it unexplained")
    level = _level_of_items(cause["all_of"])
    for tied in cause["tied"]:
        if _level_of_items(tied) != level:
            names = " + ".join(f"{item['kind']} {item['name']}" for item in tied)
            gaps.append(f"the data do not tell the cause from {names}, which needs another repair")
    return tuple(gaps)


def _level_of_items(items: Sequence[Mapping[str, Any]]) -> str | None:
    kinds = {item["kind"] for item in items}
    return next((level for kind, level in LEVELS_OF_CAUSE.items() if kind in kinds), None)


def level_of(plan: Plan) -> Level:
    """Return the highest level that a plan acts at; steps that only record do not count."""
    levels = [step.level for step in plan.steps if step.call.action not in RECORDS]
    return max(levels, key=LEVELS.index, default="trace")


def target_of(plan: Plan) -> str:
    """Return ``level:name`` of what a plan acts on first at its highest level: one lease."""
    level = level_of(plan)
    acting = [step for step in plan.steps if step.call.action not in RECORDS]
    own = [step for step in acting if step.level == level] or plan.steps
    return f"{level}:{own[0].call.target}"


def people_needed(plan: Plan, policy: Policy) -> int:
    """Return how many people a plan needs for its level and blast radius alone."""
    level, impact = level_of(plan), plan.impact
    needed = policy.approvers[level]
    wide = impact.share >= policy.small_share and level in ("key", "agent")
    if wide or impact.traces > policy.small_traces:
        needed = max(needed, 1)
    if impact.share >= policy.large_share and _acts(plan):
        needed = max(needed, 2)
    return needed


def approved(repair: Repair, policy: Policy, *, at_least: int = 0) -> bool:
    """Whether the approvals of a repair are enough for its plan as it is.

    Only those count that were given for this very plan by people who may. The policy's own counts
    alone; a rejection by anybody who may undoes all. ``at_least`` is what the decision asked for.
    """
    if repair.plan is None:
        return False
    latest = _latest(repair.approvals, repair.plan.plan_hash)
    if any(not each.approved for each in latest):
        return False
    if any(each.role == POLICY for each in latest):
        return True
    people = {each.who for each in latest}
    needed = max(people_needed(repair.plan, policy), at_least, 1)
    return len(people) >= needed and bool(people - {repair.requested_by})


def missing(repair: Repair, policy: Policy, *, at_least: int = 0) -> str:
    """Say what an unapproved plan still needs; empty where it is approved."""
    if approved(repair, policy, at_least=at_least):
        return ""
    if repair.plan is None:
        return "there is no plan yet"
    latest = _latest(repair.approvals, repair.plan.plan_hash)
    for each in latest:
        if not each.approved:
            return f"{each.who} rejected it{f': {each.reason}' if each.reason else ''}"
    people = sorted({each.who for each in latest})
    needed = max(people_needed(repair.plan, policy), at_least, 1)
    given = f"{', '.join(people)} approved" if people else "nobody approved"
    if people == [repair.requested_by]:
        given += ", who asked for it"
    stale = sum(each.plan_hash != repair.plan.plan_hash for each in repair.approvals)
    older = f"; {stale} decisions were on an earlier plan" if stale else ""
    return f"needs {needed} different people, not the one who asked alone: {given}{older}"


def _latest(approvals: Sequence[Approval], plan_hash: str) -> list[Approval]:
    """Return the last decision of each who may decide, on this plan."""
    may = MAY_APPROVE | {POLICY}
    own = [each for each in approvals if each.plan_hash == plan_hash and each.role in may]
    in_order = sorted(own, key=lambda each: each.at_ms)
    return list({each.who: each for each in in_order}.values())


def _unfit(plan: Plan, case: Case, policy: Policy, *, standing: bool) -> list[str]:
    """Return what keeps a plan from running by itself, whatever its level.

    That work is lost is no reason where people approved a strategy that says so.
    """
    strategy, impact = case.strategy, plan.impact
    found = [*(each.reason for each in case.objections), *case.gaps]
    if not policy.automatic:
        found.append("nothing runs by itself under this policy")
    if case.confidence < strategy.confidence_min:
        found.append(f"confidence {case.confidence:.2f} is below {strategy.confidence_min:.2f}")
    if case.barred:
        found.append(f"record of {strategy.key}: {case.barred}")
    if _acts(plan):
        if not impact.traces:
            found.append("what it hits is not known")
        if impact.context_lost and not standing:
            found.append(f"work is lost of {', '.join(impact.context_lost)}")
    found += [
        f"{step.call.action} {step.call.target} has no inverse"
        for step in plan.steps
        if step.undo is None and step.call.action not in NOTHING_TO_UNDO
    ]
    return found


def _stands(case: Case, policy: Policy) -> bool:
    """Whether approving the strategy approved its plans; never where it asks for people itself."""
    approval = case.strategy.approval
    two = len({*case.approved_by} - {POLICY}) >= 2
    return policy.standing and approval.standing and approval.approvers == 0 and two


def _why_people(plan: Plan, policy: Policy, needed: int) -> str:
    level, impact = level_of(plan), plan.impact
    own = policy.approvers[level]
    if needed > own:
        why = f"{impact.traces} traces, {impact.share:.0%} of the traffic, at {level} level"
    else:
        why = f"{level} level"
    return f"{why} needs {needed} {'person' if needed == 1 else 'different people'}"


def _acts(plan: Plan) -> bool:
    return any(step.call.action not in RECORDS for step in plan.steps)
