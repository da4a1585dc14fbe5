"""Which failures pile up: raises and resolves alerts, marks their incidents, fills the outbox.

All of it is in documents of one kind, written at once, so that a restart neither repeats nor
forgets. ``jobs/deliveries.py`` tells the world.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphmind.alerts.alert import FIRING, RESOLVED, followed, goes_on, raised, resolved
from graphmind.alerts.events import (
    ALERT_RAISED,
    ALERT_RESOLVED,
    INCIDENT_CLOSED,
    INCIDENT_OPENED,
    alert_event,
    incident_event,
)
from graphmind.alerts.fingerprint import failures_by_fingerprint
from graphmind.alerts.rule import Burst, incident_of, latest_burst
from graphmind.archive.port import Archive
from graphmind.errors import UnknownName
from graphmind.incidents.lifecycle import CLOSED
from graphmind.jobs.analyze import KEPT_AS
from graphmind.jobs.library import KIND as LIBRARY
from graphmind.jobs.library import remember
from graphmind.matching.record import entry_of
from graphmind.settings import Settings
from graphmind.telemetry.facts import Facts

KIND: Final = "alert"
"""Documents of this kind: ``alert:``, ``incident:`` (who was told of it), and the outbox of
``jobs/deliveries.py``: ``event:``, ``sent:`` and ``endpoint:``."""
ALERT, TOLD, EVENT = "alert:", "incident:", "event:"
KEPT_DAYS: Final = 7.0
"""How long a resolved alert is kept where nothing is pruned (chosen)."""
DAY_MS: Final = 86_400_000

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class AlertRun:
    """What one run changed."""

    raised: tuple[str, ...]
    """Ids of alerts."""
    resolved: tuple[str, ...]
    firing: int
    """Alerts that fire now."""
    events: int
    """Put into the outbox."""
    incidents: tuple[Document, ...]
    """Those marked by this run, as stored."""


def list_alerts(archive: Archive) -> list[Document]:
    """Return the alerts: those that fire first, then the latest."""
    alerts = [one for key, one in archive.documents(KIND).items() if key.startswith(ALERT)]
    return sorted(alerts, key=lambda a: (a["state"] != FIRING, -a["raised_ms"], a["alert_id"]))


def raise_alerts(
    archive: Archive,
    facts: Facts,
    incidents: Sequence[Mapping[str, Any]],
    settings: Settings,
    now_ms: int,
) -> AlertRun:
    """Find what fails again and again in the facts of a live window, and note what follows.

    ``incidents`` are those that are not closed, and any closed since the last run. To be called
    by the thread that stores incidents: it marks some of them.
    """
    known = archive.documents(KIND)
    open_ = [one for one in incidents if one.get("state") != CLOSED]
    before = {key: one for key, one in known.items() if key.startswith(ALERT)}
    alerts = _alerts(before, facts, open_, settings, now_ms)
    marked = _marked(archive, alerts, open_)
    alerts |= _with_cases(archive, alerts, marked)
    events = _alert_events(before, alerts, now_ms)
    told = {key: one for key, one in known.items() if key.startswith(TOLD)}
    now_told, incident_events = _tell(archive, told, incidents, now_ms)
    gone = _forgotten(alerts, now_told, settings, now_ms)
    # Without a webhook nobody would ever take them.
    queued = [*events, *incident_events] if settings.webhook_url else []
    outbox = {f"{EVENT}{event['event_id']}": event for event in queued}
    new = {key: one for key, one in (alerts | now_told | outbox).items() if known.get(key) != one}
    kept = {key: one for key, one in new.items() if key not in gone}
    if kept or gone & known.keys():
        archive.replace_documents(KIND, kept, without=gone & known.keys())
    return AlertRun(
        raised=_ids(events, ALERT_RAISED),
        resolved=_ids(events, ALERT_RESOLVED),
        firing=sum(one["state"] == FIRING for one in alerts.values()),
        events=len(queued),
        incidents=tuple(marked),
    )


def _alerts(
    before: Mapping[str, Document],
    facts: Facts,
    incidents: Sequence[Mapping[str, Any]],
    settings: Settings,
    now_ms: int,
) -> dict[str, Document]:
    """Return the alerts as they are now, those resolved and raised again as raised."""
    window_ms = round(settings.alert_window_s * 1000)
    failures = {f"{ALERT}{f.fingerprint.hash}": f for f in failures_by_fingerprint(facts)}
    alerts = dict(before)
    for key, alert in before.items():
        if alert["state"] == FIRING:
            burst = latest_burst(failures[key], window_ms) if key in failures else None
            alerts[key] = _gone_on(alert, burst, incidents, window_ms, now_ms)
    for key, each in failures.items():
        past = alerts.get(key)
        if past is None or past["state"] == RESOLVED:
            burst = latest_burst(each, window_ms, after_ms=past["last_ms"] if past else None)
            if burst is not None and _piles_up(burst, settings, window_ms, now_ms):
                incident = incident_of(burst.trace_ids, incidents)
                alerts[key] = raised(burst, incident, now_ms=now_ms)
    return alerts


def _piles_up(burst: Burst, settings: Settings, window_ms: int, now_ms: int) -> bool:
    """Whether there are too many in a window, and not only long ago."""
    return burst.most > settings.alert_count and now_ms - burst.last_ms < window_ms


def _gone_on(
    alert: Document,
    burst: Burst | None,
    incidents: Sequence[Mapping[str, Any]],
    window_ms: int,
    now_ms: int,
) -> Document:
    """Follow an alert that fires, and resolve it once it has been quiet for a window."""
    if burst is not None and goes_on(alert, burst, window_ms) and burst.last_ms >= alert["last_ms"]:
        alert = followed(alert, burst, incident_of(burst.trace_ids, incidents))
    if now_ms - alert["last_ms"] >= window_ms:
        return resolved(alert, now_ms=now_ms)
    return alert


def _marked(
    archive: Archive, alerts: Mapping[str, Document], incidents: Sequence[Mapping[str, Any]]
) -> list[Document]:
    """Mark the open incidents of firing alerts as eligible for repair; return those new to it."""
    open_ = {str(one["incident_id"]) for one in incidents}
    marks: dict[str, Document] = {
        alert["incident_id"]: {
            "eligible_for_repair": True,
            "alerted_ms": alert["raised_ms"],
            "alert_fingerprint": alert["fingerprint"],
        }
        for alert in sorted(alerts.values(), key=lambda one: one["raised_ms"], reverse=True)
        if alert["state"] == FIRING and alert["incident_id"] in open_
    }
    if not marks:
        return []
    stored: dict[str, Document] = {str(one["incident_id"]): one for one in archive.incidents()}
    new = {
        name: stored[name] | mark
        for name, mark in marks.items()
        if name in stored and stored[name].get("alerted_ms") is None
    }
    if new:
        archive.save_incidents(KEPT_AS, [*(stored | new).values()])
    return [new[name] for name in sorted(new)]


def _with_cases(
    archive: Archive, alerts: Mapping[str, Document], marked: Sequence[Document]
) -> dict[str, Document]:
    """Say of alerts which case of the library their incident is archived as.

    The analysis keeps every incident it finds as a case; one that it has not kept is kept now.
    """
    wanted = {
        key: alert
        for key, alert in alerts.items()
        if alert["state"] == FIRING
        and alert["incident_id"] is not None
        and alert.get("case", {}).get("incident_id") != alert["incident_id"]
    }
    if not wanted:
        return {}
    kept = archive.documents(LIBRARY)
    missing = [one for one in marked if one["incident_id"] not in kept]
    if missing:
        remember(archive, missing)
        kept = archive.documents(LIBRARY)
    return {
        key: alert | {"case": _case(alert["incident_id"], kept)} for key, alert in wanted.items()
    }


def _case(incident_id: str, kept: Mapping[str, Document]) -> Document:
    """Name an entry of the library; without a hash where no trace was left to take one of."""
    entry = entry_of(kept[incident_id]) if incident_id in kept else None
    hash_ = entry.fingerprint.hash if entry else None
    return {"kind": LIBRARY, "incident_id": incident_id, "hash": hash_}


def _alert_events(
    before: Mapping[str, Document], alerts: Mapping[str, Document], now_ms: int
) -> list[Document]:
    events = []
    for key, alert in sorted(alerts.items()):
        past = before.get(key)
        again = past is None or alert["raised_ms"] != past["raised_ms"]
        if past is not None and past["state"] == FIRING and (again or alert["state"] == RESOLVED):
            over = resolved(past, now_ms=now_ms) if again else alert
            events.append(alert_event(ALERT_RESOLVED, over, now_ms=now_ms))
        if again:
            events.append(alert_event(ALERT_RAISED, alert, now_ms=now_ms))
    return events


def _tell(
    archive: Archive,
    told: Mapping[str, Document],
    incidents: Sequence[Mapping[str, Any]],
    now_ms: int,
) -> tuple[dict[str, Document], list[Document]]:
    """Return what the world is told of incidents by now, and the events that tell it."""
    now_told, events = dict(told), []
    current = {f"{TOLD}{one['incident_id']}": one for one in incidents}
    # One that was closed while nobody listened.
    for key, note in told.items():
        if note["told"] == INCIDENT_OPENED and key not in current:
            current |= _stored(archive, key)
    for key, incident in sorted(current.items()):
        is_closed = incident.get("state") == CLOSED
        before = told.get(key, {"told": INCIDENT_CLOSED})["told"]
        now = INCIDENT_CLOSED if is_closed else INCIDENT_OPENED
        if now != before:
            now_told[key] = {"told": now, "at_ms": now_ms}
            events.append(incident_event(now, incident, now_ms=now_ms))
    return now_told, events


def _stored(archive: Archive, key: str) -> dict[str, Mapping[str, Any]]:
    try:
        return {key: archive.incident(key.removeprefix(TOLD))}
    except UnknownName:
        return {}


def _forgotten(
    alerts: Mapping[str, Document],
    told: Mapping[str, Document],
    settings: Settings,
    now_ms: int,
) -> set[str]:
    """Return the keys of what ended long ago."""
    before_ms = now_ms - round((settings.retention_days or KEPT_DAYS) * DAY_MS)
    over = {key for key, one in alerts.items() if (one["resolved_ms"] or now_ms) < before_ms}
    return over | {
        key
        for key, one in told.items()
        if one["told"] == INCIDENT_CLOSED and one["at_ms"] < before_ms
    }


def _ids(events: Sequence[Document], kind: str) -> tuple[str, ...]:
    return tuple(event["subject"] for event in events if event["type"] == kind)
