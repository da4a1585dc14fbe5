"""The node types that graphmind itself writes: what it found, and what it did about it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from graphmind.graph.schema.declare import Found, Node
from graphmind.settings import Doc


@dataclass(frozen=True, kw_only=True)
class Incident(Found):
    """Failing traces that belong together, with what they share."""

    KEY: ClassVar[str] = "incident_id"
    INDEXED: ClassVar[tuple[str, ...]] = ("state",)

    incident_id: Annotated[str, Doc("own id, stable from run to run")]
    title: Annotated[str | None, Doc("one line for people")] = None
    state: Annotated[str | None, Doc("open or closed")] = None
    severity: Annotated[str | None, Doc("how bad it is")] = None
    opened_ms: Annotated[int | None, Doc("when it was reported", "epoch ms")] = None
    onset_ms: Annotated[int | None, Doc("first failing trace", "epoch ms")] = None
    closed_ms: Annotated[int | None, Doc("when it was closed", "epoch ms")] = None
    trace_count: Annotated[int | None, Doc("failing traces it explains")] = None
    task_count: Annotated[int | None, Doc("tasks hit")] = None
    agent_count: Annotated[int | None, Doc("agents hit")] = None
    region_count: Annotated[int | None, Doc("regions hit")] = None
    confidence: Annotated[float | None, Doc("of its first cause", "0..1")] = None
    symptom: Annotated[str | None, Doc("kind of symptom most of its traces show")] = None
    root_module: Annotated[str | None, Doc("module where its traces go wrong")] = None
    unexplained_share: Annotated[
        float | None, Doc("share of its traces without a cause", "0..1")
    ] = None
    cluster_id: Annotated[str | None, Doc("readable name of the cluster")] = None


@dataclass(frozen=True, kw_only=True)
class Cause(Found):
    """What the failing traces of an incident share, or in another role what fails because of it."""

    key: Annotated[str, Doc("`incidentId:rank`")]
    rank: Annotated[int | None, Doc("1 is the strongest")] = None
    kind: Annotated[str | None, Doc("kind of the thing shared, `a + b` for a conjunction")] = None
    label: Annotated[str | None, Doc("the thing shared, for people")] = None
    role: Annotated[
        str | None, Doc("root; critical: where traces go wrong; impact: hit only with the root")
    ] = None
    confidence: Annotated[float | None, Doc("chance that it is the cause", "0..1")] = None
    risk_ratio: Annotated[float | None, Doc("failing share with it over without it")] = None
    risk_ratio_low: Annotated[float | None, Doc("lower bound of the risk ratio")] = None
    failed_with: Annotated[float | None, Doc("failing traces that touch it")] = None
    failed_total: Annotated[float | None, Doc("failing traces")] = None
    passed_with: Annotated[float | None, Doc("healthy traces that touch it")] = None
    passed_total: Annotated[float | None, Doc("healthy traces")] = None
    q_value: Annotated[float | None, Doc("false discovery rate at which it is significant")] = None
    onset_ms: Annotated[int | None, Doc("first failing trace with it", "epoch ms")] = None
    tied: Annotated[tuple[str, ...], Doc("`kind:name` of what cannot be told from it")] = ()
    explained: Annotated[float | None, Doc("failing traces it explains")] = None


@dataclass(frozen=True, kw_only=True)
class Fingerprint(Node):
    """What an incident looks like, kept to recognise the next one."""

    KEY: ClassVar[str] = "hash"

    hash: Annotated[str, Doc("hash of the structure")]
    structure: Annotated[str | None, Doc("shape of the failing path")] = None
    metric_signature: Annotated[tuple[str, ...], Doc("metrics that stand out")] = ()
    log_signature: Annotated[tuple[str, ...], Doc("log keywords that stand out")] = ()
    hits: Annotated[int | None, Doc("times it was recognised")] = None
    root_cause: Annotated[str | None, Doc("cause found for it")] = None


@dataclass(frozen=True, kw_only=True)
class Strategy(Node):
    """A revision of a repair strategy."""

    key: Annotated[str, Doc("`strategyId@revision`")]
    strategy_id: Annotated[str | None, Doc("its name in all revisions")] = None
    title: Annotated[str | None, Doc("one line for people")] = None
    level: Annotated[str | None, Doc("info, warn or critical")] = None
    repair_level: Annotated[str | None, Doc("trace, key, agent, model or region")] = None
    source: Annotated[str | None, Doc("file it came from; `library` where it is shipped")] = None
    enabled: Annotated[bool | None, Doc("may be chosen, once it is approved")] = None
    proposed_by: Annotated[str | None, Doc("who proposed the revision")] = None
    proposed_ms: Annotated[int | None, Doc("when", "epoch ms")] = None
    approved_by: Annotated[tuple[str, ...], Doc("who approved the revision")] = ()
    approved_ms: Annotated[int | None, Doc("when the last of them did", "epoch ms")] = None
    document: Annotated[str | None, Doc("what the file says, as JSON")] = None


@dataclass(frozen=True, kw_only=True)
class Repair(Node):
    """A repair command and how far it got."""

    KEY: ClassVar[str] = "repair_id"
    INDEXED: ClassVar[tuple[str, ...]] = ("state", "incident_id", "idempotency_key")

    repair_id: Annotated[str, Doc("own id")]
    level: Annotated[str | None, Doc("trace, agent, model or region")] = None
    action: Annotated[str | None, Doc("what it does")] = None
    target: Annotated[str | None, Doc("`kind:name` of what it acts on")] = None
    state: Annotated[str | None, Doc("state of the command")] = None
    version: Annotated[int | None, Doc("changes that were kept")] = None
    incident_id: Annotated[str | None, Doc("incident it is meant to end")] = None
    strategy: Annotated[str | None, Doc("`strategyId@revision`")] = None
    fingerprint: Annotated[str | None, Doc("hash of the incident's structure")] = None
    idempotency_key: Annotated[str | None, Doc("the same key is the same repair")] = None
    plan_hash: Annotated[str | None, Doc("hash of the plan that was approved")] = None
    mode: Annotated[str | None, Doc("dry run or live")] = None
    requested_by: Annotated[str | None, Doc("who asked for it")] = None
    operator: Annotated[str | None, Doc("system, human or mixed")] = None
    attempts: Annotated[int | None, Doc("attempts made")] = None
    verdict: Annotated[str | None, Doc("what verification measured")] = None
    requested_ms: Annotated[int | None, Doc("asked for", "epoch ms")] = None
    started_ms: Annotated[int | None, Doc("started", "epoch ms")] = None
    executed_ms: Annotated[int | None, Doc("last step done", "epoch ms")] = None
    ended_ms: Annotated[int | None, Doc("ended", "epoch ms")] = None
    document: Annotated[str | None, Doc("the whole record, as JSON")] = None


@dataclass(frozen=True, kw_only=True)
class RepairStep(Node):
    """One step of a repair."""

    key: Annotated[str, Doc("`repairId:n`")]
    connector: Annotated[str | None, Doc("connector that makes the call")] = None
    action: Annotated[str | None, Doc("what it does")] = None
    target: Annotated[str | None, Doc("name of what it acts on")] = None
    state: Annotated[str | None, Doc("state of the step")] = None
    attempts: Annotated[int | None, Doc("attempts made")] = None
    detail: Annotated[str | None, Doc("answer, or why it failed")] = None
    started_ms: Annotated[int | None, Doc("started", "epoch ms")] = None
    ended_ms: Annotated[int | None, Doc("ended", "epoch ms")] = None


@dataclass(frozen=True, kw_only=True)
class Approval(Node):
    """A person's decision on a repair."""

    KEY: ClassVar[str] = "approval_id"

    approval_id: Annotated[str, Doc("`repairId:n`")]
    who: Annotated[str | None, Doc("who decided")] = None
    at_ms: Annotated[int | None, Doc("when", "epoch ms")] = None
    what: Annotated[str | None, Doc("approved or rejected")] = None
    role: Annotated[str | None, Doc("role in which it was decided")] = None
    plan_hash: Annotated[str | None, Doc("hash of the plan it counts for")] = None
    reason: Annotated[str | None, Doc("why")] = None


@dataclass(frozen=True, kw_only=True)
class AuditEntry(Node):
    """One line of the audit trail; each carries the hash of the one before."""

    KEY: ClassVar[str] = "entry_id"
    INDEXED: ClassVar[tuple[str, ...]] = ("seq", "repair_id")

    entry_id: Annotated[str, Doc("place in the trail, as text of 12 digits")]
    who: Annotated[str | None, Doc("who acted")] = None
    at_ms: Annotated[int | None, Doc("when", "epoch ms")] = None
    what: Annotated[str | None, Doc("what was done")] = None
    repair_id: Annotated[str | None, Doc("repair it is about")] = None
    trace_ids: Annotated[tuple[str, ...], Doc("traces it is about")] = ()
    task_ids: Annotated[tuple[str, ...], Doc("tasks it is about")] = ()
    strategy: Annotated[str | None, Doc("`strategyId@revision`")] = None
    body: Annotated[str | None, Doc("the rest, as JSON")] = None
    seq: Annotated[int | None, Doc("place in the trail")] = None
    prev_hash: Annotated[str | None, Doc("hash of the entry before")] = None
    hash: Annotated[str | None, Doc("hash of this entry")] = None


@dataclass(frozen=True, kw_only=True)
class JournalHead(Node):
    """The end of the audit trail; who writes to the journal writes here first, and so waits."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("`journal`")]
    changes: Annotated[int | None, Doc("transactions of the journal")] = None
    seq: Annotated[int | None, Doc("place of the last entry")] = None
    hash: Annotated[str | None, Doc("hash of the last entry")] = None


@dataclass(frozen=True, kw_only=True)
class Lease(Node):
    """The right of one repair to act on a target."""

    KEY: ClassVar[str] = "target"

    target: Annotated[str, Doc("`kind:name` of what is held")]
    repair_id: Annotated[str | None, Doc("repair that holds it")] = None
    until_ms: Annotated[int | None, Doc("when it runs out", "epoch ms")] = None


@dataclass(frozen=True, kw_only=True)
class Switch(Node):
    """A durable setting of repair, such as the global stop."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("`stop`, `suppressed`, ...")]
    value: Annotated[str | None, Doc("its value, as JSON")] = None
    who: Annotated[str | None, Doc("who set it last")] = None
    at_ms: Annotated[int | None, Doc("when it was set last", "epoch ms")] = None
