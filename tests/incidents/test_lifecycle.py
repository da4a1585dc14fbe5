from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.incidents.lifecycle import (
    CLOSED,
    CLOSED_AFTER_MS,
    FORGOTTEN_AFTER_MS,
    HELD_MS,
    HISTORY_MAX,
    TRANSITIONS,
    Recent,
    advance,
    vanished,
)
from tests.incidents.windows import incident

NOW_MS = 1_700_000_000_000
IDLE = Recent(
    failing_last_minute=0,
    failing_minute_before=0,
    exposed_last_minute=0,
    healthy_last_minute=0,
    last_failing_ms=None,
)


def document(traces=100, *, cause=True, **changes):
    """Return an incident that half or more of what is exposed fails in."""
    items = (("agent", "bad"),) if cause else ()
    ids = tuple(f"t{n}" for n in range(traces))
    return incident(*items, trace_ids=ids, onset_ms=NOW_MS, **changes).document()


def recent(last=0, before=0, *, exposed=0, healthy=0, failed_ms=None):
    return Recent(
        failing_last_minute=last,
        failing_minute_before=before,
        exposed_last_minute=exposed,
        healthy_last_minute=healthy,
        last_failing_ms=failed_ms,
    )


def opened(**changes):
    return advance(document(**changes), None, now_ms=NOW_MS, recent=recent(5, failed_ms=NOW_MS))


def after(ms, past, **counts):
    """Advance an incident by some time."""
    return advance(document(), past, now_ms=NOW_MS + ms, recent=recent(**counts))


def told(incident_document):
    return [(entry["state"], entry["reason"]) for entry in incident_document["history"]]


def test_a_new_incident_is_opened():
    new = opened()

    assert (new["state"], new["state_since_ms"], new["closed_ms"]) == ("opened", NOW_MS, None)
    assert new["history"] == [
        {
            "at_ms": NOW_MS,
            "state": "opened",
            "trace_count": 100,
            "reason": "found for the first time",
        }
    ]


def test_an_incident_stored_by_an_analysis_without_life_cycle_is_opened():
    assert advance(document(), document(), now_ms=NOW_MS, recent=IDLE)["state"] == "opened"


@pytest.mark.parametrize(("age_ms", "state"), [(FORGOTTEN_AFTER_MS, CLOSED), (1, "opened")])
def test_one_of_an_analysis_that_is_not_found_again_may_be_long_over(age_ms, state):
    gone = vanished(document(), now_ms=NOW_MS + age_ms, recent=IDLE)

    assert [entry["state"] for entry in gone["history"]] == [state]
    assert vanished(gone, now_ms=NOW_MS + age_ms, recent=IDLE) == gone


@pytest.mark.parametrize(
    ("last", "before", "state"),
    [
        (30, 5, "growing"),  # rises
        (20, 20, "growing"),  # a fifth of all its traces came in the last minute
        (5, 5, "steady"),  # keeps its rate, and is no longer young
        (20, 60, "steady"),  # falls
        (0, 0, "steady"),  # nobody can tell
    ],
)
def test_an_incident_grows_or_is_steady_by_the_rate_of_its_traces(last, before, state):
    at = NOW_MS + HELD_MS

    assert after(HELD_MS, opened(), last=last, before=before, failed_ms=at)["state"] == state


def test_a_state_is_held_for_a_minute():
    later = after(HELD_MS - 1, opened(), last=30, before=5, failed_ms=NOW_MS + HELD_MS)

    assert later["state"] == "opened"


@pytest.mark.parametrize(
    ("exposed", "healthy", "state"),
    [
        (20, 19, "recovering"),
        (20, 10, "steady"),  # fails as often as it did by half: not a third
        (4, 4, "steady"),  # too few to tell
    ],
)
def test_an_incident_recovers_when_what_is_exposed_is_mostly_healthy(exposed, healthy, state):
    at = NOW_MS + HELD_MS
    later = after(
        HELD_MS, opened(), last=1, before=1, exposed=exposed, healthy=healthy, failed_ms=at
    )

    assert later["state"] == state


def test_an_incident_recovers_when_none_fails_while_its_cause_is_touched():
    later = after(HELD_MS + 1, opened(), exposed=1, healthy=1)

    assert told(later)[1:] == [
        ("recovering", "none failed for 60 s, 1 exposed in the last minute"),
    ]


def test_a_relapse_is_no_recovery():
    recovering = after(HELD_MS + 1, opened(), exposed=1, healthy=1)
    at = 3 * HELD_MS
    relapsed = after(at, recovering, last=30, before=0, exposed=30, failed_ms=NOW_MS + at)

    assert relapsed["state"] == "growing"


@pytest.mark.parametrize(
    ("quiet_ms", "exposed", "closed"),
    [
        (CLOSED_AFTER_MS - 1, 5, False),
        (CLOSED_AFTER_MS, 5, True),
        (CLOSED_AFTER_MS, 0, False),
        (FORGOTTEN_AFTER_MS - 1, 0, False),
        (FORGOTTEN_AFTER_MS, 0, True),
    ],
)
def test_an_incident_closes_after_quiet_longer_where_nobody_can_tell(quiet_ms, exposed, closed):
    later = after(quiet_ms, opened(), exposed=exposed, healthy=exposed)

    assert (later["state"] == CLOSED) is closed
    assert later["closed_ms"] == (NOW_MS + quiet_ms if closed else None)


def test_an_incident_without_a_cause_closes_by_quiet_alone():
    past = opened(cause=False)
    later = advance(document(cause=False), past, now_ms=NOW_MS + CLOSED_AFTER_MS, recent=IDLE)

    assert later["state"] == CLOSED


def test_quiet_is_counted_from_the_last_failure_though_its_trace_is_out_of_the_window():
    failed = after(HELD_MS, opened(), last=9, failed_ms=NOW_MS + HELD_MS)

    assert after(CLOSED_AFTER_MS, failed, exposed=5, healthy=5)["state"] == "recovering"


def test_a_closed_incident_that_fails_again_is_reopened_under_its_id():
    closed = after(FORGOTTEN_AFTER_MS, opened())
    late = after(FORGOTTEN_AFTER_MS + 1, closed, last=1, failed_ms=NOW_MS + FORGOTTEN_AFTER_MS - 1)
    again = after(FORGOTTEN_AFTER_MS + 5, late, last=1, failed_ms=NOW_MS + FORGOTTEN_AFTER_MS + 4)

    assert late["state"] == CLOSED
    assert (again["incident_id"], again["state"], again["closed_ms"]) == ("inc-1", "reopened", None)


def test_an_incident_that_is_not_found_goes_on_by_the_same_clock():
    past = opened()
    quiet = vanished(past, now_ms=NOW_MS + 2 * HELD_MS, recent=recent(exposed=3, healthy=3))
    over = vanished(quiet, now_ms=NOW_MS + CLOSED_AFTER_MS, recent=recent(exposed=3, healthy=3))

    assert [entry["state"] for entry in over["history"]] == ["opened", "recovering", "closed"]
    assert over["trace_ids"] == past["trace_ids"]


def test_an_absorbed_incident_is_closed_and_says_by_which():
    merged = vanished(opened(), now_ms=NOW_MS + 1, recent=IDLE, merged_into="inc-9")

    assert (merged["state"], merged["merged_into"]) == (CLOSED, "inc-9")
    assert merged["closed_ms"] == NOW_MS + 1
    assert told(merged)[-1] == (CLOSED, "merged into inc-9")
    assert vanished(merged, now_ms=NOW_MS + 2, recent=IDLE, merged_into="inc-9") == merged


def test_one_that_fails_on_its_own_again_is_merged_no_longer():
    merged = vanished(opened(), now_ms=NOW_MS + 1, recent=IDLE, merged_into="inc-9")
    again = after(2, merged, last=1, failed_ms=NOW_MS + 2)

    assert (again["state"], again["merged_into"]) == ("reopened", None)


def test_history_says_what_an_incident_took_in_and_came_of():
    new = opened(split_from="inc-8")
    grown = advance(document(split_from="inc-8", absorbed=("inc-2", "inc-3")), new,
                    now_ms=NOW_MS + 1, recent=IDLE)  # fmt: skip

    assert told(grown)[1:] == [
        ("opened", "split from inc-8"),
        ("opened", "absorbed inc-2"),
        ("opened", "absorbed inc-3"),
    ]


def test_a_full_history_keeps_the_first_entry_and_the_latest():
    past = opened()
    for turn in range(1, HISTORY_MAX + 20):
        at = turn * HELD_MS
        past = after(at, past, last=30 if turn % 2 else 5, before=5, failed_ms=NOW_MS + at)
    times = [entry["at_ms"] for entry in past["history"]]

    assert len(times) == HISTORY_MAX
    assert times[0] == NOW_MS
    assert times[-1] == NOW_MS + (HISTORY_MAX + 19) * HELD_MS
    assert times == sorted(times)


@st.composite
def minutes(draw):
    """Draw how an incident fared: pause since the last run, counts, and whether it was found."""
    exposed = draw(st.integers(0, 50))
    counts = recent(
        draw(st.integers(0, 40)),
        draw(st.integers(0, 40)),
        exposed=exposed,
        healthy=draw(st.integers(0, exposed)),
    )
    return draw(st.integers(-5_000, 900_000)), draw(st.sampled_from([None, 0, 90_000])), counts


@given(st.lists(st.tuples(minutes(), st.sampled_from(["found", "gone", "merged"])), max_size=30))
def test_a_life_moves_on_legally_and_a_run_repeated_changes_nothing(life):
    now_ms, past = NOW_MS, opened()
    for (pause_ms, failed_before_ms, counts), what in life:
        now_ms += pause_ms
        failed_ms = None if failed_before_ms is None else now_ms - failed_before_ms
        seen = replace(counts, last_failing_ms=failed_ms)

        def run(before, what=what, seen=seen, at=now_ms):
            if what == "found":
                return advance(document(), before, now_ms=at, recent=seen)
            into = "inc-9" if what == "merged" else None
            return vanished(before, now_ms=at, recent=seen, merged_into=into)

        new = run(past)

        assert run(new) == new
        assert new["incident_id"] == "inc-1"
        assert new["state"] == past["state"] or new["state"] in TRANSITIONS[past["state"]]
        assert new["history"][: len(past["history"])] == past["history"]
        assert (new["closed_ms"] is None) is (new["state"] != CLOSED)
        assert new["history"][-1]["state"] == new["state"]
        past = new
    times = [entry["at_ms"] for entry in past["history"]]
    assert times == sorted(times)
    assert orjson.loads(orjson.dumps(past["history"])) == past["history"]


REACHED_BY = {
    "growing": {"last": 30, "before": 5},
    "steady": {"last": 5, "before": 5},
    "recovering": {"last": 1, "before": 1, "exposed": 40, "healthy": 40},
}


@pytest.mark.parametrize(
    ("state", "onward"), [(a, b) for a, nexts in TRANSITIONS.items() for b in sorted(nexts)]
)
def test_every_legal_transition_is_walked(state, onward):
    past = opened() | {"state": state, "closed_ms": NOW_MS if state == CLOSED else None}
    at = 40 * HELD_MS
    if onward == CLOSED:
        new = after(at, past)
    else:
        counts = REACHED_BY.get(onward, {"last": 1})
        new = after(at, past, failed_ms=NOW_MS + at, **counts)

    assert new["state"] == onward


def test_the_life_cycle_knows_no_state_without_a_way_on():
    assert set(TRANSITIONS) == {"opened"} | set().union(*TRANSITIONS.values())
