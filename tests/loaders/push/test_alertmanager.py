import json
import os
from pathlib import Path

import pytest
from graphmind_loaders.push.alertmanager import ALERTS_MAX, samples
from hypothesis import given
from hypothesis import strategies as st

from graphmind.errors import SourceError
from graphmind.telemetry.metrics import SAMPLES
from graphmind.telemetry.rejections import Rejections

REPLY = Path(
    os.environ.get("GRAPHMIND_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"),
    "server-replies",
    "alertmanager-0.25-webhook.json",
)
START_NS = 1_767_319_445_000_000_000
ALERT = {
    "status": "firing",
    "labels": {"alertname": "Retries", "agent_id": "a1"},
    "startsAt": "2026-01-02T02:04:05Z",
    "endsAt": "0001-01-01T00:00:00Z",
}


def rows(*alerts, rejected=None, **more):
    body = json.dumps({"version": "4", "alerts": alerts, **more}).encode()
    return samples(body, rejected or Rejections()).to_pylist()


def row(time_ns, value):
    return {
        "name": "alert:Retries",
        "time_ns": time_ns,
        "value": value,
        "labels": [("agent_id", "a1")],
        "trace_id": None,
    }


def test_a_firing_alert_is_one_from_its_start():
    assert rows(ALERT) == [row(START_NS, 1.0)]


def test_a_resolved_alert_is_zero_from_its_end():
    ended = ALERT | {"status": "resolved", "endsAt": "2026-01-02T02:05:05.5Z"}

    assert rows(ended) == [row(START_NS, 1.0), row(START_NS + 60_500_000_000, 0.0)]


def test_a_planned_end_of_a_firing_alert_is_no_end():
    assert rows(ALERT | {"endsAt": "2026-01-02T02:09:05Z"}) == [row(START_NS, 1.0)]


def test_what_grafana_adds_is_left_aside():
    more = {"values": {"A": 1}, "dashboardURL": "http://g.test", "fingerprint": "ab"}

    assert rows(ALERT | more, orgId=1, state="alerting", version="1") == [row(START_NS, 1.0)]


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {}},
        {"labels": {"alertname": 3}},
        {"labels": None},
        {"status": "pending"},
        {"startsAt": "0001-01-01T00:00:00Z"},
        {"startsAt": "yesterday"},
        {"status": "resolved", "endsAt": "never"},
    ],
)
def test_a_broken_alert_is_counted_and_costs_no_other(change):
    rejected = Rejections()

    assert rows(ALERT | change, ALERT, rejected=rejected) == [row(START_NS, 1.0)]
    assert rejected.counts == {"record of another shape": 1}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"alerts": 3}', b'{"alerts": [], "version": "5"}', b"[" * 10**5]
)
def test_another_body_is_refused(body):
    with pytest.raises(SourceError, match="expected"):
        samples(body, Rejections())


def test_alerts_beyond_a_limit_are_counted():
    rejected = Rejections()

    assert len(rows(*[ALERT] * (ALERTS_MAX + 2), rejected=rejected)) == ALERTS_MAX
    assert rejected.counts == {f"alert beyond {ALERTS_MAX} in a body": 2}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: (
    st.lists(inner) | st.dictionaries(
        st.sampled_from(["status", "labels", "startsAt", "endsAt", "alertname"]) | st.text(), inner
    )
)))  # fmt: skip
def test_any_json_in_place_of_an_alert_is_read_or_counted(value):
    rejected = Rejections()
    body = json.dumps({"alerts": [value]}).encode()
    batch = samples(body, rejected)

    assert batch.schema == SAMPLES
    assert (batch.num_rows > 0) is not bool(rejected.counts)


def test_the_body_of_a_real_alertmanager_is_read():
    if not REPLY.is_file():
        pytest.skip(f"no {REPLY.name}")
    (one,) = samples(REPLY.read_bytes(), Rejections()).to_pylist()

    assert (one["name"], one["value"]) == ("alert:AgentRetries", 1.0)
    assert dict(one["labels"])["agent_id"] == "a1"
