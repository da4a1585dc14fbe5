"""Bodies about repairs, strategies and the audit trail."""

from dataclasses import asdict
from typing import Any, Literal, Self

from pydantic import Field

from graphmind.repair import journal as trail
from graphmind.repair import record as room
from graphmind.repair.audit import ChainBreak
from graphmind.repair.model import Level
from graphmind.repair.record_json import as_document
from graphmind.repair.states import State
from graphmind.repair.strategies.revisions import Revision
from graphmind.repair.strategies.strategy import Severity as StrategyLevel
from graphmind.repair.track_record import Record as Known
from graphmind.repair.trigger import Choice, Match, Miss
from graphmind_api.models import Body, Int64

REASON_MAX = 2_000
Reason = Field("", max_length=REASON_MAX, description="Why, for the audit trail")


class RepairCall(Body):
    """One action on one target."""

    action: str
    target: str
    params: dict[str, Any]


class RepairStep(Body):
    """One call of one connector, with the state it was planned against."""

    number: int = Field(description="1 is the first")
    level: Level
    connector: str
    call: RepairCall
    before: dict[str, Any] = Field(description="State of the target when it was planned")
    undo: RepairCall | None = Field(description="The inverse; null where there is none")
    summary: str = Field(description="What exactly would happen")
    preconditions: tuple[str, ...]
    undoes_with: str = Field(description="Why there is no inverse, or what it does not bring back")
    optional: bool = Field(description="The repair goes on without it where it cannot be done")


class Impact(Body):
    """What the plan would hit."""

    traces: int = Field(description="Traces that touch the targets, healthy ones included")
    unfinished: int = Field(description="Of them, those still running")
    tasks: tuple[str, ...]
    agents: tuple[str, ...]
    regions: tuple[str, ...]
    share: float = Field(description="Share of all traffic, 0 to 1")
    hot_restart: bool | None = Field(description="Whether agents restart without losing work")
    snapshots: int = Field(description="Traces with a state snapshot to go back to")
    context_lost: tuple[str, ...] = Field(description="Tasks whose context would be gone")
    expected_gain: float = Field(description="Failing traces an hour that would stop")


class Plan(Body):
    """Steps against the state of the targets when it was made."""

    steps: tuple[RepairStep, ...]
    impact: Impact
    made_ms: int
    expires_ms: int
    warnings: tuple[str, ...]


class Approval(Body):
    """One decision; it counts for the plan of that hash only."""

    who: str
    role: str
    approved: bool
    at_ms: int
    plan_hash: str
    reason: str


class StepRun(Body):
    """How far a step got. One that was never begun has none."""

    number: int
    state: room.StepState
    attempts: int
    started_ms: int
    ended_ms: int | None
    detail: str = Field(description="What the system answered, or why it failed")


class RepairSummary(Body):
    """A repair in a list."""

    repair_id: str
    version: int = Field(description="The number in its `ETag`")
    incident_id: str
    root_cause: str = Field(description="`kind:name` of what the first cause names")
    strategy: str = Field(description="`strategyId@revision`")
    level: Level
    target: str
    state: State
    mode: room.Mode
    operator: room.Operator
    requested_by: str
    requested_ms: int
    started_ms: int | None
    executed_ms: int | None = Field(description="When the last step was acknowledged")
    ended_ms: int | None
    verdict: str = Field(description="What its effect was; empty while nobody can tell")
    reason: str = Field(description="Why it is in its state")

    @classmethod
    def of(cls, repair: room.Repair) -> Self:
        """Return a repair without its plan."""
        return cls.model_validate(as_document(repair))


class Repair(RepairSummary):
    """A repair in full."""

    cluster_id: str
    fingerprint: str
    command: dict[str, Any] = Field(description="The `multi_trace_repair` command")
    idempotency_key: str
    plan: Plan | None
    plan_hash: str = Field(description="What an approval names; empty without a plan")
    approvals: tuple[Approval, ...]
    steps: tuple[StepRun, ...] = Field(description="How far each step of the plan got")
    verification: dict[str, Any] = Field(description="Evidence, and figures before and after")

    @classmethod
    def of(cls, repair: room.Repair) -> Self:
        """Return a repair in full."""
        plan_hash = repair.plan.plan_hash if repair.plan else ""
        return cls.model_validate(as_document(repair) | {"plan_hash": plan_hash})


class RepairPage(Body):
    """Repairs, newest first."""

    items: tuple[RepairSummary, ...]
    next_cursor: str | None


class PlanRequest(Body):
    """How to repair an incident."""

    strategy: str | None = Field(
        None, max_length=256, description="Id of the strategy; null: the best match"
    )


class Decided(Body):
    """A decision on a plan."""

    plan_hash: str = Field(
        pattern="^[0-9a-f]{64}$", description="`plan_hash` of the plan that was read"
    )
    reason: str = Reason


class Reasoned(Body):
    """Why something is asked."""

    reason: str = Reason


class StopSwitch(Body):
    """The switch that stops all repairs."""

    on: bool
    reason: str = Reason


class Suppression(Body):
    """What is not to be repaired."""

    target: str = Field(
        min_length=1,
        max_length=1_000,
        pattern="^(incident|cluster|strategy|target):.",
        description="`incident:ID`, `cluster:ID`, `strategy:ID` or `target:LEVEL:NAME`",
    )
    reason: str = Reason
    until_ms: Int64 | None = Field(
        None, description="Epoch ms, excluded; null: until it is lifted; a past time lifts it"
    )


class StopSet(Body):
    """Whether all repairs are stopped, and by whom."""

    on: bool = False
    by: str = ""
    why: str = ""


class SuppressionSet(Body):
    """What is not repaired just now."""

    target: str
    by: str = ""
    why: str = ""
    until_ms: int | None = Field(None, description="Epoch ms, excluded; null: until it is lifted")


class RepairSwitches(Body):
    """What keeps repairs from running."""

    stop: StopSet
    suppressed: tuple[SuppressionSet, ...]


class Record(Body):
    """How a strategy did."""

    tried: int = Field(description="Repairs whose effect is known")
    worked: int
    words: str

    @classmethod
    def of(cls, known: Known) -> Self:
        """Return what the case library remembers."""
        return cls(tried=known.tried, worked=known.worked, words=known.words)


class StrategyMatch(Body):
    """A strategy that answers the incident."""

    key: str = Field(description="`strategyId@revision`")
    strategy_id: str
    title: str
    level: StrategyLevel
    repair_level: Level
    at_cause: bool = Field(description="It acts at the level of what the cause names")
    specificity: int
    record: Record = Field(description="Against what looks the same")
    elsewhere: Record = Field(description="Against anything")
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, match: Match) -> Self:
        """Return a match of the trigger."""
        strategy = match.strategy
        return cls(
            key=strategy.key,
            strategy_id=strategy.strategy_id,
            title=strategy.title,
            level=strategy.level,
            repair_level=strategy.repair_level,
            at_cause=match.at_cause,
            specificity=match.specificity,
            record=Record.of(match.record),
            elsewhere=Record.of(match.elsewhere),
            reasons=match.reasons,
        )


class StrategyMiss(Body):
    """A strategy that does not, and why."""

    key: str
    strategy_id: str
    title: str
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, miss: Miss) -> Self:
        """Return what the trigger passed over."""
        strategy = miss.strategy
        return cls(
            key=strategy.key,
            strategy_id=strategy.strategy_id,
            title=strategy.title,
            reasons=miss.reasons,
        )


class Choices(Body):
    """The strategies for an incident, best first."""

    summary: str = Field(description="One line; begins with `no automatic repair` without a match")
    matches: tuple[StrategyMatch, ...]
    others: tuple[StrategyMiss, ...]
    evidence: dict[str, Any] = Field(description="What was looked at")

    @classmethod
    def of(cls, choice: Choice) -> Self:
        """Return what the trigger says."""
        return cls(
            summary=choice.summary,
            matches=tuple(map(StrategyMatch.of, choice.matches)),
            others=tuple(map(StrategyMiss.of, choice.others)),
            evidence=dict(choice.evidence),
        )


class StrategyRevision(Body):
    """One state of a strategy's file."""

    key: str = Field(description="`strategyId@revision`")
    strategy_id: str
    title: str
    level: StrategyLevel
    repair_level: Level
    source: str = Field(description="File it came from; `library` where it is shipped")
    proposed_by: str
    proposed_ms: int
    enabled: bool
    usable: bool = Field(description="Enabled, and approved by somebody")
    approved_by: tuple[str, ...]
    approved_ms: int | None
    document: dict[str, Any] = Field(description="The file as values")

    @classmethod
    def of(cls, revision: Revision) -> Self:
        """Return a revision with its document."""
        strategy = revision.strategy
        return cls(
            key=revision.key,
            strategy_id=strategy.strategy_id,
            title=strategy.title,
            level=strategy.level,
            repair_level=strategy.repair_level,
            source=revision.source,
            proposed_by=revision.proposed_by,
            proposed_ms=revision.proposed_ms,
            enabled=revision.enabled,
            usable=revision.usable,
            approved_by=revision.approved_by,
            approved_ms=revision.approved_ms,
            document=dict(strategy.document),
        )


class StrategyRevisions(Body):
    """All revisions known."""

    items: tuple[StrategyRevision, ...]


class AuditEntry(Body):
    """A link of the chain: `hash` is over the canonical JSON of all else."""

    seq: int
    prev_hash: str
    hash: str
    who: str
    what: str = Field(description="The event: `plan`, `approve`, `step_intended`, `verdict`...")
    at_ms: int
    repair_id: str = Field(description="Empty where it belongs to none")
    body: dict[str, Any]

    @classmethod
    def of(cls, entry: trail.AuditEntry) -> Self:
        """Return an entry flat, by the names that its hash is over."""
        return cls(seq=entry.seq, prev_hash=entry.prev_hash, hash=entry.hash, **asdict(entry.draft))


class AuditPage(Body):
    """Entries of the trail in order."""

    items: tuple[AuditEntry, ...]
    next_cursor: str | None


class AuditBreak(Body):
    """Where the trail is not what was written."""

    place: int = Field(description="1 is the first entry that was read")
    seq: int = Field(description="Place in the trail, as it should be there")
    fault: Literal["changed", "missing", "out_of_place", "unlinked"]
    detail: str


class AuditProof(Body):
    """Whether the trail is what was written."""

    whole: bool
    breaks: tuple[AuditBreak, ...]

    @classmethod
    def of(cls, breaks: list[ChainBreak]) -> Self:
        """Return the finding."""
        return cls(whole=not breaks, breaks=tuple(AuditBreak(**asdict(each)) for each in breaks))


class AuditPackage(Body):
    """All that is known of one repair, for auditors elsewhere."""

    kind: Literal["graphmind.audit_package"]
    repair_id: str
    operator: room.Operator
    state: State
    strategy: str
    command: dict[str, Any]
    incident: dict[str, Any]
    evidence: dict[str, Any]
    rule_hits: tuple[dict[str, Any], ...]
    plan: Plan | None
    plan_hash: str
    approvals: tuple[Approval, ...]
    steps: tuple[StepRun, ...]
    verdict: str
    verification: dict[str, Any]
    structure_before: dict[str, Any]
    structure_after: dict[str, Any]
    records: tuple[dict[str, Any], ...]
    audit: tuple[dict[str, Any], ...]
    audit_head: dict[str, Any]
