"""Each few seconds: which open incidents call for a repair, and whether it runs by itself."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphmind.errors import GraphmindError, StoreError
from graphmind.incidents.lifecycle import CLOSED
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.repairs.situation import root_cause_of
from graphmind.repair.journal import AuditDraft, TargetBusy
from graphmind.repair.policy import POLICY, evidence_gaps
from graphmind.repair.record import Repair
from graphmind.repair.runner import STOP
from graphmind.repair.states import LIVE, State
from graphmind.repair.strategies.strategy import Strategy
from graphmind.repair.trigger import NO_MATCH

_log = logging.getLogger(__name__)

KIND: Final = "no_repair"
"""Kind of the documents that say why an incident has no automatic repair, by incident."""
PENDING: Final = frozenset({State.PROPOSED, State.PLANNED, State.AWAITING_APPROVAL, State.APPROVED})
SPENT: Final = frozenset(
    {
        State.REJECTED,
        State.CANCELLED,
        State.INEFFECTIVE,
        State.INCONCLUSIVE,
        State.HARMFUL,
        State.ROLLED_BACK,
        State.INTERCEPTED,
        State.SUPPRESSED,
    }
)
"""States after which the same strategy is not tried again on the same incident. What an
inconclusive one did stays in effect: doing it again would change nothing."""
PAUSE_MS: Final = 60_000
"""After a repair ended so long passes before the next on that incident (chosen: telemetry must show
what it did)."""
AGAIN_MS: Final = 30_000
"""An incident without a repair is looked at again so often, or when it changed (chosen)."""
PAST_MAX: Final = 200
"""Repairs looked back over each time (chosen: more than all open incidents have)."""
STUCK_MS: Final = 120_000
"""A plan that could not be made anew is given up after so long (chosen)."""

Document = Mapping[str, Any]


@dataclass(kw_only=True)
class Looked:
    """When each incident was considered last, and how it looked then."""

    seen: dict[str, tuple[int, object]] = field(default_factory=dict)
    waiting: dict[str, tuple[int, float | None]] = field(default_factory=dict)
    """When each plan that waits for people was judged last, and how sure its cause was then."""


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What one look did."""

    planned: tuple[Repair, ...] = ()
    ran: tuple[Repair, ...] = ()
    refused: int = 0
    """Incidents that were found to have no automatic repair."""

    @property
    def counts(self) -> dict[str, int]:
        """Numbers for the log; empty where nothing was done."""
        found = {"planned": len(self.planned), "ran": len(self.ran), "refused": self.refused}
        return {name: count for name, count in found.items() if count}


def repair_due(desk: RepairDesk, looked: Looked) -> Proposed:
    """Plan for each eligible incident without a repair; run what may run by itself.

    Eligible is what was marked by an alert (S21), or names its cause without a gap in the evidence.
    Without the setting ``auto_repair`` it plans only. An error at one incident stops no other.
    Without any connector there is nothing to plan with.
    """
    if not desk.connectors or desk.journal.setting(STOP).get("on"):
        return Proposed()
    planned: list[Repair] = []
    refused = 0
    incidents = [each for each in desk.stores.archive.incidents() if each.get("state") != CLOSED]
    past = desk.repairs(limit=PAST_MAX) if any(map(is_eligible, incidents)) else []
    for incident in incidents:
        own = [each for each in past if each.incident_id == incident["incident_id"]]
        own = _without_outdated(desk, incident, own)
        _reconsidered(desk, looked, incident, own)
        if not is_eligible(incident) or not _is_free(incident, own, past, desk.now_ms()):
            continue
        if not _is_due(looked, incident, desk.now_ms()):
            continue
        made = _planned(desk, incident, own)
        planned += [made] if made else []
        past = [*past, made] if made else past
        refused += made is None
    ran = _run_approved(desk) if desk.settings.auto_repair else []
    return Proposed(planned=tuple(planned), ran=tuple(ran), refused=refused)


def is_eligible(incident: Document) -> bool:
    """Whether an incident may be planned for without being asked."""
    return bool(incident.get("eligible_for_repair")) or not evidence_gaps(incident)


def _without_outdated(desk: RepairDesk, incident: Document, own: Sequence[Repair]) -> list[Repair]:
    """Give up own proposals on a cause that the incident no longer names, or that got stuck."""
    now_ms, cause = desk.now_ms(), root_cause_of(incident)
    kept = []
    for repair in own:
        mine = repair.requested_by == POLICY and repair.state in PENDING and repair.mode == "live"
        is_other = repair.root_cause != cause
        is_stuck = repair.state is State.PROPOSED and now_ms - repair.requested_ms > STUCK_MS
        has_run_out = repair.plan is not None and repair.plan.expires_ms <= now_ms
        if mine and (is_other or is_stuck or has_run_out):
            reason = f"the cause is now {cause or 'not known'}" if is_other else "it was not run"
            desk.cancel(repair.repair_id, who=POLICY, reason=reason)
        else:
            kept.append(repair)
    return kept


def _reconsidered(
    desk: RepairDesk, looked: Looked, incident: Document, own: Sequence[Repair]
) -> None:
    """Judge own plans that wait for people again: what is found grows surer within seconds."""
    for repair in own:
        waits = repair.state is State.AWAITING_APPROVAL and repair.requested_by == POLICY
        causes = incident["causes"]
        sure = round(causes[0]["confidence"], 2) if causes else 0.0
        at_ms, before = looked.waiting.get(repair.repair_id, (0, None))
        if not waits or (before == sure and desk.now_ms() - at_ms < AGAIN_MS):
            continue
        looked.waiting[repair.repair_id] = (desk.now_ms(), sure)
        try:
            desk.reconsider(repair.repair_id)
        except StoreError:
            raise
        except GraphmindError as error:
            _log.info("repair_waits repair=true repair_id=%s reason=%s", repair.repair_id, error)


def _is_free(
    incident: Document, own: Sequence[Repair], past: Sequence[Repair], now_ms: int
) -> bool:
    """Whether nothing is planned, under way or just over for an incident or its cause."""
    cause = root_cause_of(incident)
    same = [each for each in past if cause and each.root_cause == cause]
    live = [each for each in (*own, *same) if each.mode == "live"]
    if any(each.state in PENDING | LIVE for each in live):
        return False
    ended = [each.ended_ms for each in live if each.ended_ms is not None]
    if ended and now_ms - max(ended) < PAUSE_MS:
        return False
    healed = [each for each in own if each.state is State.SUCCEEDED]
    return not healed or _failed_since(incident, max(each.ended_ms or 0 for each in healed))


def _failed_since(incident: Document, healed_ms: int) -> bool:
    """Whether an incident opened again after a repair healed it."""
    history = incident.get("history", ())
    return any(e["state"] == "reopened" and e["at_ms"] > healed_ms for e in history)


def _is_due(looked: Looked, incident: Document, now_ms: int) -> bool:
    """Whether an incident is to be considered now: it looks otherwise, or time has passed."""
    name = incident["incident_id"]
    looks = (root_cause_of(incident), incident["symptom"], incident["severity"])
    at_ms, before = looked.seen.get(name, (0, None))
    if before == looks and now_ms - at_ms < AGAIN_MS:
        return False
    looked.seen[name] = (now_ms, looks)
    return True


def _planned(desk: RepairDesk, incident: Document, own: Sequence[Repair]) -> Repair | None:
    """Plan by the best strategy not tried in vain; where there is none, None and a note."""
    spent = {
        each.strategy.partition("@")[0]
        for each in own
        if each.state in SPENT and each.mode == "live" and not _was_outdated(each)
    }
    name = incident["incident_id"]
    why: list[str] = []
    try:
        situation = desk.situation(name)
        choice = desk.choices_in(situation)
        for match in choice.matches:
            strategy = match.strategy
            if strategy.strategy_id in spent or _attempts(strategy, own) >= strategy.attempts_max:
                why.append(f"{strategy.strategy_id} was tried, or turned down, before")
                continue
            try:
                return _told(
                    desk.plan(name, who=POLICY, strategy=strategy.strategy_id, situation=situation)
                )
            except StoreError:
                raise
            except GraphmindError as error:
                why.append(str(error))
        summary = f"{NO_MATCH}: {'; '.join(why)}" if why else choice.summary
        _note(desk, incident, summary, choice.evidence)
    except StoreError:
        raise
    except GraphmindError as error:
        _note(desk, incident, f"{NO_MATCH}: {error}", {})
    return None


def _attempts(strategy: Strategy, own: Sequence[Repair]) -> int:
    """Return how often a strategy was begun on an incident, as the guard counts."""
    return sum(
        each.strategy.partition("@")[0] == strategy.strategy_id
        and each.started_ms is not None
        and each.mode == "live"
        for each in own
    )


def _was_outdated(repair: Repair) -> bool:
    """Whether the policy itself gave it up, which says nothing against the strategy."""
    is_own = repair.requested_by == POLICY and repair.state is State.CANCELLED
    return is_own and repair.reason.startswith(("the cause is now", "it was not run"))


def _told(repair: Repair) -> Repair:
    _log.info(
        "repair_planned repair=true repair_id=%s incident=%s strategy=%s level=%s state=%s",
        repair.repair_id,
        repair.incident_id,
        repair.strategy,
        repair.level,
        repair.state,
    )
    return repair


def _note(desk: RepairDesk, incident: Document, summary: str, evidence: Document) -> None:
    """Keep, and audit, once, why an incident has no automatic repair."""
    archive, name = desk.stores.archive, incident["incident_id"]
    known = archive.documents(KIND).get(name)
    if known is not None and known["summary"] == summary:
        return
    now_ms = desk.now_ms()
    body = {
        "incident_id": name,
        "summary": summary,
        "root_cause": root_cause_of(incident),
        "evidence": dict(evidence),
    }
    archive.replace_documents(KIND, {name: body | {"at_ms": now_ms}})
    desk.journal.note(AuditDraft(who=POLICY, what="no_repair", at_ms=now_ms, body=body))
    _log.info("repair_none repair=true incident=%s reason=%r", name, summary)


def _run_approved(desk: RepairDesk) -> list[Repair]:
    """Run what was planned without being asked for and is approved, by the policy or by people."""
    ran = []
    for repair in desk.repairs(states=(State.APPROVED,)):
        live = all(
            step.connector in desk.connectors and desk.connectors[step.connector].describe().live
            for step in (repair.plan.steps if repair.plan else ())
        )
        if repair.requested_by != POLICY or not live:
            continue
        try:
            ran.append(desk.run(repair.repair_id, who=POLICY))
        except TargetBusy as error:
            _log.info("repair_waits repair=true repair_id=%s reason=%s", repair.repair_id, error)
        except StoreError:
            raise
        except GraphmindError as error:
            _log.warning(
                "repair_not_run repair=true repair_id=%s reason=%s", repair.repair_id, error
            )
    return ran
