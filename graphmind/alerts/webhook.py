"""Delivers events to a webhook: structured CloudEvents, signed as Standard Webhooks has it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from graphmind.alerts.outcome import Outcome, outcome_of, unreachable
from graphmind.errors import SettingsError
from graphmind.signing import SECRET, signed, signer_of


class Webhook:
    """Delivers events to one address."""

    def __init__(self, client: httpx.Client, url: str, secret: str) -> None:
        """Raise SettingsError for a secret that signs nothing."""
        self._client = client
        self._url = url
        try:
            self._signer = signer_of(secret)
        except ValueError:
            raise SettingsError(
                f"GRAPHMIND_WEBHOOK_SECRET should be {SECRET}, which the receiver knows too; it is "
                "not that"
            ) from None

    def send(self, event: Mapping[str, Any], *, now_ms: int) -> Outcome:
        """Deliver one event, signed for this moment."""
        headers, body = signed(
            self._signer,
            event_id=event["event_id"],
            kind=event["type"],
            subject=event["subject"],
            at=datetime.fromtimestamp(event["time_ms"] / 1000, UTC),
            told=event["data"],
            sent_s=now_ms // 1000,
        )
        try:
            request = self._client.stream("POST", self._url, content=body, headers=headers)
            with request as response:
                return outcome_of(response, now_ms)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return unreachable(error)
