"""Bodies that several answers share: where a picture comes from in the graph, and cohorts."""

from typing import Annotated, Any, Literal, Self

from pydantic import FailFast, Field, model_validator

from graphmind_api.models import IDS_MAX, Body, GraphQuery, Int64, Symptom, TraceId

NAME_MAX = 1_000
Outcome = Literal["ok", "failed", "slow", "hung", "short", "wrong", "incomplete"]


class TraceFilter(Body):
    """Which traces; what is not given does not filter."""

    since_ms: Int64 | None = Field(None, description="Start at or after, epoch ms")
    until_ms: Int64 | None = Field(None, description="Start before, epoch ms")
    symptom: Symptom | None = Field(None, description="Shows this symptom")
    outcome: Outcome | None = Field(None, description="Ended so")
    failing: bool | None = Field(None, description="Shows any symptom, or none")
    task: str | None = Field(None, max_length=NAME_MAX, description="Kind of task")
    agent: str | None = Field(None, max_length=NAME_MAX)
    module: str | None = Field(None, max_length=NAME_MAX)
    region: str | None = Field(None, max_length=NAME_MAX)
    model_version: str | None = Field(None, max_length=NAME_MAX)
    kv_key: str | None = Field(None, max_length=NAME_MAX)
    incident_id: str | None = Field(None, max_length=NAME_MAX, description="Is part of it")


class Cohort(Body):
    """Some traces: by id, or by a filter."""

    trace_ids: Annotated[
        list[TraceId] | None, FailFast(), Field(min_length=1, max_length=IDS_MAX)
    ] = None
    filter: TraceFilter | None = None

    @model_validator(mode="after")
    def _told_once(self) -> Self:
        if (self.trace_ids is None) == (self.filter is None):
            raise ValueError("give trace_ids or filter, and not both")
        return self


class FailingTraces(Cohort):
    """Traces to explain as failing: by id, or by a filter."""


class Cohorts(Body):
    """Two cohorts to hold against each other; what is in both counts as ``a``."""

    a: Cohort
    b: Cohort | None = Field(
        None, description="null: every other trace of the time of `a`, an hour at least"
    )


class Separating(Body):
    """An item that one cohort touches more often than the other; counts as weights estimate."""

    kind: str
    name: str
    a_with: float = Field(description="Traces of `a` that touch it")
    a_total: float
    b_with: float
    b_total: float
    a_share: float
    b_share: float
    risk_ratio: float = Field(
        description="Share of `a` among the traces with it, over that among those without"
    )
    risk_ratio_low: float = Field(description="Lower end of its 95 % interval")
    risk_ratio_high: float = Field(description="Upper end; both as in incidents")
    q_value: float = Field(description="Bound on the chance that any item tested is this uneven")
    confidence: float = Field(description="1 - q_value for an item alone; of a cause, its own")
    is_cause: bool = Field(description="Named as a shared cause of `a`, not only more frequent")
    tied: tuple[str, ...] = Field(description="`kind:name` of items on exactly the same traces")


class Comparison(Body):
    """What separates two cohorts, the surest first."""

    a_traces: float
    b_traces: float
    overlap: int = Field(description="Traces in both: counted as `a`")
    unknown: int = Field(description="Ids given of which nothing is archived")
    since_ms: int | None = Field(description="First start compared, epoch ms; null: no traces")
    until_ms: int | None
    tested: int = Field(description="Items on enough traces to tell anything")
    separating: tuple[Separating, ...]


class Drift(Body):
    """How far an agent moved in the time asked for, against as much before; see `GET /drift`."""

    score: float = Field(description="0 to 1; 0: not sure, or too small to matter")
    duration_shift: float = Field(description="ln of the medians' ratio; above 0 is slower")
    branch_shift: float = Field(description="Of the modules it calls, bits")


class Health(Body):
    """How the traces that touch something fare; counts as weights estimate."""

    name: str
    traces: float
    failing: float = Field(description="Of those, with any symptom")
    failing_share: float
    p95_ms: float | None = Field(description="Of their duration")
    last_ms: int = Field(description="Start of the last of them, epoch ms")
    drift: Drift | None = Field(description="null: not measured, as in the list of all")
    incidents: tuple[str, ...] = Field(description="Open incidents a cause of which names it")


class HealthPage(Body):
    """Things of one kind; those with most failing traces first."""

    since_ms: int
    until_ms: int
    items: tuple[Health, ...]
    next_cursor: str | None
    query: GraphQuery | None


class HealthPoint(Body):
    """A step in time."""

    at_ms: int
    traces: float
    failing: float
    p95_ms: float | None


class HealthInTime(Health):
    """One of them, step by step."""

    step_ms: int
    points: tuple[HealthPoint, ...]


class HeatCell(Body):
    """Traces that passed a module in a step."""

    module: str
    at_ms: int = Field(description="When the step begins, epoch ms")
    traces: float
    failing: float = Field(description="Of those, the ones that went wrong in this module")


class Heatmap(Body):
    """Module by time; cells without traces are left out."""

    step_ms: int
    since_ms: int
    until_ms: int
    modules: tuple[str, ...] = Field(description="Those with most failing traces first")
    cells: tuple[HeatCell, ...]


class Captured(Body):
    """How well the traces of an agent or a module are captured."""

    name: str
    traces: int
    complete_ratio: float = Field(description="Share of which every span came")
    sampled_share: float = Field(description="Traces kept over those they stand for")


class Capture(Body):
    """What telemetry there is, and where it is blind."""

    spans: int
    traces: int
    complete_ratio: float | None = Field(description="null without traces")
    dropped: dict[str, int] = Field(description="Spans refused or lost since the start, by reason")
    agents: tuple[Captured, ...] = Field(description="Least complete first")
    modules: tuple[Captured, ...] = Field(description="Least complete first")


class RegionOutlook(Body):
    """How a region that is routed to fares."""

    region: str
    health: Literal["healthy", "unclear", "degraded", "sick"]
    excess: float = Field(description="Share that fails beyond the healthiest other region")
    share: float = Field(description="Of its full weight that is in service, 0..1")
    reasons: tuple[str, ...]
    held: str | None = Field(description="Why nothing is proposed although it is not well, or back")


class RegionProposal(Body):
    """What the region watcher proposes."""

    action: Literal["set_weight", "drain", "fail_over", "enable"]
    region: str
    into: str | None = Field(description="Where it fails over to")
    share: float = Field(description="Of its full weight that is left in service then, 0..1")
    weight: int = Field(description="For the connector")
    reasons: tuple[str, ...]


class RegionsOutlook(Body):
    """The latest look of the region watcher."""

    at_ms: int | None = Field(description="null: no connector routes to regions, or none was seen")
    regions: tuple[RegionOutlook, ...] = ()
    proposals: tuple[RegionProposal, ...] = ()


class CypherQuery(Body):
    """A statement that only reads."""

    query: str = Field(min_length=1, max_length=20_000)
    parameters: dict[str, Any] = Field(default_factory=dict)
    limit: int = Field(200, ge=1, le=5_000, description="Rows at most")


class CypherRows(Body):
    """Rows of an answer, each in the order of the columns."""

    columns: tuple[str, ...] = Field(description="Empty where there is no row")
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = Field(description="There are more rows than the limit")
    seconds: float
    browser_url: str | None
