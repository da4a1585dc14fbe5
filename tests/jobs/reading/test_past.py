"""Incidents as they stood, by a history as a live server writes it."""

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.errors import UnknownName
from graphmind.jobs.incidents import Filter, list_incidents
from graphmind.jobs.reading.past import head_as_of, incident_as_of, until_ms
from tests.archive.rows import facts

HISTORY = [
    {"at_ms": 100, "state": "opened", "trace_count": 2, "reason": ""},
    {"at_ms": 200, "state": "growing", "trace_count": 5, "reason": ""},
    {"at_ms": 300, "state": "closed", "trace_count": 6, "reason": ""},
]
INCIDENT: dict[str, object] = {
    "incident_id": "inc",
    "title": "",
    "symptom": "error",
    "severity": "minor",
    "cluster_id": "",
    "root_module": None,
    "onset_ms": 50,
    "opened_ms": 50,
    "state": "closed",
    "closed_ms": 300,
    "merged_into": "other",
    "alerted_ms": 250,
    "eligible_for_repair": True,
    "history": HISTORY,
    "changes": [{"at_ms": 40}, {"at_ms": 150}],
    "causes": [],
    "trace_ids": ["t1", "t2", "gone"],
    "examples": ["t2"],
    "survivors": [],
    "trace_count": 6,
}


@pytest.mark.parametrize(
    ("at_ms", "state", "count", "closed_ms", "eligible"),
    [
        (100, "opened", 2, None, False),
        (199, "opened", 2, None, False),
        (250, "growing", 5, None, True),
        (300, "closed", 6, 300, True),
    ],
)
def test_state_count_and_marks_are_those_of_the_moment(at_ms, state, count, closed_ms, eligible):
    stood = head_as_of(INCIDENT, at_ms)

    assert stood is not None
    assert (stood["state"], stood["trace_count"]) == (state, count)
    assert (stood["closed_ms"], stood["eligible_for_repair"]) == (closed_ms, eligible)
    assert stood["merged_into"] == ("other" if state == "closed" else None)
    assert all(entry["at_ms"] <= at_ms for entry in stood["history"])
    assert all(change["at_ms"] <= at_ms for change in stood["changes"])


def test_before_it_was_opened_nobody_knew_of_it():
    assert head_as_of(INCIDENT, 99) is None


def test_without_a_history_an_incident_is_known_from_its_onset():
    analysed = INCIDENT | {"history": [], "state": "open", "closed_ms": None}

    assert head_as_of(analysed, 49) is None
    stood = head_as_of(analysed, 50)
    assert stood is not None
    assert stood["state"] == "open"


def test_it_failed_last_before_the_moment():
    assert until_ms(INCIDENT | {"last_failing_ms": 280}) == 280
    assert until_ms(INCIDENT | {"last_failing_ms": 280}, 150) == 150
    assert until_ms(INCIDENT | {"causes": [{"until_ms": 90}]}) == 90


@pytest.fixture
def archive():
    with DuckArchive(None) as opened:
        opened.save_incidents("run", [INCIDENT])
        opened.store_facts(facts(("t1", 60_000_000), ("t2", 170_000_000)))
        yield opened


def test_traces_that_began_later_are_not_yet_its(archive):
    """Traces that the archive no longer holds are old: they stay."""
    stood = incident_as_of(archive, "inc", 150)

    assert (stood["trace_ids"], stood["examples"]) == (["t1", "gone"], [])
    assert incident_as_of(archive, "inc", None)["trace_ids"] == ["t1", "t2", "gone"]
    with pytest.raises(UnknownName, match="had not been opened at 99"):
        incident_as_of(archive, "inc", 99)


def test_a_list_of_the_past_is_filtered_by_the_state_of_then(archive):
    def listed(state, as_of_ms):
        page = list_incidents(archive, Filter(state=state), after=None, limit=9, as_of_ms=as_of_ms)
        return [item["incident_id"] for item in page.items]

    assert listed("growing", 250) == ["inc"]
    assert listed("closed", 250) == []
    assert listed("closed", None) == ["inc"]
    assert listed(None, 99) == []
