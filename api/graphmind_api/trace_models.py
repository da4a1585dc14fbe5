"""Bodies of traces: the list, and one as a waterfall."""

from typing import Any, Literal

from pydantic import Field

from graphmind_api.models import Body, GraphQuery


class TraceSummary(Body):
    """A trace in a list."""

    trace_id: str
    task: str | None = Field(description="Kind of task")
    task_id: str | None = Field(description="The job that it is an attempt of")
    started_ms: int
    duration_ms: float
    outcome: str
    symptoms: tuple[str, ...]
    error_code: str | None
    root_module: str | None = Field(description="Where it began")
    fault_module: str | None = Field(description="Where it went wrong")
    agent: str | None = Field(description="First agent that it ran on")
    region: str | None
    model_version: str | None
    span_count: int
    complete: bool
    recovered: bool
    weight: float = Field(description="Traces that it stands for")


class TracePage(Body):
    """Traces, newest first."""

    items: tuple[TraceSummary, ...]
    next_cursor: str | None
    query: GraphQuery


class SpanLine(Body):
    """A line of a log beside its span."""

    at_ms: int
    severity: str
    text: str
    joined_by: str


class WaterfallSpan(Body):
    """A span in its place in the tree, depth first by start."""

    span_id: str
    parent_id: str | None
    depth: int
    module: str | None
    operation: str | None
    service: str | None
    kind: str | None
    started_ms: float = Field(description="Epoch ms, with fractions")
    duration_ms: float | None = Field(description="null: it has not ended")
    self_ms: float | None = Field(description="Not covered by a child")
    status: Literal["unset", "ok", "error"]
    error_code: str | None
    message: str | None
    agent: str | None
    region: str | None
    model_version: str | None
    kv_key: str | None
    attributes: dict[str, Any]
    is_fault: bool = Field(description="Here the trace went wrong")
    recovery_of: str | None = Field(description="Span that it replaces: a retry or a fallback")
    log_lines: tuple[SpanLine, ...]


class TouchedItem(Body):
    """Something the trace touched, and how much more often those fail that touch it."""

    kind: str
    name: str
    traces: float = Field(description="Traces of the same time that touch it")
    failing: float
    lift: float | None = Field(
        description="Their failing share over that of all traces of that time; null: none fails"
    )


class TraceLinks(Body):
    """The same trace elsewhere; null where no address is set."""

    jaeger: str | None
    neo4j_browser: str | None


class TraceInFull(TraceSummary):
    """A trace with its spans."""

    fault_span_id: str | None
    fault_path: str | None
    continues: tuple[str, ...] = Field(description="Traces that it links to")
    spans: tuple[WaterfallSpan, ...]
    hidden_spans: int
    loose_lines: tuple[SpanLine, ...] = Field(description="Lines of the trace of no known span")
    items: tuple[TouchedItem, ...] = Field(description="Highest lift first")
    incident_ids: tuple[str, ...]
    links: TraceLinks
    query: GraphQuery
