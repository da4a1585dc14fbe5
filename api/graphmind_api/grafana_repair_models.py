"""Bodies of the panels about repairs, clusters and drift: flat rows, named as Grafana reads."""

from pydantic import Field

from graphmind_api.grafana_models import Share
from graphmind_api.models import Body


class RunRow(Body):
    """A repair with the time of each stage."""

    repair_id: str
    time: int = Field(description="When it was asked for, epoch ms")
    incident_id: str
    cluster_id: str
    strategy: str
    level: str
    target: str
    state: str
    verdict: str = Field(description="Empty where none was reached")
    operator: str
    traces: int = Field(description="Failing traces that it is for")
    trace_p95_ms: float | None = Field(description="Of the incident's requests, before it")
    detect_s: float | None = Field(description="From the onset until the incident was opened")
    decide_s: float | None = Field(description="From the request to the start")
    run_s: float | None = Field(description="From the start to the last step")
    verify_s: float | None = Field(description="From the last step to the verdict")
    loop_s: float | None = Field(description="From the onset to the verdict")


class Outcomes(Body):
    """How repairs that ran turned out."""

    runs: int
    effective: int
    ineffective: int
    harmful: int
    inconclusive: int
    success_share: Share = Field(description="Effective ones among those with a clear verdict")
    median_s: float | None = Field(description="From request to verdict of the effective ones")


class StrategyRow(Outcomes):
    """A revision of a strategy."""

    strategy: str


class CoverageRow(Body):
    """A kind of root cause, and how many of its incidents were answered."""

    root_cause: str
    incidents: int
    planned: int
    effective: int
    coverage: Share


class FigureRow(Body):
    """A figure when healthy, in the incident and after the repair."""

    repair_id: str
    time: int
    strategy: str
    figure: str
    healthy: float | None
    before: float | None
    after: float | None
    back: bool | None = Field(description="Whether it is back to what is healthy")


class ClusterRow(Outcomes):
    """A cluster of incidents: what causes it, and what repairs did to it."""

    root_cause: str
    cluster_id: str
    repair_effect: str
    incidents: int
    open: int
    traces: int
    last_onset: int
    strategy: str | None = Field(description="Of the newest repair")


class TreeNodeRow(Body):
    """A root cause, an incident or a repair in the tree of repairs."""

    id: str
    title: str
    subtitle: str
    mainstat: str
    secondarystat: str
    arc__effective: float
    arc__failed: float
    arc__open: float
    icon: str
    detail__strategy: str | None
    detail__state: str | None


class TreeEdgeRow(Body):
    """What was tried after what."""

    id: str
    source: str
    target: str
    mainstat: str
