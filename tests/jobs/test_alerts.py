from dataclasses import replace

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.incidents.lifecycle import Recent, advance
from graphmind.jobs.alerts import KIND, list_alerts, raise_alerts
from graphmind.jobs.analyze import KEPT_AS, examine
from graphmind.jobs.library import KIND as LIBRARY
from graphmind.jobs.settle import settle
from graphmind.matching.record import entry_of
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from tests.alerts.failing import NOW_MS, burst, facts, trace
from tests.incidents.windows import incident
from tests.jobs.test_library import window
from tests.jobs.windows import loaded

SETTINGS = Settings(webhook_url="http://127.0.0.1:1/hook")
WINDOW_MS = round(SETTINGS.alert_window_s * 1000)
QUIET = facts([])
IDLE = Recent(
    failing_last_minute=0,
    failing_minute_before=0,
    exposed_last_minute=0,
    healthy_last_minute=0,
    last_failing_ms=None,
)


@pytest.fixture
def archive():
    with DuckArchive(None) as opened:
        yield opened


def stored(archive, *trace_ids, name="inc-1", state="growing"):
    """Store an incident that holds some traces, and return it."""
    one = incident(("agent", "bad"), incident_id=name, trace_ids=trace_ids)
    alive = advance(one.document(), None, now_ms=NOW_MS, recent=IDLE) | {"state": state}
    others = [each for each in archive.incidents() if each["incident_id"] != name]
    archive.save_incidents(KEPT_AS, [*others, alive])
    return archive.incident(name)


def run(archive, traces, *incidents, now_ms=NOW_MS, settings=SETTINGS):
    return raise_alerts(archive, facts(traces), incidents, settings, now_ms)


def events(archive):
    documents = archive.documents(KIND)
    outbox = [one for key, one in documents.items() if key.startswith("event:")]
    return sorted((one["time_ms"], one["type"].split(".", 2)[2], one["subject"]) for one in outbox)


@pytest.mark.parametrize(("count", "raised"), [(10, 0), (11, 1)])
def test_an_alert_is_raised_beyond_the_count(archive, count, raised):
    assert len(run(archive, burst("t", count, NOW_MS)).raised) == raised


def test_failures_spread_over_more_than_the_window_raise_none(archive):
    pause_ms = WINDOW_MS // 10

    assert not run(archive, burst("t", 30, NOW_MS, pause_ms)).raised


def test_failures_of_two_fingerprints_do_not_add_up(archive):
    other = burst("u", 10, NOW_MS, fault_module="router")

    assert not run(archive, burst("t", 10, NOW_MS) + other).raised


def test_what_piled_up_long_ago_raises_none(archive):
    assert not run(archive, burst("t", 20, NOW_MS - WINDOW_MS)).raised


def test_an_alert_says_what_fails_where_since_when(archive):
    run(archive, burst("t", 30, NOW_MS))
    (alert,) = list_alerts(archive)

    assert alert["label"] == "traces fail at inference (E_BUSY)"
    assert (alert["state"], alert["raised_ms"], alert["resolved_ms"]) == ("firing", NOW_MS, None)
    assert (alert["count"], alert["first_ms"], alert["last_ms"]) == (30, NOW_MS - 29_000, NOW_MS)
    assert alert["trace_ids"] == [f"t{n}" for n in range(10, 30)]
    assert alert["incident_id"] is None


def test_a_run_repeated_or_after_a_restart_changes_nothing(archive):
    own = stored(archive, *(f"t{n}" for n in range(11)))
    traces = burst("t", 11, NOW_MS)
    run(archive, traces, own)
    documents, incidents = archive.documents(KIND), archive.incidents()
    again = run(archive, traces, *incidents, now_ms=NOW_MS + 1)

    assert (again.raised, again.events, again.incidents) == ((), 0, ())
    assert (archive.documents(KIND), archive.incidents()) == (documents, incidents)


def test_an_alert_that_goes_on_is_raised_once_and_follows_its_failures(archive):
    run(archive, burst("t", 11, NOW_MS))
    later_ms = NOW_MS + WINDOW_MS - 1
    again = run(archive, [trace("last", later_ms)], now_ms=later_ms)
    (alert,) = list_alerts(archive)

    assert (again.raised, again.resolved, again.firing) == ((), (), 1)
    assert (alert["most"], alert["count"], alert["last_ms"]) == (11, 1, later_ms)


def test_an_alert_is_resolved_once_after_a_quiet_window_and_raised_anew(archive):
    run(archive, burst("t", 11, NOW_MS))
    over_ms = NOW_MS + WINDOW_MS
    still = run(archive, [], now_ms=over_ms - 1)
    over = run(archive, [], now_ms=over_ms)
    after = run(archive, [], now_ms=over_ms + 1)
    again = run(archive, burst("u", 11, over_ms + 20_000), now_ms=over_ms + 20_000)

    (name,) = again.raised
    assert [one.resolved for one in (still, over, after)] == [(), (name,), ()]
    assert events(archive) == [
        (NOW_MS, "alert.raised.v1", name),
        (over_ms, "alert.resolved.v1", name),
        (over_ms + 20_000, "alert.raised.v1", name),
    ]


def test_a_late_trace_of_a_resolved_burst_raises_nothing_but_new_ones_do(archive):
    run(archive, burst("t", 11, NOW_MS))
    over_ms = NOW_MS + WINDOW_MS
    run(archive, [], now_ms=over_ms)
    old = [*burst("t", 11, NOW_MS), trace("late", over_ms - 10)]
    late = run(archive, old, now_ms=over_ms + 1)
    fresh = run(archive, old + burst("u", 11, over_ms + 20_000), now_ms=over_ms + 20_000)

    assert (late.raised, len(fresh.raised)) == ((), 1)


def test_after_a_pause_of_the_service_the_old_alert_is_resolved_and_a_new_one_raised(archive):
    run(archive, burst("t", 11, NOW_MS))
    later_ms = NOW_MS + 3 * WINDOW_MS
    both = run(archive, burst("t", 11, NOW_MS) + burst("u", 11, later_ms), now_ms=later_ms)

    assert (len(both.raised), len(both.resolved)) == (1, 1)
    assert {kind for _, kind, _ in events(archive)} == {"alert.raised.v1", "alert.resolved.v1"}


def test_the_incident_of_an_alert_is_marked_as_eligible_for_repair(archive):
    own = stored(archive, *(f"t{n}" for n in range(11)))
    other = stored(archive, "x", name="inc-2")
    marked = run(archive, burst("t", 11, NOW_MS), own, other).incidents
    (alert,) = list_alerts(archive)

    assert [one["incident_id"] for one in marked] == ["inc-1"]
    assert archive.incident("inc-1") == own | {
        "eligible_for_repair": True,
        "alerted_ms": NOW_MS,
        "alert_fingerprint": alert["fingerprint"],
    }
    assert archive.incident("inc-2") == other
    assert (alert["incident_id"], alert["severity"]) == ("inc-1", own["severity"])


def test_a_mark_that_another_writer_undid_is_made_again(archive):
    own = stored(archive, *(f"t{n}" for n in range(11)))
    run(archive, burst("t", 11, NOW_MS), own)
    stored(archive, *own["trace_ids"])
    run(archive, burst("t", 11, NOW_MS), own, now_ms=NOW_MS + 5)

    assert archive.incident("inc-1")["alerted_ms"] == NOW_MS


def test_an_incident_found_after_its_alert_is_marked_but_the_labels_stay(archive):
    run(archive, burst("t", 11, NOW_MS))
    own = stored(archive, *(f"t{n}" for n in range(11)))
    run(archive, burst("t", 11, NOW_MS), own, now_ms=NOW_MS + 1)
    (alert,) = list_alerts(archive)

    assert archive.incident("inc-1")["eligible_for_repair"] is True
    assert alert["incident_id"] == "inc-1"
    assert "incident_id" not in alert["labels"]


def test_incidents_are_told_once_when_they_open_and_when_they_close(archive):
    own = stored(archive, "a")
    run(archive, [], own)
    run(archive, [], own, now_ms=NOW_MS + 1)
    closed = stored(archive, "a", state="closed")
    run(archive, [], closed, now_ms=NOW_MS + 2)
    run(archive, [], closed, now_ms=NOW_MS + 3)
    run(archive, [], stored(archive, "a", state="reopened"), now_ms=NOW_MS + 4)

    assert events(archive) == [
        (NOW_MS, "incident.opened.v1", "inc-1"),
        (NOW_MS + 2, "incident.closed.v1", "inc-1"),
        (NOW_MS + 4, "incident.opened.v1", "inc-1"),
    ]


def test_an_incident_closed_while_nobody_listened_is_told_at_the_next_run(archive):
    run(archive, [], stored(archive, "a"))
    stored(archive, "a", state="closed")
    run(archive, [], now_ms=NOW_MS + 9)

    assert events(archive)[1:] == [(NOW_MS + 9, "incident.closed.v1", "inc-1")]


def test_an_incident_that_was_never_open_to_us_is_not_told(archive):
    assert run(archive, [], stored(archive, "a", state="closed")).events == 0


def test_without_a_webhook_no_event_waits_for_one(archive):
    settings = replace(SETTINGS, webhook_url="")
    run(archive, burst("t", 11, NOW_MS), stored(archive, "a"), settings=settings)
    late = run(archive, burst("t", 11, NOW_MS), stored(archive, "a"), now_ms=NOW_MS + 1)

    assert (events(archive), late.events) == ([], 0)


def test_a_resolved_alert_is_forgotten_when_its_traces_are(archive):
    run(archive, burst("t", 11, NOW_MS))
    run(archive, [], now_ms=NOW_MS + WINDOW_MS)
    run(archive, [], now_ms=NOW_MS + WINDOW_MS + round(7.1 * 86_400_000))

    assert list_alerts(archive) == []


def test_a_real_window_raises_an_alert_archived_as_the_case_of_its_incident(archive):
    loaded(archive, window("a", "broken"))
    settle(archive, Settings(), Rejections())
    found = archive.facts(Selection())
    _, incidents, _ = examine(found, Settings())
    archive.save_incidents(KEPT_AS, incidents)
    raise_alerts(archive, found, incidents, SETTINGS, NOW_MS + 120_000)
    (alert,) = list_alerts(archive)
    entry = entry_of(archive.documents(LIBRARY)[incidents[0]["incident_id"]])

    assert alert["count"] == 20
    assert alert["incident_id"] == incidents[0]["incident_id"]
    assert alert["case"] == {
        "kind": LIBRARY,
        "incident_id": alert["incident_id"],
        "hash": entry.fingerprint.hash,
    }
