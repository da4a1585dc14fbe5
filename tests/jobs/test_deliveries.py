import json
from datetime import UTC, datetime
from random import Random

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks import Webhook as Verifier

from graphmind.alerts.outcome import RETRIES_MS
from graphmind.archive.duck import DuckArchive
from graphmind.errors import SettingsError
from graphmind.jobs.alerts import KIND, raise_alerts
from graphmind.jobs.deliveries import PAUSE_MS, WAITING_MAX, open_deliveries
from graphmind.settings import Settings
from tests.alerts.failing import NOW_MS, burst, facts

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK, MANAGER = "http://hook.test/in", "http://am.test/prefix/"
MINUTE_MS = 60_000
DAY_MS = 86_400_000


class Endpoint:
    """Answers with the statuses given, the last again and again, and keeps what came."""

    def __init__(self, *answers):
        self.answers = [*answers] or [httpx.Response(200)]
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers)


@pytest.fixture
def archive():
    with DuckArchive(None) as opened:
        yield opened


def settings(**changes):
    return Settings(**{"webhook_url": HOOK, "webhook_secret": SECRET, **changes})


def deliveries(archive, endpoint, **changes):
    client = httpx.Client(transport=httpx.MockTransport(endpoint))
    opened = open_deliveries(archive, settings(**changes), client)
    opened._chance = Random(1)
    return opened


def fail(archive, now_ms=NOW_MS, **changes):
    """Raise an alert."""
    traces = burst(f"t{now_ms}-", 11, now_ms)
    return raise_alerts(archive, facts(traces), [], settings(**changes), now_ms)


def cease(archive, now_ms):
    raise_alerts(archive, facts([]), [], settings(), now_ms)


def managed(archive, endpoint):
    return deliveries(archive, endpoint, alertmanager_url=MANAGER, webhook_url="")


def state(archive):
    documents = archive.documents(KIND).items()
    return [one["state"] for key, one in documents if key.startswith("event:")]


def test_an_event_is_a_signed_structured_cloud_event(archive):
    endpoint = Endpoint()
    fail(archive)
    deliveries(archive, endpoint).deliver_due(NOW_MS)
    (request,) = endpoint.requests
    event = from_structured_event(HTTPMessage(headers=dict(request.headers), body=request.content))
    data = event.get_data()

    assert event.get_type() == "io.graphmind.alert.raised.v1"
    assert event.get_id() == request.headers["webhook-id"]
    assert isinstance(data, dict)
    assert data["count"] == 11
    assert signed_at(request, NOW_MS)


def signed_at(request, now_ms):
    """Whether the signature is right by the library, which knows no time but its own."""
    head = request.headers
    expected = Verifier(SECRET).sign(
        head["webhook-id"],
        datetime.fromtimestamp(now_ms // 1000, UTC),
        request.content.decode(),
    )
    return (head["webhook-signature"], head["webhook-timestamp"]) == (expected, str(now_ms // 1000))


def test_an_event_taken_is_delivered_once_also_after_a_restart(archive):
    endpoint = Endpoint(httpx.Response(204))
    fail(archive)
    first = deliveries(archive, endpoint).deliver_due(NOW_MS)
    again = deliveries(archive, endpoint).deliver_due(NOW_MS + DAY_MS)

    assert (first.events, again.events, len(endpoint.requests)) == (1, 0, 1)
    assert state(archive) == ["delivered"]


def test_an_event_not_taken_comes_again_by_the_schedule_under_its_id_and_is_given_up(archive):
    endpoint = Endpoint(httpx.ConnectError("no route"))
    fail(archive)
    at_ms, waits = NOW_MS, []
    while state(archive) == ["waiting"]:
        deliveries(archive, endpoint).deliver_due(at_ms)
        (due_ms,) = (o["due_ms"] for k, o in archive.documents(KIND).items() if "event:" in k)
        assert not deliveries(archive, endpoint).deliver_due(max(due_ms - 1, at_ms)).failed
        waits.append(due_ms - at_ms)
        at_ms = due_ms

    assert state(archive) == ["given up"]
    assert len(endpoint.requests) == 1 + len(RETRIES_MS)
    assert len({request.headers["webhook-id"] for request in endpoint.requests}) == 1
    assert all(
        plain <= wait < plain * 1.2 for plain, wait in zip(RETRIES_MS, waits[:-1], strict=True)
    )


@pytest.mark.parametrize("said", ["600", "Tue, 14 Nov 2023 22:23:20 GMT"])
def test_an_endpoint_that_says_when_is_not_asked_before(archive, said):
    endpoint = Endpoint(httpx.Response(503, headers={"retry-after": said}), httpx.Response(200))
    fail(archive)
    opened = deliveries(archive, endpoint)
    opened.deliver_due(NOW_MS)
    early = opened.deliver_due(NOW_MS + 600_000 - 1)
    then = opened.deliver_due(NOW_MS + 600_000)

    assert (early.events, early.failed, then.events) == (0, 0, 1)


def test_an_endpoint_that_is_gone_gets_nothing_more_until_its_address_changes(archive):
    endpoint = Endpoint(httpx.Response(410))
    fail(archive)
    run = deliveries(archive, endpoint).deliver_due(NOW_MS)
    later_ms = NOW_MS + 3_600_000
    fail(archive, later_ms)
    deliveries(archive, endpoint).deliver_due(later_ms)
    other = Endpoint()
    again_ms = later_ms + 3_600_000
    fail(archive, again_ms)
    deliveries(archive, other, webhook_url="http://other.test/in").deliver_due(again_ms)

    assert (run.given_up, run.errors) == (1, ("webhook: expected a status 2xx, got 410 Gone",))
    assert len(endpoint.requests) == 1
    assert len(other.requests) == 2  # the old alert resolved, the new one raised


def test_a_dead_endpoint_is_asked_once_a_run_and_rests(archive):
    endpoint = Endpoint(httpx.ReadTimeout("slow"))
    fail(archive)
    cease(archive, NOW_MS + 300_000)
    opened = deliveries(archive, endpoint)
    now_ms = NOW_MS + 300_000
    runs = [opened.deliver_due(now_ms + wait) for wait in (0, PAUSE_MS - 1, PAUSE_MS)]

    assert [run.failed for run in runs] == [1, 0, 1]
    assert runs[0].waiting == 2


def test_too_many_waiting_events_give_up_the_oldest(archive):
    fail(archive)
    (key,) = (key for key in archive.documents(KIND) if key.startswith("event:"))
    one = archive.documents(KIND)[key]
    more = {
        f"event:{n:05}": one | {"event_id": f"{n:05}", "time_ms": NOW_MS + 1 + n}
        for n in range(WAITING_MAX)
    }
    archive.replace_documents(KIND, more)
    endpoint = Endpoint(httpx.Response(500))
    run = deliveries(archive, endpoint).deliver_due(NOW_MS + DAY_MS)

    assert (run.given_up, run.waiting) == (1, WAITING_MAX)
    assert archive.documents(KIND)[key]["state"] == "given up"


def test_what_ended_a_day_ago_is_forgotten(archive):
    fail(archive)
    opened = deliveries(archive, Endpoint())
    opened.deliver_due(NOW_MS)
    opened.deliver_due(NOW_MS + DAY_MS + 1)

    assert state(archive) == []


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "whsec_not base64 !", "", "plain"])
def test_a_secret_that_signs_nothing_is_refused_and_not_shown(archive, secret):
    with pytest.raises(SettingsError, match="GRAPHMIND_WEBHOOK_SECRET") as refused:
        deliveries(archive, Endpoint(), webhook_secret=secret)

    assert len(secret) < 7 or secret.removeprefix("whsec_") not in str(refused.value)


def test_an_alert_is_sent_to_the_alertmanager_each_minute_while_it_fires(archive):
    endpoint = Endpoint()
    fail(archive)
    times = [NOW_MS, NOW_MS + MINUTE_MS - 1, NOW_MS + MINUTE_MS, NOW_MS + MINUTE_MS + 1]
    sent = [managed(archive, endpoint).deliver_due(at_ms).alerts for at_ms in times]
    (alert,) = json.loads(endpoint.requests[0].content)

    assert sent == [1, 0, 1, 0]
    assert str(endpoint.requests[0].url) == "http://am.test/prefix/api/v2/alerts"
    assert alert["labels"]["alertname"] == "GraphmindFailures"
    assert alert["labels"]["severity"] == "major"
    assert alert["annotations"]["summary"] == "11 traces fail at inference (E_BUSY)"
    assert alert["startsAt"] == "2023-11-14T22:13:10.000Z"
    assert "endsAt" not in alert


def test_a_resolution_is_sent_once_and_again_only_where_it_was_not_taken(archive):
    endpoint = Endpoint(httpx.Response(200), httpx.Response(500), httpx.Response(200))
    fail(archive)
    over_ms = NOW_MS + 300_000
    managed(archive, endpoint).deliver_due(NOW_MS)
    cease(archive, over_ms)
    waits = (0, 4_999, 5_000, 3 * MINUTE_MS)
    runs = [managed(archive, endpoint).deliver_due(over_ms + wait) for wait in waits]
    (alert,) = json.loads(endpoint.requests[-1].content)

    assert [(run.alerts, run.failed) for run in runs] == [(0, 1), (0, 0), (1, 0), (0, 0)]
    assert alert["endsAt"] == "2023-11-14T22:18:20.000Z"


def test_a_resolution_is_not_sent_to_who_never_heard_of_the_alert(archive):
    endpoint = Endpoint(httpx.ConnectError("down"), httpx.Response(200))
    fail(archive)
    managed(archive, endpoint).deliver_due(NOW_MS)
    cease(archive, NOW_MS + 300_000)

    assert managed(archive, endpoint).deliver_due(NOW_MS + 300_000).alerts == 0


def test_both_are_told_and_neither_waits_for_the_other(archive):
    def answer(request):
        if request.url.host == "am.test":
            raise httpx.ConnectTimeout("dead")
        return httpx.Response(200)

    fail(archive)
    run = deliveries(archive, answer, alertmanager_url=MANAGER).deliver_due(NOW_MS)

    assert (run.alerts, run.events, run.failed) == (0, 1, 1)
    assert run.errors == ("Alertmanager: no answer: ConnectTimeout",)
