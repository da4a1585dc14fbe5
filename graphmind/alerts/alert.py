"""The document of an alert: raised, followed while its failures go on, resolved when they cease."""

from collections.abc import Mapping
from typing import Any, Final

from graphmind.alerts.rule import Burst

FIRING: Final = "firing"
RESOLVED: Final = "resolved"
SAMPLE_MAX: Final = 20
"""Trace ids kept of an alert, the latest (chosen: enough to look at)."""
SEVERITY: Final = "major"
"""Of an alert that belongs to no incident yet (chosen)."""

Document = Mapping[str, Any]


def raised(burst: Burst, incident: Document | None, *, now_ms: int) -> dict[str, Any]:
    """Return the alert of a burst.

    Its ``labels`` stay as they are while it fires: they identify it to an Alertmanager.
    """
    fingerprint = burst.fingerprint
    alert = {
        "alert_id": f"alert-{fingerprint.hash}",
        "fingerprint": fingerprint.hash,
        "label": fingerprint.label,
        "symptom": fingerprint.kind,
        "path": fingerprint.path,
        "error_code": fingerprint.code,
        "module": fingerprint.module,
        "state": FIRING,
        "raised_ms": now_ms,
        "resolved_ms": None,
        "first_ms": burst.first_ms,
    }
    alert = followed(alert, burst, incident)
    return alert | {"labels": _labels(alert)}


def followed(alert: Document, burst: Burst, incident: Document | None) -> dict[str, Any]:
    """Return a firing alert with what its burst and its incident are now."""
    changed: dict[str, Any] = {
        "count": burst.last_window,
        "most": max(burst.most, alert.get("most", 0)),
        "last_ms": burst.last_ms,
        "trace_ids": list(burst.trace_ids[-SAMPLE_MAX:]),
    }
    if incident is not None:
        changed |= {
            "incident_id": incident["incident_id"],
            "cluster_id": incident["cluster_id"],
            "severity": incident["severity"],
            "title": incident["title"],
        }
    unknown = {"incident_id": None, "cluster_id": None, "severity": SEVERITY, "title": None}
    return {**unknown, **alert, **changed}


def goes_on(alert: Document, burst: Burst, window_ms: int) -> bool:
    """Whether a burst continues the one that the alert was raised for."""
    return bool(burst.first_ms - alert["last_ms"] < window_ms)


def resolved(alert: Document, *, now_ms: int) -> dict[str, Any]:
    """Return the alert as resolved."""
    return dict(alert) | {"state": RESOLVED, "resolved_ms": now_ms}


def _labels(alert: Document) -> dict[str, str]:
    named = {
        "alertname": "GraphmindFailures",
        "severity": alert["severity"],
        "fingerprint": alert["fingerprint"],
        "incident_id": alert["incident_id"],
        "cluster_id": alert["cluster_id"],
        "module": alert["module"],
    }
    return {name: str(value) for name, value in named.items() if value}
