"""The node types that traces and inventories bring: what ran, and what it touched.

Keys are our own strings. Times are epoch milliseconds. A value that is absent is not stored.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from graphmind.graph.schema.declare import Node, Ref, Shared
from graphmind.settings import Doc


@dataclass(frozen=True, kw_only=True)
class Trace(Node):
    """One run of a task through the platform: every failing one, and a share of the healthy."""

    KEY: ClassVar[str] = "trace_id"
    INDEXED: ClassVar[tuple[str, ...]] = ("start_ms", "outcome")

    trace_id: Annotated[str, Doc("id of the trace, as its source wrote it")]
    task_key: Annotated[str | None, Doc("kind of task it ran")] = None
    start_ms: Annotated[int | None, Doc("start", "epoch ms")] = None
    duration_ms: Annotated[float | None, Doc("to the last span seen", "ms")] = None
    outcome: Annotated[str | None, Doc("ok, failed, slow, hung, short, wrong or incomplete")] = None
    symptoms: Annotated[tuple[str, ...], Doc("kinds of symptom it shows")] = ()
    root_span_name: Annotated[str | None, Doc("name of the root span")] = None
    root_module: Annotated[str | None, Doc("module of the root span")] = None
    error_code: Annotated[str | None, Doc("error code where it went wrong")] = None
    fault_path: Annotated[str | None, Doc("span names from the root to where it went wrong")] = None
    span_count: Annotated[int | None, Doc("spans seen")] = None
    error_span_count: Annotated[int | None, Doc("spans with an error status")] = None
    complete: Annotated[bool | None, Doc("one root, no orphan, all spans ended")] = None
    weight: Annotated[float | None, Doc("traces it stands for; sum it to count traces")] = None
    sample_probability: Annotated[float | None, Doc("chance that the platform kept it")] = None
    anomaly_score: Annotated[float | None, Doc("distance from healthy behaviour")] = None
    recovered: Annotated[bool | None, Doc("ended well after a repair")] = None
    fallback_applied: Annotated[bool | None, Doc("a fallback answered")] = None
    recovery_strategy: Annotated[str | None, Doc("strategy that recovered it")] = None


@dataclass(frozen=True, kw_only=True)
class Span(Node):
    """One step of a trace; kept for failing traces and a few healthy ones of each task."""

    KEY: ClassVar[str] = "span_id"

    span_id: Annotated[str, Doc("`traceId:spanId`")]
    name: Annotated[str | None, Doc("operation")] = None
    module: Annotated[str | None, Doc("module it ran in")] = None
    kind: Annotated[str | None, Doc("internal, server, client, producer or consumer")] = None
    start_ms: Annotated[int | None, Doc("start", "epoch ms")] = None
    duration_ms: Annotated[float | None, Doc("absent while it has not ended", "ms")] = None
    self_ms: Annotated[float | None, Doc("time that no child covers", "ms")] = None
    status: Annotated[str | None, Doc("ok, error or unset")] = None
    error_code: Annotated[str | None, Doc("error code")] = None
    message: Annotated[str | None, Doc("status message")] = None
    collapsed: Annotated[bool | None, Doc("stands for several equal spans")] = None
    recovery: Annotated[bool | None, Doc("ran as part of a repair")] = None


@dataclass(frozen=True, kw_only=True)
class Task(Shared):
    """A kind of task."""

    key: Annotated[str, Doc("name of the task")]
    name: Annotated[str | None, Doc("name shown to people")] = None
    seq_no: Annotated[int | None, Doc("number of the latest attempt")] = None


@dataclass(frozen=True, kw_only=True)
class Agent(Shared):
    """A class of agents that does a job."""

    key: Annotated[str, Doc("`namespace/name`, or the name where there is no namespace")]
    name: Annotated[str | None, Doc("name without the namespace")] = None
    version: Annotated[str | None, Doc("version deployed")] = None
    status: Annotated[str | None, Doc("active, degraded or disabled")] = None
    hot_restart: Annotated[bool | None, Doc("may be restarted while it works")] = None
    region: Annotated[str | None, Doc("region it runs in"), Ref("LOCATED_IN", "Region")] = None


@dataclass(frozen=True, kw_only=True)
class AgentInstance(Shared):
    """One running copy of an agent: a pod, a worker."""

    KEY: ClassVar[str] = "instance_id"

    instance_id: Annotated[str, Doc("name of the instance")]
    agent: Annotated[str | None, Doc("agent it runs"), Ref("RUNS", "Agent")] = None


@dataclass(frozen=True, kw_only=True)
class Model(Shared):
    """A model, in all its versions."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("name of the model")]
    provider: Annotated[str | None, Doc("who serves it")] = None


@dataclass(frozen=True, kw_only=True)
class ModelVersion(Shared):
    """A version of a model, as it answers calls."""

    key: Annotated[str, Doc("`name@version`, or the name where no version is known")]
    model: Annotated[str | None, Doc("model it is a version of"), Ref("VERSION_OF", "Model")] = None
    previous: Annotated[str | None, Doc("version it replaced"), Ref("PREVIOUS", "ModelVersion")] = (
        None
    )
    provider: Annotated[str | None, Doc("who serves it")] = None
    version: Annotated[str | None, Doc("version alone")] = None
    stage: Annotated[str | None, Doc("shadow, canary, production or retired")] = None
    served_share: Annotated[float | None, Doc("share of calls routed to it", "0..1")] = None
    released_ms: Annotated[int | None, Doc("release", "epoch ms")] = None


@dataclass(frozen=True, kw_only=True)
class KvKey(Shared):
    """A key of the state store, or a pattern of keys."""

    key: Annotated[str, Doc("`store:key` or `store:pattern`")]
    pattern: Annotated[str | None, Doc("pattern it belongs to")] = None
    store: Annotated[str | None, Doc("state store")] = None
    ttl_ms: Annotated[int | None, Doc("time to live", "ms")] = None
    size_bytes: Annotated[int | None, Doc("size of the value", "bytes")] = None
    type: Annotated[str | None, Doc("type of the value")] = None
    quarantined: Annotated[bool | None, Doc("reads of it are refused")] = None


@dataclass(frozen=True, kw_only=True)
class Module(Shared):
    """A step of the platform that spans name: a router, an executor, an adapter."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("name of the module")]


@dataclass(frozen=True, kw_only=True)
class Tool(Shared):
    """A tool that agents call."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("name of the tool")]


@dataclass(frozen=True, kw_only=True)
class Service(Shared):
    """A deployed service that emits spans."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("name of the service")]


@dataclass(frozen=True, kw_only=True)
class Endpoint(Shared):
    """An address that traces call: a route, a queue, a host."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("address as the spans name it")]


@dataclass(frozen=True, kw_only=True)
class PromptVersion(Shared):
    """A version of a prompt."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("`prompt@version`, or the name where no version is known")]


@dataclass(frozen=True, kw_only=True)
class Region(Shared):
    """A place where agents run."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("name of the region")]


@dataclass(frozen=True, kw_only=True)
class ErrorCode(Shared):
    """A code that failing spans carry."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("the code")]


@dataclass(frozen=True, kw_only=True)
class LogPattern(Shared):
    """A log line with its variable parts removed."""

    KEY: ClassVar[str] = "name"

    name: Annotated[str, Doc("the pattern")]


@dataclass(frozen=True, kw_only=True)
class Change(Node):
    """A deploy, configuration change, flag or migration."""

    INDEXED: ClassVar[tuple[str, ...]] = ("at_ms",)

    key: Annotated[str, Doc("own id of the change")]
    kind: Annotated[str | None, Doc("deploy, config, flag or migration")] = None
    target: Annotated[str | None, Doc("key of what it changed")] = None
    target_label: Annotated[
        str | None, Doc("label of what it changed; with it, a CHANGED relationship is drawn")
    ] = None
    at_ms: Annotated[int | None, Doc("when it took effect", "epoch ms")] = None
    author: Annotated[str | None, Doc("who made it")] = None
    from_: Annotated[str | None, Doc("value before")] = None
    to: Annotated[str | None, Doc("value after")] = None
