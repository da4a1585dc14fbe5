"""The relationship types. The class name is the type: ``CausedBy`` is ``CAUSED_BY``."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from graphmind.graph.schema.declare import Edge, FoundEdge, SharedEdge
from graphmind.settings import Doc

Ends = tuple[tuple[str, str], ...]

RESOURCES = (
    "Agent",
    "AgentInstance",
    "Service",
    "Model",
    "ModelVersion",
    "PromptVersion",
    "Tool",
    "Module",
    "Region",
    "Endpoint",
    "KvKey",
    "Task",
)
"""Labels of what traces share: what a change may touch, a cause may name, a repair may target."""


@dataclass(frozen=True, kw_only=True)
class OfTask(Edge):
    """The trace ran a task of this kind."""

    ENDS: ClassVar[Ends] = (("Trace", "Task"),)


@dataclass(frozen=True, kw_only=True)
class RanOn(Edge):
    """The agent, instance or service did part of the trace."""

    ENDS: ClassVar[Ends] = (("Trace", "Agent"), ("Trace", "AgentInstance"), ("Trace", "Service"))


@dataclass(frozen=True, kw_only=True)
class Used(Edge):
    """The model version answered calls of the trace, or was asked and did not answer."""

    ENDS: ClassVar[Ends] = (("Trace", "ModelVersion"),)

    requested: Annotated[str | None, Doc("model that was asked for")] = None
    calls: Annotated[int | None, Doc("calls made")] = None
    errors: Annotated[int | None, Doc("calls with an error status")] = None


@dataclass(frozen=True, kw_only=True)
class InRegion(Edge):
    """Part of the trace ran in the region."""

    ENDS: ClassVar[Ends] = (("Trace", "Region"),)


@dataclass(frozen=True, kw_only=True)
class Passed(Edge):
    """The trace went through the module."""

    ENDS: ClassVar[Ends] = (("Trace", "Module"),)

    calls: Annotated[int | None, Doc("spans in the module")] = None
    errors: Annotated[int | None, Doc("spans with an error status")] = None
    duration_ms: Annotated[float | None, Doc("sum over the spans that ended", "ms")] = None
    self_ms: Annotated[float | None, Doc("time that no child covers", "ms")] = None


@dataclass(frozen=True, kw_only=True)
class FailedAt(Edge):
    """The module is where the trace went wrong."""

    ENDS: ClassVar[Ends] = (("Trace", "Module"),)


@dataclass(frozen=True, kw_only=True)
class Raised(Edge):
    """A span of the trace carries the error code."""

    ENDS: ClassVar[Ends] = (("Trace", "ErrorCode"),)


@dataclass(frozen=True, kw_only=True)
class Read(Edge):
    """The trace read the key."""

    ENDS: ClassVar[Ends] = (("Trace", "KvKey"),)

    at_ms: Annotated[int | None, Doc("first read", "epoch ms")] = None


@dataclass(frozen=True, kw_only=True)
class Wrote(Edge):
    """The trace wrote the key."""

    ENDS: ClassVar[Ends] = (("Trace", "KvKey"),)

    at_ms: Annotated[int | None, Doc("last write", "epoch ms")] = None


@dataclass(frozen=True, kw_only=True)
class Called(Edge):
    """The trace called the tool."""

    ENDS: ClassVar[Ends] = (("Trace", "Tool"),)


@dataclass(frozen=True, kw_only=True)
class Reached(Edge):
    """The trace called the endpoint."""

    ENDS: ClassVar[Ends] = (("Trace", "Endpoint"),)


@dataclass(frozen=True, kw_only=True)
class PromptedBy(Edge):
    """The trace used the prompt version."""

    ENDS: ClassVar[Ends] = (("Trace", "PromptVersion"),)


@dataclass(frozen=True, kw_only=True)
class Continues(Edge):
    """The trace goes on where another one stopped."""

    ENDS: ClassVar[Ends] = (("Trace", "Trace"),)

    kind: Annotated[str | None, Doc("retry, rebuild, handoff or link")] = None


@dataclass(frozen=True, kw_only=True)
class HasSpan(Edge):
    """The span belongs to the trace."""

    ENDS: ClassVar[Ends] = (("Trace", "Span"),)


@dataclass(frozen=True, kw_only=True)
class Logged(Edge):
    """The trace logged a line of this pattern."""

    ENDS: ClassVar[Ends] = (("Trace", "LogPattern"),)


@dataclass(frozen=True, kw_only=True)
class ChildOf(Edge):
    """The span was called by another span."""

    ENDS: ClassVar[Ends] = (("Span", "Span"),)


@dataclass(frozen=True, kw_only=True)
class Runs(SharedEdge):
    """The instance runs the agent."""

    ENDS: ClassVar[Ends] = (("AgentInstance", "Agent"),)


@dataclass(frozen=True, kw_only=True)
class VersionOf(SharedEdge):
    """The version belongs to the model."""

    ENDS: ClassVar[Ends] = (("ModelVersion", "Model"),)


@dataclass(frozen=True, kw_only=True)
class Previous(Edge):
    """The version replaced another one."""

    ENDS: ClassVar[Ends] = (("ModelVersion", "ModelVersion"),)


@dataclass(frozen=True, kw_only=True)
class LocatedIn(SharedEdge):
    """The agent runs in the region."""

    ENDS: ClassVar[Ends] = (("Agent", "Region"),)


@dataclass(frozen=True, kw_only=True)
class HandedOffTo(SharedEdge):
    """The agent gave work to another agent."""

    ENDS: ClassVar[Ends] = (("Agent", "Agent"),)


@dataclass(frozen=True, kw_only=True)
class Calls(SharedEdge):
    """The module calls another module; counts are of the latest load that saw it."""

    ENDS: ClassVar[Ends] = (("Module", "Module"),)

    calls: Annotated[int | None, Doc("calls seen")] = None
    errors: Annotated[int | None, Doc("calls with an error status")] = None
    p95_ms: Annotated[float | None, Doc("95th percentile of the duration", "ms")] = None


@dataclass(frozen=True, kw_only=True)
class Changed(Edge):
    """The change touched it."""

    ENDS: ClassVar[Ends] = tuple(("Change", label) for label in RESOURCES)


@dataclass(frozen=True, kw_only=True)
class PartOf(FoundEdge):
    """The failing trace belongs to the incident."""

    ENDS: ClassVar[Ends] = (("Trace", "Incident"),)

    confidence: Annotated[float | None, Doc("chance that it belongs", "0..1")] = None


@dataclass(frozen=True, kw_only=True)
class ContaminatedBy(FoundEdge):
    """The failing trace read what descends from a value that the other wrote."""

    ENDS: ClassVar[Ends] = (("Trace", "Trace"),)

    key: Annotated[str | None, Doc("key it was read from")] = None
    hops: Annotated[int | None, Doc("writes between the two traces")] = None


@dataclass(frozen=True, kw_only=True)
class CausedBy(FoundEdge):
    """The cause explains failing traces of the incident."""

    ENDS: ClassVar[Ends] = (("Incident", "Cause"),)


@dataclass(frozen=True, kw_only=True)
class Names(FoundEdge):
    """The cause is this thing, or this thing together with the others it names."""

    ENDS: ClassVar[Ends] = tuple(("Cause", label) for label in (*RESOURCES, "Trace"))


@dataclass(frozen=True, kw_only=True)
class Resembles(FoundEdge):
    """The incident looks like an earlier one."""

    ENDS: ClassVar[Ends] = (("Incident", "Incident"),)

    score: Annotated[float | None, Doc("similarity", "0..1")] = None


@dataclass(frozen=True, kw_only=True)
class Matched(FoundEdge):
    """The incident shows the fingerprint."""

    ENDS: ClassVar[Ends] = (("Incident", "Fingerprint"),)


@dataclass(frozen=True, kw_only=True)
class Repairs(Edge):
    """The repair is meant to end the incident."""

    ENDS: ClassVar[Ends] = (("Repair", "Incident"),)


@dataclass(frozen=True, kw_only=True)
class Targets(Edge):
    """The repair acts on it."""

    ENDS: ClassVar[Ends] = tuple(("Repair", label) for label in (*RESOURCES, "Trace"))


@dataclass(frozen=True, kw_only=True)
class Applies(Edge):
    """The repair follows the strategy."""

    ENDS: ClassVar[Ends] = (("Repair", "Strategy"),)


@dataclass(frozen=True, kw_only=True)
class HasStep(Edge):
    """The step belongs to the repair."""

    ENDS: ClassVar[Ends] = (("Repair", "RepairStep"),)


@dataclass(frozen=True, kw_only=True)
class HasApproval(Edge):
    """The decision was made on the repair's plan."""

    ENDS: ClassVar[Ends] = (("Repair", "Approval"),)
