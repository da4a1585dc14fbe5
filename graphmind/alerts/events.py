"""What is told to a webhook: an event each time an alert or an incident begins or ends.

An event is a document with an id of its own; the same one is delivered again until it was taken,
so a receiver that knows its id may drop it.
"""

from collections.abc import Mapping
from typing import Any, Final

from graphmind.alerts.outcome import Outcome, retry_ms
from graphmind.matching.record import digest

ALERT_RAISED: Final = "io.graphmind.alert.raised.v1"
ALERT_RESOLVED: Final = "io.graphmind.alert.resolved.v1"
INCIDENT_OPENED: Final = "io.graphmind.incident.opened.v1"
INCIDENT_CLOSED: Final = "io.graphmind.incident.closed.v1"

WAITING: Final = "waiting"
DELIVERED: Final = "delivered"
GIVEN_UP: Final = "given up"

_ALERT_PARTS: Final = (
    "alert_id fingerprint label symptom path error_code module state raised_ms resolved_ms "
    "first_ms last_ms count most severity incident_id cluster_id trace_ids"
).split()
_INCIDENT_PARTS: Final = (
    "incident_id title state severity cluster_id symptom root_module onset_ms opened_ms closed_ms "
    "merged_into confidence"
).split()

Document = Mapping[str, Any]


def alert_event(kind: str, alert: Document, *, now_ms: int) -> dict[str, Any]:
    """Return the event that an alert was raised or resolved."""
    data = {name: alert[name] for name in _ALERT_PARTS}
    return _event(kind, str(alert["alert_id"]), data, now_ms)


def incident_event(kind: str, incident: Document, *, now_ms: int) -> dict[str, Any]:
    """Return the event that an incident was opened, opened again, or closed."""
    data = {name: incident.get(name) for name in _INCIDENT_PARTS}
    causes = incident["causes"]
    data |= {
        "cause": causes[0]["label"] if causes else None,
        "trace_count": len(incident["trace_ids"]),
    }
    return _event(kind, str(incident["incident_id"]), data, now_ms)


def after_attempt(
    event: Document, outcome: Outcome, *, now_ms: int, chance: float
) -> dict[str, Any]:
    """Return the event after an attempt to deliver it; ``chance`` in [0, 1) spreads retries."""
    attempts = event["attempts"] + 1
    if outcome.delivered:
        return dict(event) | {"state": DELIVERED, "attempts": attempts, "ended_ms": now_ms}
    pause_ms = retry_ms(attempts, chance)
    if outcome.gone or pause_ms is None:
        return given_up(event, outcome.error, now_ms=now_ms) | {"attempts": attempts}
    due_ms = now_ms + max(pause_ms, outcome.retry_after_ms or 0)
    return dict(event) | {"attempts": attempts, "due_ms": due_ms, "error": outcome.error}


def given_up(event: Document, error: str, *, now_ms: int) -> dict[str, Any]:
    """Return an event that is not delivered any more."""
    return dict(event) | {"state": GIVEN_UP, "error": error, "ended_ms": now_ms}


def _event(kind: str, subject: str, data: dict[str, Any], now_ms: int) -> dict[str, Any]:
    return {
        "event_id": f"evt-{digest(kind, subject, str(now_ms))}",
        "type": kind,
        "subject": subject,
        "time_ms": now_ms,
        "data": data,
        "state": WAITING,
        "attempts": 0,
        "due_ms": now_ms,
        "ended_ms": None,
        "error": "",
    }
