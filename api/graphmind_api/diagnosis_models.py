"""The body of a diagnosis: spans, logs and metrics of one trace side by side."""

from typing import Literal

from pydantic import Field

from graphmind_api.models import Body, Command

Source = Literal["trace", "log"]


class NoCommand(Body):
    """Nothing is recommended, and why."""

    action: Literal["none"]
    repair_path: tuple[str, ...]
    reasons: tuple[str, ...]


class DiagnosedSpan(Body):
    """The span where the trace went wrong, else the one where it began."""

    role: Literal["fault", "root"]
    path: str = Field(description="Names from the root down to it")
    span_id: str
    name: str | None
    service: str | None
    agent: str | None
    module: str | None
    error_code: str | None
    message: str | None
    duration_ms: float | None = Field(description="Null where it has not ended")


class LogLine(Body):
    """One line of a log that belongs to the trace."""

    at_ms: int = Field(description="Epoch ms")
    severity: Literal["error", "warn", "info", "debug", "unknown"]
    span_id: str | None = Field(description="Span it belongs to")
    joined_by: Literal["trace and span id", "trace id", "service and time"] = Field(
        description="How that is known; by service and time it may be another trace's"
    )
    service: str | None
    agent: str | None
    module: str | None
    error_code: str | None
    exception_type: str | None
    fallback_applied: bool | None
    trace_tag: str | None = Field(description="Trace and span that the line itself states")
    log_hash: str = Field(description="Digest of all that the line says")
    pattern: str | None = Field(description="The line with what varies replaced")
    excerpt: str


class MetricAnomaly(Body):
    """A series of one of the trace's agents or modules beyond its threshold while it ran."""

    name: str = Field(description="Name of the signal")
    trigger: str
    service: str | None
    agent: str | None
    module: str | None
    region: str | None
    from_ms: int
    until_ms: int | None = Field(description="Null: an alert that fires yet")
    value: float = Field(description="The worst; of a counter, its increase within a minute")
    threshold: float
    unit: str
    chronic: bool = Field(description="It nearly always is beyond: no news")
    names_trace: bool = Field(description="An exemplar of the signal names this trace")


class TraceOutcome(Body):
    """How the trace ended."""

    outcome: str = Field(description="ok, failed, slow, hung, short, wrong or incomplete")
    error_code: str | None
    task: str | None
    start_ms: int
    duration_ms: float
    complete: bool
    recovered: bool
    fallback_applied: bool


class ShownSymptom(Body):
    """Something that went wrong in the trace."""

    kind: str
    channel: str | None
    began_ms: int
    span_id: str | None
    module: str | None
    code: str | None


class TimelineEntry(Body):
    """A span as it began, or a line as it was written."""

    at_ms: int
    source: Source
    span_id: str | None
    depth: int | None = Field(description="Of a span: 0 is the root")
    failed: bool
    text: str | None
    service: str | None
    agent: str | None
    module: str | None
    error_code: str | None
    duration_ms: float | None


class CodeCount(Body):
    """How often an error code was seen."""

    code: str
    spans: int
    lines: int


class PatternCount(Body):
    """How many lines of the trace have a pattern."""

    pattern: str
    lines: int


class DiagnosedIncident(Body):
    """The incident that the trace is part of."""

    incident_id: str
    title: str
    state: str
    severity: str
    cause: str | None
    confidence: float
    traces: int


class Attempt(Body):
    """A trace of the task."""

    trace_id: str
    outcome: str | None = Field(description="Null while it has not settled")
    start_ms: int | None
    error_code: str | None


class DiagnosisCounts(Body):
    """How much there is, of which the lists may show a part."""

    attempts: int
    spans: int
    lines: int
    anomalies: int


class Diagnosis(Body):
    """Traces, logs and metrics of one task or trace, aligned on time, ids, agent and module."""

    task_id: str | None
    trace_id: str
    root_span: DiagnosedSpan | None
    log_extract: tuple[LogLine, ...] = Field(description="The worst lines, by time")
    metric_anomaly: tuple[MetricAnomaly, ...]
    recommended_action: Command | NoCommand = Field(discriminator="action")
    outcome: TraceOutcome | None
    symptoms: tuple[ShownSymptom, ...]
    timeline: tuple[TimelineEntry, ...] = Field(description="Spans and lines by time, bounded")
    error_codes: tuple[CodeCount, ...] = Field(description="Most frequent first")
    log_patterns: tuple[PatternCount, ...]
    incident: DiagnosedIncident | None
    attempts: tuple[Attempt, ...] = Field(description="Failing first, newest first")
    counts: DiagnosisCounts
    not_found: tuple[str, ...] = Field(description="What was looked for and is not there")
