"""Whether a plan may run: what guards, the record and the policy say of it together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphmind.jobs.repairs.situation import Situation
from graphmind.repair.connector import Connector
from graphmind.repair.guards import Limits, Objection, Scene, objections
from graphmind.repair.journal import Journal
from graphmind.repair.model import Plan
from graphmind.repair.policy import Case, Decision, Policy, decide, evidence_gaps
from graphmind.repair.record import Repair
from graphmind.repair.runner import STOP
from graphmind.repair.strategies.revisions import Revision
from graphmind.repair.track_record import records_of
from graphmind.settings import Settings

SUPPRESSED = "suppressed"
"""The switch that keeps repairs from incidents, strategies and targets."""
PAST_MAX = 1_000
"""Repairs that guards and records look back over (chosen: more than a busy week has)."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What was decided of a plan, and what stood against it."""

    decision: Decision
    objections: tuple[Objection, ...]

    @property
    def suppressed(self) -> str:
        """Why it is suppressed; empty where it is not."""
        return next((each.reason for each in self.objections if each.guard == SUPPRESSED), "")

    @property
    def stopping(self) -> tuple[str, ...]:
        """What no approval helps against."""
        return tuple(each.reason for each in self.objections if each.stops == "everything")


def policy_of(settings: Settings) -> Policy:
    """Return the policy that the settings ask for."""
    return Policy(automatic=bool(settings.auto_repair), standing=bool(settings.repair_standing))


def standing_against(
    journal: Journal, settings: Settings, repair: Repair, revision: Revision, *, now_ms: int
) -> tuple[Objection, ...]:
    """Return what guards have against running a repair now."""
    if repair.plan is None:
        return ()
    scene = Scene(
        now_ms=now_ms,
        repair=repair,
        strategy=revision.strategy,
        past=journal.repairs(limit=PAST_MAX),
        stop=journal.setting(STOP),
        suppressed=journal.setting(SUPPRESSED),
    )
    return objections(repair.plan, scene, Limits(commands_an_hour=settings.repairs_an_hour))


def judge(
    journal: Journal,
    settings: Settings,
    repair: Repair,
    *,
    revision: Revision,
    situation: Situation,
    connectors: Mapping[str, Connector],
    now_ms: int,
) -> Judged:
    """Decide whether a repair runs by itself, needs people, or is refused."""
    assert repair.plan is not None
    against = standing_against(journal, settings, repair, revision, now_ms=now_ms)
    records = records_of(journal.repairs(limit=PAST_MAX))
    case = Case(
        strategy=revision.strategy,
        confidence=situation.confidence,
        gaps=(*evidence_gaps(situation.incident), *_not_live(repair.plan, connectors)),
        barred=records.barred(situation.fingerprint, revision.key),
        approved_by=revision.approved_by,
        objections=against,
    )
    return Judged(decision=decide(repair.plan, case, policy_of(settings)), objections=against)


def _not_live(plan: Plan, connectors: Mapping[str, Connector]) -> Sequence[str]:
    used = sorted({step.connector for step in plan.steps})
    return [
        f"connector {name} only plans: its live mode is switched off"
        for name in used
        if name not in connectors or not connectors[name].describe().live
    ]
