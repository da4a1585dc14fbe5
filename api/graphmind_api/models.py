"""The bodies of requests and answers: their descriptions are the API's documentation."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["critical", "major", "minor"]
Symptom = Literal["error", "slow", "hang", "short", "storm", "fork", "loop", "wrong", "metric"]
IDS_MAX = 100_000
TraceId = Annotated[str, Field(min_length=1, max_length=256)]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Body(BaseModel):
    """Base of all bodies: frozen."""

    model_config = ConfigDict(frozen=True)


class GraphQuery(Body):
    """The question to the graph that gives the same from Neo4j Browser."""

    question: str = Field(description="Its name in the library")
    cypher: str
    parameters: dict[str, Any]
    browser_url: str | None = Field(
        description="Opens Neo4j Browser with it; null where its address is not set"
    )


class Item(Body):
    """One thing that traces touch."""

    kind: str = Field(description="E.g. agent, model_version, region, tool, kv_key")
    name: str


class Rival(Body):
    """Another explanation of the same failures."""

    all_of: tuple[Item, ...]
    nats_behind: float = Field(description="How much worse it explains them, in nats")


class Cause(Body):
    """What failing traces share, with the evidence; counts are of traces, as weights estimate."""

    rank: int = Field(description="1 is the strongest")
    role: str = Field(description="root, critical or impact")
    kind: str = Field(description="Kinds of its items, joined by `+`")
    label: str = Field(description="Its items in words")
    all_of: tuple[Item, ...] = Field(description="Touched together, they are the cause")
    tied: tuple[tuple[Item, ...], ...] = Field(
        description="Alternatives that the data cannot tell from it"
    )
    confidence: float = Field(description="Probability that it is a cause, 0 to 1")
    risk_ratio: float = Field(description="Failing share with it over failing share without")
    risk_ratio_low: float = Field(description="Lower end of its 95 % interval")
    failed_with: float = Field(description="Failing traces that touch it")
    failed_total: float = Field(description="Failing traces")
    passed_with: float = Field(description="Healthy traces that touch it")
    passed_total: float = Field(description="Healthy traces")
    q_value: float = Field(description="False discovery rate at which it is reported")
    onset_ms: int = Field(description="First failing trace it is active on, epoch ms")
    until_ms: int = Field(description="Last one, epoch ms")
    bounded: bool = Field(description="Active between these two only, not whenever touched")
    rivals: tuple[Rival, ...]


class Reach(Body):
    """Who else touches the cause, failing or not."""

    traces: int
    failing: int = Field(description="Of those, with any symptom; the others are still healthy")
    last_ms: int | None = Field(description="Start of the last trace that touched it, epoch ms")
    tasks: tuple[str, ...]
    agents: tuple[str, ...]
    regions: tuple[str, ...]
    written_keys: tuple[str, ...] = Field(description="Keys whose value the cause wrote or is")


class Effect(Body):
    """What fails because of the cause, and is not the cause."""

    role: Literal["critical", "impact"] = Field(
        description="critical: where the traces go wrong; impact: who fails only with the cause"
    )
    kind: str
    name: str
    failing: float = Field(description="Traces of the incident there")
    share: float = Field(
        description="critical: of the incident's traces; impact: of all traces that touch it"
    )


class NearChange(Body):
    """A change shortly before the onset."""

    kind: str = Field(description="deploy, config, flag, migration, release or first seen")
    target: str
    at_ms: int = Field(description="When it took effect, epoch ms")
    before_onset_ms: int
    of_cause: bool = Field(description="It changed what a cause names, else it is near in time")
    author: str | None
    summary: str


class Place(Body):
    """A service whose own work differs from fault-free periods."""

    service: str
    operation: str
    score: float = Field(description="In multiples of the wobble between fault-free periods")
    evidence: str


class Where(Body):
    """Where the traces depart from fault-free periods."""

    places: tuple[Place, ...] = Field(description="Most suspect first; three where it is weak")
    weak: bool
    reference_periods: int = Field(description="0: compared with healthy traces of the window")


class Touches(Body):
    """What running a command would touch."""

    traces: int
    tasks: tuple[str, ...]
    agents: tuple[str, ...]
    regions: tuple[str, ...]
    keys: tuple[str, ...]


class Command(Body):
    """The repair that an incident calls for: proposed, not run."""

    action: Literal["multi_trace_repair"]
    state: str
    level: Literal["trace", "agent", "model", "region", "key"]
    root_node: str | None = Field(description="What is acted on, as `kind:name`")
    matched_cluster: str
    trace_scope: tuple[str, ...] = Field(description="Failing traces it is for")
    only_where: tuple[Item, ...] = Field(description="Act only where these are touched as well")
    repair_path: tuple[str, ...] = Field(description="Steps in order, as `action:target`")
    reasons: tuple[str, ...]
    touches: Touches


class Verdict(Body):
    """Failing traces that belong together: where, what, how and since when."""

    title: str
    symptom: Symptom
    channels: tuple[str, ...] = Field(description="Kinds of symptom judged together")
    root_module: str | None = Field(description="Where most of its traces went wrong")
    root_module_share: float = Field(description="Share of its traces that did so there")
    root_path: str = Field(description="Steps from the root to where it goes wrong there")
    root_span: dict[str, str] = Field(description="trace_id and span_id of a span that shows it")
    error_codes: dict[str, int] = Field(description="Traces by error code, most frequent first")
    onset_ms: int = Field(description="When it began, epoch ms")
    confidence: float = Field(description="Of its first cause; 0 without one")
    trace_ids: tuple[str, ...] = Field(description="Its failing traces, sorted")
    examples: tuple[str, ...] = Field(description="Traces that show it best")
    survivors: tuple[str, ...] = Field(description="Traces that touched the cause and were healthy")
    causes: tuple[Cause, ...] = Field(description="Strongest first; none: unexplained")
    effects: tuple[Effect, ...] = Field(description="Critical failures, then impact")
    changes: tuple[NearChange, ...] = Field(
        description="Changes before the onset: those of a cause first, then the nearest"
    )
    where: Where | None = Field(description="null: nothing to compare with")
    task_count: int
    agent_count: int
    region_count: int
    unexplained_share: float = Field(
        description="Share of its failures that would be expected without the cause"
    )
    reach: Reach


class Fingerprint(Body):
    """How an incident looks, without ids, times and versions."""

    hash: str
    structure: str = Field(description="Operations from the root to where it goes wrong")
    metric_signature: tuple[str, ...] = Field(description="Metrics that stand out")
    log_signature: tuple[str, ...] = Field(description="Keywords of messages and error codes")
    root_cause: str | None = Field(description="Kind and family of its cause")


class Resemblance(Body):
    """A past incident that it resembles."""

    incident_id: str
    score: float
    title: str
    root_cause: str | None
    corroborated: bool = Field(description="Metrics, keywords and an archived cause agree as well")


class Seen(Body):
    """Whether an incident was seen before."""

    verdict: Literal["seen before", "similar", "new"]
    fingerprint: Fingerprint
    matches: tuple[Resemblance, ...] = Field(description="Best first")


class Moment(Body):
    """A change of an incident's state, or what it took in."""

    at_ms: int
    state: str
    trace_count: int
    reason: str


class Incident(Verdict):
    """Everything known about an incident."""

    incident_id: str
    state: str
    severity: Severity
    cluster_id: str
    opened_ms: int = Field(description="When it was opened, epoch ms")
    absorbed: tuple[str, ...] = Field(description="Earlier incidents that were part of it")
    split_from: str | None = Field(description="Earlier incident that it was part of")
    seen: Seen | None = Field(description="null: no trace was left to take a fingerprint of")
    state_since_ms: int | None = Field(None, description="Live: when it entered its state")
    closed_ms: int | None = Field(None, description="Live: when it was closed")
    merged_into: str | None = Field(None, description="Live: the incident that took it in")
    history: tuple[Moment, ...] = Field((), description="Live: its states, oldest first")
    eligible_for_repair: bool = Field(False, description="An alert was raised for it")
    alerted_ms: int | None = Field(None, description="When that was, epoch ms")
    sentence: str = Field(description="It in one sentence; times in UTC")
    until_ms: int = Field(description="When it last failed, epoch ms")
    repair_state: str | None = Field(description="Of its newest repair; null: none")
    command: Command


class IncidentSummary(Body):
    """An incident in a list."""

    incident_id: str
    title: str
    state: str
    severity: Severity
    symptom: Symptom
    root_module: str | None
    onset_ms: int = Field(description="When it began, epoch ms")
    confidence: float
    trace_count: int
    cause: str | None = Field(description="Its first cause in words")
    sentence: str = Field(description="It in one sentence; times in UTC")
    until_ms: int = Field(description="When it last failed, epoch ms")
    repair_state: str | None = Field(description="Of its newest repair; null: none")


class IncidentPage(Body):
    """Incidents, newest first."""

    items: tuple[IncidentSummary, ...]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null: last")


class Node(Body):
    """The incident, one of its causes, an item that its traces touch, or a group of its traces."""

    node_id: str
    kind: str = Field(description="incident, cause, traces, or the kind of the item")
    name: str
    traces: int = Field(description="Traces of the incident that touch it")
    others: int = Field(description="Other traces of the same time that touch it")
    failing_share: float = Field(
        description="Failing traces over all that touch it, in the time of the incident"
    )
    mark: Literal["hot_zone", "break_point", "loop"] | None = Field(
        description="hot_zone: most that touch it fail; break_point: traces go wrong there; "
        "loop: they go round in it"
    )
    x: float = Field(description="Where to draw it, -1 to 1; the same for everyone")
    y: float


class Edge(Body):
    """How two nodes belong together."""

    source: str
    target: str
    kind: Literal["CAUSED_BY", "NAMES", "PART_OF", "TOUCHED", "TOUCHED_TOGETHER"]
    traces: int = Field(description="Traces of the incident that it stands for")


class Topology(Body):
    """An incident as a picture, its traces collapsed to counts; the most important comes first."""

    incident_id: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    hidden_nodes: int = Field(description="Items left out, touched by the fewest of its traces")
    hidden_edges: int = Field(description="Links left out, made by the fewest of its traces")
    hidden_traces: int = Field(description="Healthy traces of the same time, which are not drawn")
    query: GraphQuery


class Window(Body):
    """The traces compared."""

    from_ms: int | None = Field(description="First start, epoch ms; null: no traces")
    until_ms: int | None = Field(description="Last start, epoch ms")
    traces: int = Field(description="Of a sampled window, what its traces stand for")
    read: int = Field(description="Traces read: fewer where the window was sampled")
    failing: int = Field(description="Of those, given as failing")
    incomplete: int = Field(description="Of those, with spans missing")


class RootCause(Body):
    """What the given traces share; each is in one finding, unexplained or unknown."""

    window: Window
    findings: tuple[Verdict, ...] = Field(description="Strongest first; none of it is stored")
    unexplained: tuple[str, ...] = Field(description="Traces in no finding, sorted")
    unknown: tuple[str, ...] = Field(description="Ids of which nothing is archived, sorted")


class Parameter(Body):
    """A parameter of a question."""

    name: str
    type: Literal["string", "integer", "float"]
    default: str | int | float | None = Field(description="null: it must be given")
    meaning: str


class Column(Body):
    """A column of an answer."""

    name: str
    meaning: str


class Question(Body):
    """A question to the graph."""

    name: str
    category: str = Field(description="What kind of question it is, such as `triage`")
    title: str
    asks: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]


class Questions(Body):
    """All questions, sorted by name."""

    items: tuple[Question, ...]


class Asked(Body):
    """Values for a question's parameters; those with a default may be left out."""

    parameters: dict[str, str | int | float] = Field(default_factory=dict)


class Answer(Body):
    """Rows of an answer: each a map from the question's columns to values."""

    question: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]


class Alive(Body):
    """The server runs."""

    status: Literal["ok"]


class Check(Body):
    """One thing that the server needs to answer."""

    name: str = Field(description="archive, graph, or a loop of the live service")
    ready: bool
    detail: str = Field(description="Why not; empty if ready")


class Readiness(Body):
    """Whether requests can be answered."""

    ready: bool
    checks: tuple[Check, ...]


class Version(Body):
    """Which graphmind answers."""

    version: str
    api: Literal["v1"]
