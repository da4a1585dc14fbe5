"""Tells the world of alerts: what is due now, within bounds, remembered so that none is twice.

It runs beside the analysis and writes only its own documents, so an endpoint that is dead or slow
delays deliveries and nothing else.
"""

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import httpx

from graphmind.alerts.alertmanager import Alertmanager, after_sending, is_due
from graphmind.alerts.events import GIVEN_UP, WAITING, after_attempt, given_up
from graphmind.alerts.outcome import Outcome
from graphmind.alerts.webhook import Webhook
from graphmind.archive.port import Archive
from graphmind.errors import SettingsError
from graphmind.jobs.alerts import ALERT, DAY_MS, EVENT, KIND
from graphmind.settings import Settings

SENT, ENDPOINT = "sent:", "endpoint:"
EVENTS_MAX: Final = 50
"""Events tried in one run (chosen): a run that fails ends at the first without an answer."""
ALERTS_MAX: Final = 200
"""Alerts sent in one request (chosen: some 100 kB)."""
PAUSE_MS: Final = 5_000
"""The webhook rests after a failure for so long, or as long as it said (chosen)."""
WAITING_MAX: Final = 1_000
"""Events that wait at most; beyond, the oldest are given up (chosen)."""

Document = dict[str, Any]


class EventSender(Protocol):
    """Delivers one event."""

    def send(self, event: Mapping[str, Any], *, now_ms: int) -> Outcome:
        """Try once, within a bounded time; never raises for what the endpoint does."""


@dataclass(frozen=True, kw_only=True)
class DeliveryRun:
    """What one run told."""

    alerts: int
    """Sent to the Alertmanager, for the first time or again."""
    events: int
    failed: int
    """Attempts that failed."""
    given_up: int
    waiting: int
    """Events still to be delivered."""
    errors: tuple[str, ...]
    """What went wrong, each once; without secrets."""


class Deliveries:
    """Delivers what the archive says is due. For one thread at a time."""

    def __init__(
        self,
        archive: Archive,
        *,
        alertmanager: Alertmanager | None,
        webhook: EventSender | None,
        endpoint: str = "",
        chance: random.Random | None = None,
    ) -> None:
        """``endpoint`` is the webhook's address, of which only a digest is stored."""
        self._archive = archive
        self._alertmanager = alertmanager
        self._webhook = webhook
        digest = hashlib.sha256(endpoint.encode()).hexdigest()[:16]
        self._endpoint = f"{ENDPOINT}{digest}"
        self._chance = chance or random.Random()  # noqa: S311 - spreads retries, no secret
        self._paused_until_ms = 0

    def deliver_due(self, now_ms: int) -> DeliveryRun:
        """Tell what is due, remember what became of it, and forget what ended a day ago."""
        known = self._archive.documents(KIND)
        sent, errors = self._alerts(known, now_ms)
        events, more = self._events(known, now_ms)
        gone = _ended(known, now_ms) | _orphans(known)
        changed = {key: one for key, one in (sent | events).items() if key not in gone}
        if changed or gone:
            self._archive.replace_documents(KIND, changed, without=gone)
        tried = [one for key, one in events.items() if key.startswith(EVENT)]
        outbox = {key: one for key, one in (known | events).items() if key.startswith(EVENT)}
        return DeliveryRun(
            alerts=sum(one["failures"] == 0 for one in sent.values()),
            events=sum(one["state"] not in (WAITING, GIVEN_UP) for one in tried),
            failed=sum(one["failures"] > 0 for one in sent.values())
            + sum(one["state"] == WAITING for one in tried),
            given_up=sum(one["state"] == GIVEN_UP for one in tried),
            waiting=sum(one["state"] == WAITING for one in outbox.values()),
            errors=tuple(sorted({error for error in (*errors, *more) if error})),
        )

    def _alerts(
        self, known: Mapping[str, Document], now_ms: int
    ) -> tuple[dict[str, Document], list[str]]:
        """Send the alerts that are due; return what to remember of each."""
        if self._alertmanager is None:
            return {}, []
        due = {
            _sent_key(one): one
            for key, one in known.items()
            if key.startswith(ALERT) and is_due(one, known.get(_sent_key(one)), now_ms)
        }
        now_sent: dict[str, Document] = {}
        errors = []
        keys = sorted(due)
        for start in range(0, len(keys), ALERTS_MAX):
            part = keys[start : start + ALERTS_MAX]
            outcome = self._alertmanager.send([due[key] for key in part], now_ms=now_ms)
            now_sent |= {
                key: after_sending(due[key], known.get(key), outcome, now_ms=now_ms) for key in part
            }
            errors.append(outcome.error and f"Alertmanager: {outcome.error}")
            if not outcome.delivered:
                break
        return now_sent, errors

    def _events(
        self, known: Mapping[str, Document], now_ms: int
    ) -> tuple[dict[str, Document], list[str]]:
        """Deliver the events that are due, oldest first; return what changed."""
        waiting = {
            key: one
            for key, one in known.items()
            if key.startswith(EVENT) and one["state"] == WAITING
        }
        order = sorted(waiting, key=lambda key: (waiting[key]["time_ms"], key))
        if self._webhook is None or self._endpoint in known:
            return {key: given_up(waiting[key], "no endpoint", now_ms=now_ms) for key in order}, []
        beyond = order[: max(len(order) - WAITING_MAX, 0)]
        changed = {key: given_up(waiting[key], "too many wait", now_ms=now_ms) for key in beyond}
        due = [key for key in order[len(beyond) :] if waiting[key]["due_ms"] <= now_ms]
        due = due if now_ms >= self._paused_until_ms else []
        errors = []
        for key in due[:EVENTS_MAX]:
            outcome = self._webhook.send(waiting[key], now_ms=now_ms)
            chance = self._chance.random()
            changed[key] = after_attempt(waiting[key], outcome, now_ms=now_ms, chance=chance)
            errors.append(outcome.error and f"webhook: {outcome.error}")
            if outcome.gone:
                changed[self._endpoint] = {"disabled_ms": now_ms}
            if not outcome.delivered:
                self._paused_until_ms = now_ms + max(outcome.retry_after_ms or 0, PAUSE_MS)
                break
        return changed, errors


def open_deliveries(archive: Archive, settings: Settings, client: httpx.Client) -> Deliveries:
    """Open the senders that the settings name; raises SettingsError for a secret that signs none.

    The client bounds how long an attempt may take.
    """
    if settings.webhook_url and not settings.webhook_secret:
        raise SettingsError("GRAPHMIND_WEBHOOK_URL needs GRAPHMIND_WEBHOOK_SECRET to sign events")
    alertmanager, webhook = None, None
    if settings.alertmanager_url:
        alertmanager = Alertmanager(client, settings.alertmanager_url)
    if settings.webhook_url:
        webhook = Webhook(client, settings.webhook_url, settings.webhook_secret)
    return Deliveries(
        archive, alertmanager=alertmanager, webhook=webhook, endpoint=settings.webhook_url
    )


def _sent_key(alert: Mapping[str, Any]) -> str:
    return f"{SENT}{alert['alert_id']}"


def _ended(known: Mapping[str, Document], now_ms: int) -> set[str]:
    """Return the keys of events that ended a day ago."""
    return {
        key
        for key, one in known.items()
        if key.startswith(EVENT) and (one["ended_ms"] or now_ms) < now_ms - DAY_MS
    }


def _orphans(known: Mapping[str, Document]) -> set[str]:
    """Return the keys of what is remembered of alerts that are forgotten."""
    alerts = {_sent_key(one) for key, one in known.items() if key.startswith(ALERT)}
    return {key for key in known if key.startswith(SENT)} - alerts
