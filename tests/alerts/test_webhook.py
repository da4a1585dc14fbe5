import time

import httpx
import pytest
from standardwebhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from graphmind.alerts.events import INCIDENT_OPENED, incident_event
from graphmind.alerts.webhook import Webhook
from tests.incidents.windows import incident
from tests.loaders.pull.serving import Answer, serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "b3RoZXI" * 6


def test_a_receiver_that_knows_the_secret_verifies_what_came_over_http():
    now_ms = round(time.time() * 1000)
    opened = incident(("agent", "bad")).document()
    event = incident_event(INCIDENT_OPENED, opened, now_ms=now_ms)
    with serving(lambda _asked: Answer(status=204)) as server, httpx.Client() as client:
        outcome = Webhook(client, f"{server.url}/hook", SECRET).send(event, now_ms=now_ms)
    (asked,) = server.asked
    body = Receiver(SECRET).verify(asked.body, asked.headers)

    assert outcome.delivered
    assert asked.headers["content-type"] == "application/cloudevents+json"
    assert (body["specversion"], body["source"], body["type"]) == (
        "1.0",
        "/graphmind",
        "io.graphmind.incident.opened.v1",
    )
    assert (body["id"], body["subject"]) == (asked.headers["webhook-id"], "inc-1")
    assert (body["data"]["cause"], body["data"]["trace_count"]) == ("agent bad", 2)
    with pytest.raises(WebhookVerificationError):
        Receiver(OTHER).verify(asked.body, asked.headers)
    with pytest.raises(WebhookVerificationError):
        Receiver(SECRET).verify(asked.body.replace(b"inc-1", b"inc-2"), asked.headers)
