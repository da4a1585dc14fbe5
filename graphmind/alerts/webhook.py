"""Delivers events to a webhook: structured CloudEvents, signed as Standard Webhooks has it."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import standardwebhooks
from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.v1.event import CloudEvent

from graphmind.alerts.outcome import Outcome, outcome_of, unreachable
from graphmind.errors import SettingsError

KEY_BYTES_MIN, KEY_BYTES_MAX = 24, 64
"""Of a secret, as the Standard Webhooks specification has it."""
SOURCE: Final = "/graphmind"
"""Who tells: the ``source`` of the events."""


class Webhook:
    """Delivers events to one address."""

    def __init__(self, client: httpx.Client, url: str, secret: str) -> None:
        """Raise SettingsError for a secret that signs nothing."""
        self._client = client
        self._url = url
        self._signer = _signer(secret)

    def send(self, event: Mapping[str, Any], *, now_ms: int) -> Outcome:
        """Deliver one event, signed for this moment."""
        message = to_structured_event(_cloud_event(event))
        headers = dict(message.headers) | self._signature(event["event_id"], message.body, now_ms)
        try:
            request = self._client.stream("POST", self._url, content=message.body, headers=headers)
            with request as response:
                return outcome_of(response, now_ms)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return unreachable(error)

    def _signature(self, event_id: str, body: bytes, now_ms: int) -> dict[str, str]:
        seconds = now_ms // 1000
        signature = self._signer.sign(event_id, datetime.fromtimestamp(seconds, UTC), body.decode())
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signature,
        }


def _signer(secret: str) -> standardwebhooks.Webhook:
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        raise SettingsError(
            f"GRAPHMIND_WEBHOOK_SECRET should be `whsec_` and {KEY_BYTES_MIN} to {KEY_BYTES_MAX} "
            "random bytes in base64, which the receiver knows too; it is not that"
        )
    return standardwebhooks.Webhook(key)


def _cloud_event(event: Mapping[str, Any]) -> CloudEvent:
    return CloudEvent(
        {
            "id": event["event_id"],
            "source": SOURCE,
            "type": event["type"],
            "subject": event["subject"],
            "time": datetime.fromtimestamp(event["time_ms"] / 1000, UTC),
            "datacontenttype": "application/json",
        },
        dict(event["data"]),
    )
