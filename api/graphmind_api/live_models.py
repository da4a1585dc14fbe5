"""Bodies about what happens live."""

from typing import Any, Literal

from pydantic import Field

from graphmind_api.models import Body, Severity


class Alert(Body):
    """Failures of one fingerprint that piled up."""

    alert_id: str
    fingerprint: str = Field(description="Of symptom, path, error code and module")
    label: str = Field(description="The fingerprint in words")
    state: Literal["firing", "resolved"]
    severity: Severity
    count: int = Field(description="Failing traces in the last window")
    raised_ms: int = Field(description="When it was raised, epoch ms")
    resolved_ms: int | None
    incident_id: str | None = Field(description="Incident that most of its traces belong to")
    trace_ids: tuple[str, ...] = Field(description="The latest of its traces")
    labels: dict[str, Any] = Field(description="As an Alertmanager knows it")


class AlertPage(Body):
    """The alerts raised."""

    items: tuple[Alert, ...]


class TakenIn(Body):
    """What was stored of a body handed in."""

    rows: int
