"""Raises alerts at an Alertmanager (API v2), which groups, silences and routes them to people.

It forgets an alert that it does not hear of for its ``resolve_timeout`` (5 minutes unless set),
so each is sent again every minute while it fires.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from graphmind.alerts.alert import RESOLVED
from graphmind.alerts.outcome import Outcome, outcome_of, unreachable

RESEND_MS: Final = 60_000
"""Pause between two times that an alert is sent: as Prometheus does."""
BACKOFF_MS: Final = 5_000
"""Pause after the first failure; it doubles up to ``RESEND_MS`` (chosen)."""
GIVEN_UP_MS: Final = 3_600_000
"""A resolution that could not be sent for so long is not sent: Alertmanager has long resolved the
alert by itself (chosen)."""

Document = Mapping[str, Any]


class Alertmanager:
    """Sends alerts to one Alertmanager."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._client = client
        self._url = f"{url.rstrip('/')}/api/v2/alerts"

    def send(self, alerts: Sequence[Document], *, now_ms: int) -> Outcome:
        """Send alerts in one request; it takes all of them or none."""
        body = [_alert(alert) for alert in alerts]
        try:
            with self._client.stream("POST", self._url, json=body) as response:
                return outcome_of(response, now_ms)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return unreachable(error)


def is_due(alert: Document, sent: Document | None, now_ms: int) -> bool:
    """Whether an alert is to be sent now; ``sent`` is what ``after_sending`` gave last."""
    known = sent is not None and sent["raised_ms"] == alert["raised_ms"]
    if alert["state"] == RESOLVED:
        if not known or sent is None or not sent["told"] or sent["told"] == RESOLVED:
            return False
        late = now_ms - alert["resolved_ms"] > GIVEN_UP_MS
        fresh = sent["state"] != RESOLVED
        return not late and (fresh or now_ms >= sent["due_ms"])
    return not known or sent is None or now_ms >= sent["due_ms"]


def after_sending(
    alert: Document, sent: Document | None, outcome: Outcome, *, now_ms: int
) -> dict[str, Any]:
    """Return what to remember of having sent an alert."""
    known = sent if sent is not None and sent["raised_ms"] == alert["raised_ms"] else None
    failures = 0 if outcome.delivered else (known["failures"] if known else 0) + 1
    pause_ms = min(BACKOFF_MS << min(failures - 1, 10), RESEND_MS) if failures else RESEND_MS
    return {
        "raised_ms": alert["raised_ms"],
        "state": alert["state"],
        "told": alert["state"] if outcome.delivered else (known["told"] if known else None),
        "failures": failures,
        "error": outcome.error,
        "due_ms": now_ms + max(pause_ms, outcome.retry_after_ms or 0),
    }


def _alert(alert: Document) -> dict[str, Any]:
    sent = {
        "labels": alert["labels"],
        "annotations": {"summary": _summary(alert), "description": _description(alert)},
        "startsAt": _rfc3339(alert["first_ms"]),
    }
    if alert["state"] == RESOLVED:
        sent["endsAt"] = _rfc3339(alert["resolved_ms"])
    return sent


def _summary(alert: Document) -> str:
    return f"{alert['most']} {alert['label']}"


def _description(alert: Document) -> str:
    where = f" on the way {alert['path']}" if alert["path"] else ""
    whole = f"{alert['most']} {alert['label']}{where}."
    if alert["incident_id"]:
        whole += f" Part of incident {alert['incident_id']}: {alert['title']}."
    return f"{whole} For example trace {alert['trace_ids'][-1]}."


def _rfc3339(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
