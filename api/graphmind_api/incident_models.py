"""Bodies of the parts of an incident: traces, causes, evidence, time, likeness, exposure."""

from typing import Any, Literal

from pydantic import Field

from graphmind_api.models import (
    Body,
    Cause,
    GraphQuery,
    Moment,
    NearChange,
    Reach,
    Resemblance,
    Rival,
)


class IncidentTrace(Body):
    """A failing trace of an incident."""

    trace_id: str
    task: str | None = Field(description="Kind of task")
    task_id: str | None = Field(description="The job that it is an attempt of")
    started_ms: int
    duration_ms: float
    outcome: str
    symptoms: tuple[str, ...]
    root_module: str | None = Field(description="Where it went wrong")
    agent: str | None = Field(description="First agent that it ran on")
    region: str | None
    weight: float = Field(description="Traces that it stands for")
    explained: bool = Field(description="It touches what the cause names while that is active")


class IncidentTraces(Body):
    """Traces of an incident, oldest first."""

    items: tuple[IncidentTrace, ...]
    next_cursor: str | None
    query: GraphQuery


class LostRival(Rival):
    """Another explanation, and why it lost."""

    why_lost: str


class ShownCause(Cause):
    """A cause with its shares."""

    failed_share: float = Field(description="Of the failing traces, those that touch it")
    passed_share: float = Field(description="Of the healthy traces, those that touch it")
    risk_ratio_high: float = Field(description="Upper end of the 95 % interval")
    unexplained_traces: int = Field(description="Traces of the incident that do not touch it")
    rivals: tuple[LostRival, ...]


class IncidentCauses(Body):
    """Causes of an incident, strongest first; none: unexplained."""

    items: tuple[ShownCause, ...]
    query: GraphQuery


class Contingency(Body):
    """The four counts behind a cause."""

    rank: int
    label: str
    failed_with: float
    failed_without: float
    passed_with: float
    passed_without: float
    risk_ratio: float
    risk_ratio_low: float
    risk_ratio_high: float


class Example(Body):
    """A failing trace beside a healthy one of the same kind."""

    failing_trace_id: str
    healthy_trace_id: str | None = Field(description="null: no healthy one of its task is there")
    task: str | None


class PathStep(Body):
    """A span on the critical path of the failing example: what its duration is made of."""

    span_id: str
    module: str | None
    operation: str | None
    agent: str | None
    depth: int
    started_ms: float = Field(description="Since the start of the trace")
    duration_ms: float
    self_ms: float
    healthy_self_ms: float | None = Field(
        description="The same step of the healthy example; null: it has none"
    )
    failed: bool
    is_root: bool = Field(description="Here it went wrong")


class Evidence(Body):
    """What speaks for an incident's causes."""

    contingency: tuple[Contingency, ...]
    example: Example | None = Field(description="null: none of its traces is left")
    critical_path: tuple[PathStep, ...]
    query: GraphQuery


class TimePoint(Body):
    """Traces that began in a step."""

    at_ms: int
    traces: float = Field(description="All that began then")
    failing: float = Field(description="Of those, the ones of the incident")


class RepairAt(Body):
    """A repair of the incident entered a state."""

    repair_id: str
    at_ms: int
    state: str
    strategy: str


class Timeline(Body):
    """An incident in time."""

    step_ms: int
    points: tuple[TimePoint, ...]
    onset_ms: int
    onset_low_ms: int = Field(
        description="Start of the last healthy trace that the cause would have hit before"
    )
    onset_high_ms: int = Field(description="Start of the second failing trace")
    changes: tuple[NearChange, ...]
    moments: tuple[Moment, ...]
    repairs: tuple[RepairAt, ...]
    query: GraphQuery


class PastCase(Resemblance):
    """A past incident, and what was done."""

    strategy: str | None = Field(description="Of its last repair with a verdict; null: none")
    verdict: str | None = Field(description="effective, ineffective, harmful or inconclusive")
    seconds_to_effect: float | None = Field(description="From request to verdict")


class Worked(Body):
    """The strategy that worked most often on incidents like it."""

    strategy: str
    effective: int
    of: int
    median_s: float | None


class SimilarIncidents(Body):
    """Whether an incident was seen before, and what worked then."""

    verdict: Literal["seen before", "similar", "new"] | None = Field(
        description="null: no trace was left to take a fingerprint of"
    )
    matches: tuple[PastCase, ...]
    worked: Worked | None
    query: GraphQuery


class Exposed(Reach):
    """Who touches the first cause since the onset, healthy ones told apart."""

    since_ms: int
    still_healthy: int
    keys: tuple[str, ...] = Field(description="Keys that the exposed traces touch, at most 1,000")
    query: GraphQuery


class LineageNode(Body):
    """A trace or a key that a bad value passed."""

    id: str = Field(description="`trace:ID` or `kv_key:NAME`")
    kind: Literal["trace", "kv_key"]
    name: str
    layer: int = Field(description="Steps from the origin: 0 wrote the value first")
    infected: bool = Field(description="A trace that failed, or a key that holds a bad value")
    at_risk: bool = Field(description="Reached and still healthy")


class LineageEdge(Body):
    """A value passed on."""

    source: str
    target: str
    kind: Literal["WROTE", "READ_BY"]


class FirstWrite(Body):
    """The write that explains the failures best."""

    trace_id: str
    agent: str | None
    key: str
    at_ms: int
    explained: int = Field(description="Traces that failed after they read what came of it")
    share: float


class LineageGraph(Body):
    """How a bad value spread: writer, keys, readers."""

    patient_zero: FirstWrite | None = Field(description="null: no write explains the failures")
    basis: str = Field(description="Why these origins: cause, search or failing_traces")
    nodes: tuple[LineageNode, ...] = Field(description="By layer, infected first")
    edges: tuple[LineageEdge, ...]
    infected: int
    at_risk: int
    hidden_nodes: int
    quarantine: dict[str, Any] = Field(description="The command against it")
    lost_by_rollback: tuple[dict[str, Any], ...] = Field(
        description="Keys that would be rolled back, and the healthy writes lost by it"
    )
    query: GraphQuery
