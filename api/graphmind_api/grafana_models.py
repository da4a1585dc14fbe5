"""Bodies of the panels of dashboards: flat rows, ``time`` in epoch ms, named as Grafana reads."""

from pydantic import Field

from graphmind_api.models import Body

Share = float | None


class PaceRow(Body):
    """How the traces that began in one step fared."""

    time: int = Field(description="Beginning of the step, epoch ms")
    traces: float = Field(description="As weights estimate them")
    failing: float
    failing_share: Share
    complete_ratio: Share = Field(description="Share of which all spans came")
    sampled_share: Share = Field(description="Traces archived over those they stand for")
    spans: int
    p50_ms: float | None
    p95_ms: float | None


class OutcomeRow(Body):
    """How many traces of one step ended how."""

    time: int
    outcome: str
    traces: float


class HeatRow(Body):
    """One cell of module x minute."""

    time: int
    module: str
    traces: float = Field(description="Traces that ran the module")
    failing: float = Field(description="Of those, with a symptom there")
    failing_share: Share


class GroupRow(Body):
    """An agent, model version, region, ... and how its traces fare."""

    name: str
    traces: float
    failing: float
    failing_share: Share
    complete_ratio: Share
    sampled_share: Share
    p95_ms: float | None
    last: int = Field(description="Start of its newest trace, epoch ms")
    incidents: int = Field(description="Open incidents whose first cause names it")


class IncidentRow(Body):
    """An incident in the table."""

    incident_id: str
    onset: int
    title: str
    state: str
    severity: str
    symptom: str
    root_module: str | None
    root_cause: str | None = Field(description="Kind of its first cause")
    cause: str | None = Field(description="Its first cause in words")
    confidence: float
    traces: int
    unexplained_share: float
    cluster_id: str
    repair_id: str | None = Field(description="Its newest repair")
    repair_state: str | None
    strategy: str | None


class Choice(Body):
    """A value of a dashboard's variable."""

    text: str = Field(alias="__text")
    value: str = Field(alias="__value")


class CauseRow(Body):
    """A cause with its evidence."""

    rank: int
    role: str
    kind: str
    label: str
    confidence: float
    risk_ratio: float
    failed_with: float
    failed_share: Share = Field(description="Of the failing traces, those that touch it")
    passed_with: float
    passed_share: Share = Field(description="Of the healthy traces, those that touch it")
    unexplained: float = Field(description="Failing traces that do not touch it")


class StateRow(Body):
    """A state that an incident entered."""

    time: int
    state: str
    traces: int
    reason: str


class TraceRow(Body):
    """A trace of an incident."""

    trace_id: str
    time: int
    task: str | None
    outcome: str
    duration_ms: float
    root_module: str | None
    path: str | None
    error_code: str | None
    recovered: bool | None


class NodeRow(Body):
    """A node as Grafana's node graph reads it; the ``arc__`` parts add up to 1."""

    id: str
    title: str
    subtitle: str
    mainstat: str
    secondarystat: str
    arc__failing: float
    arc__healthy: float
    icon: str
    noderadius: int
    fixedx: int
    fixedy: int
    detail__kind: str
    detail__mark: str | None = Field(description="hot_zone, break_point or loop")
    detail__traces: int
    detail__others: int


class EdgeRow(Body):
    """An edge as Grafana's node graph reads it."""

    id: str
    source: str
    target: str
    mainstat: str
    secondarystat: str
    thickness: float
    detail__kind: str


class HiddenRow(Body):
    """What a picture leaves out."""

    nodes: int = Field(description="Nodes shown")
    hidden_nodes: int
    hidden_edges: int


class TimelineRow(Body):
    """A span of a trace as it began, or a line as it was written."""

    time: int
    source: str
    depth: int | None
    failed: bool
    text: str | None
    service: str | None
    agent: str | None
    module: str | None
    error_code: str | None
    duration_ms: float | None


class CodeRow(Body):
    """An error code."""

    code: str
    module: str | None
    failing: float


class FaultRow(Body):
    """A node where traces went wrong."""

    root_node: str | None
    path: str | None
    outcome: str
    failing: float
    share: Share
    p95_ms: float | None


class PointRow(Body):
    """A point of a signal."""

    time: int
    series: str
    value: float


class CellRow(Body):
    """One cell of time x place x strategy."""

    time: int
    place: str
    strategy: str = Field(description="What answered the incident; `no repair`, `no incident`")
    failing: float


class PlaceRow(Body):
    """A place and a strategy over the whole time."""

    place: str
    strategy: str
    failing: float
    worst: int = Field(description="Step in which most failed, epoch ms")
    worst_failing: float


class AnnotationRow(Body):
    """Something that happened."""

    time: int
    time_end: int | None = Field(alias="timeEnd")
    title: str
    text: str
    tags: str


class DriftRow(Body):
    """An agent in the time shown, against as much time before."""

    group: str
    score: float = Field(description="0 to 1; 0: not sure, or too small to matter")
    response_shift: float = Field(description="ln of the medians' ratio; above 0 is slower")
    branch_shift: float = Field(description="Of the modules it calls, bits")
    mean_ms: float
    was_mean_ms: float
    since: int | None = Field(description="When it began, epoch ms; null: nothing drifted")
    q_value: float
