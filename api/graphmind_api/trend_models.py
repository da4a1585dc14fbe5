"""Bodies of what changes and recurs: drift, failing paths, versions to go back to."""

from pydantic import Field

from graphmind_api.models import Body


class DriftOfGroup(Body):
    """How an agent answers now, against the period before."""

    group: str = Field(description="The agent")
    response_shift: float = Field(description="ln of the medians' ratio; above 0 is slower")
    branch_shift: float = Field(
        description="Jensen-Shannon divergence, in bits, of the modules it calls: 0 to 1"
    )
    mean_ms: float = Field(description="Of its calls, a trace")
    was_mean_ms: float
    since_ms: int | None = Field(description="When it began, epoch ms; null: nothing drifted")
    score: float = Field(description="0 to 1; 0: not sure, or too small to matter")
    q_value: float = Field(description="Share of false alarms among groups as sure as this one")


class DriftList(Body):
    """Agents with traces in both periods, farthest first."""

    items: tuple[DriftOfGroup, ...]


class FailingPath(Body):
    """Modules along which traces fail more often than elsewhere."""

    path: tuple[str, ...] = Field(description="From the root")
    failing: float = Field(description="Traces that went it and failed, as weights estimate")
    passed: float
    lift: float = Field(description="Its failing share over that of all traces of the time")


class FailingPaths(Body):
    """Those with most failing traces beyond what is usual first."""

    since_ms: int
    until_ms: int
    items: tuple[FailingPath, ...]


class RollbackAdvice(Body):
    """Which version to go back to."""

    model: str
    from_: str | None = Field(
        alias="from", description="Version that fails beyond the base rate; null: none is sure to"
    )
    to: str | None = Field(
        description="Newest earlier version that is sure to fail less; null: none"
    )
    why: str
