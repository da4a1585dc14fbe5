"""Events to webhooks: structured CloudEvents, signed as Standard Webhooks has it."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook as Signer

KEY_BYTES_MIN, KEY_BYTES_MAX = 24, 64
"""Of a secret, as the Standard Webhooks specification has it."""
SECRET: Final = f"`whsec_` and {KEY_BYTES_MIN} to {KEY_BYTES_MAX} random bytes in base64"
"""What a secret is, for messages."""
SOURCE: Final = "/graphmind"
"""Who tells: the ``source`` of the events."""


def signer_of(secret: str) -> Signer:
    """Return what signs with a secret. Raises ValueError for one that signs nothing."""
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        # Not what came: it is a secret.
        raise ValueError(f"expected {SECRET}")
    return Signer(key)


def signed(
    signer: Signer,
    *,
    event_id: str,
    kind: str,
    subject: str,
    at: datetime,
    told: Mapping[str, Any],
    sent_s: int,
) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a CloudEvent of time ``at``, signed for an epoch second."""
    attributes = {
        "id": event_id,
        "source": SOURCE,
        "type": kind,
        "subject": subject,
        "time": at,
        "datacontenttype": "application/json",
    }
    message = to_structured_event(CloudEvent(attributes, dict(told)))
    moment = datetime.fromtimestamp(sent_s, UTC)
    return {
        **message.headers,
        "webhook-id": event_id,
        "webhook-timestamp": str(sent_s),
        "webhook-signature": signer.sign(event_id, moment, message.body.decode()),
    }, message.body
