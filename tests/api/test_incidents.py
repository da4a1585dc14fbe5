import re
from dataclasses import fields
from typing import get_args

import pytest
from graphmind_api import models
from graphmind_api.pages import cursor_of, place_of
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from graphmind.archive.duck import DuckArchive
from graphmind.incidents import incident as room
from graphmind.jobs.incidents import Filter, list_incidents
from graphmind.jobs.reading.sentence import sentence
from graphmind.telemetry.symptoms import CHANNEL
from graphmind.telemetry.triggers import KIND

INCIDENTS = "/api/v1/incidents"


@pytest.fixture(scope="module")
def stored(stores):
    """The incidents of the archive, newest first."""
    found = sorted(stores.archive.incidents(), key=lambda i: (-i["onset_ms"], i["incident_id"]))
    assert len(found) == 2
    return found


LIVE: dict[str, object] = {
    "state_since_ms": None,
    "closed_ms": None,
    "merged_into": None,
    "history": [],
    "eligible_for_repair": False,
    "alerted_ms": None,
}
"""What a live server adds to an incident, as one of an analysis without it shows it."""


TOLD = {"sentence", "until_ms", "repair_state"}
"""What is worked out for readers."""


def told(incident):
    """What this file's incidents, of which each has a cause and no repair, are told with."""
    return {
        "sentence": sentence(incident, len(incident["trace_ids"])),
        "until_ms": max(cause["until_ms"] for cause in incident["causes"]),
        "repair_state": None,
    }


def names(model):
    return set(model.model_fields)


def test_incidents_are_listed_newest_first_as_summaries(client, stored):
    listed = client.get(INCIDENTS).json()

    assert listed == {
        "items": [
            {name: i[name] for name in names(models.IncidentSummary) & i.keys()}
            | {"trace_count": len(i["trace_ids"]), "cause": i["causes"][0]["label"]}
            | told(i)
            for i in stored
        ],
        "next_cursor": None,
    }


def test_an_empty_archive_lists_no_incidents(empty):
    answer = empty.get(INCIDENTS)

    assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None})
    assert "link" not in answer.headers


def test_a_page_links_to_the_next_one(client, stored):
    first = client.get(INCIDENTS, params={"limit": 1})
    (link,) = re.findall(r'<(.*)>; rel="next"', first.headers["link"])
    second = client.get(link)

    assert [i["incident_id"] for i in first.json()["items"]] == [stored[0]["incident_id"]]
    assert [i["incident_id"] for i in second.json()["items"]] == [stored[1]["incident_id"]]
    assert second.json()["next_cursor"] is None


def test_the_link_keeps_the_filters(client, stored):
    since = stored[-1]["onset_ms"]
    link = client.get(INCIDENTS, params={"limit": 1, "since_ms": since}).headers["link"]

    assert f"since_ms={since}" in link


def test_incidents_are_filtered_by_symptom_severity_and_onset(client, stored):
    def listed(**params):
        items = client.get(INCIDENTS, params=params).json()["items"]
        return [i["incident_id"] for i in items]

    new, old = (i["incident_id"] for i in stored)
    assert stored[0]["symptom"] != stored[1]["symptom"]
    assert listed(symptom=stored[0]["symptom"]) == [new]
    assert listed(symptom="wrong") == []
    assert listed(severity=stored[0]["severity"]) == [
        i["incident_id"] for i in stored if i["severity"] == stored[0]["severity"]
    ]
    assert listed(severity="minor") == []
    assert listed(since_ms=stored[0]["onset_ms"]) == [new]
    assert listed(until_ms=stored[0]["onset_ms"]) == [old]


@pytest.mark.parametrize(
    ("params", "location"),
    [
        ({"limit": 0}, "query.limit"),
        ({"limit": 501}, "query.limit"),
        ({"limit": "many"}, "query.limit"),
        ({"symptom": "sad"}, "query.symptom"),
        ({"severity": "huge"}, "query.severity"),
        ({"since_ms": "yesterday"}, "query.since_ms"),
        ({"until_ms": 2**63}, "query.until_ms"),
        ({"cursor": "x"}, "query.cursor"),
        ({"cursor": "é"}, "query.cursor"),
        ({"cursor": ""}, "query.cursor"),
        ({"cursor": "WzFd"}, "query.cursor"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(client, params, location):
    answer = client.get(INCIDENTS, params=params)

    assert answer.status_code == 422
    assert [error["location"] for error in answer.json()["errors"]] == [location]


def test_an_incident_is_given_in_full(client, stored):
    for incident in stored:
        assert client.get(
            f"{INCIDENTS}/{incident['incident_id']}"
        ).json() == LIVE | incident | told(incident)


def test_a_command_is_given_alone(client, stored):
    for incident in stored:
        answer = client.get(f"{INCIDENTS}/{incident['incident_id']}/command")

        assert answer.json() == incident["command"]


PARTS = ("traces", "causes", "evidence", "timeline", "similar", "exposure", "lineage")


@pytest.mark.parametrize("part", ["", "/topology", "/command", *(f"/{part}" for part in PARTS)])
@pytest.mark.parametrize("incident_id", ["inc-0000000000", "%00", "%ff", "a b", "x" * 5000])
def test_an_unknown_incident_is_not_found(client, incident_id, part):
    answer = client.get(f"{INCIDENTS}/{incident_id}{part}")

    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:graphmind:unknown-name"
    assert answer.json()["instance"].isascii()


@pytest.mark.parametrize(
    ("described", "documented"),
    [
        (room.Item, models.Item),
        (room.NamedCause, models.Cause),
        (room.Reach, models.Reach),
        (room.Effect, models.Effect),
        (room.NearChange, models.NearChange),
        (room.Place, models.Place),
        (room.Where, models.Where),
    ],
)
def test_the_api_describes_every_field_of_an_incident(described, documented):
    assert {field.name for field in fields(described)} == names(documented)


def test_an_incident_is_its_document_its_command_and_what_it_resembles():
    document = {field.name for field in fields(room.Incident)}

    assert document | {"command", "seen", *LIVE, *TOLD} == names(models.Incident)


def test_every_symptom_can_be_filtered_by():
    assert set(get_args(models.Symptom)) == {
        symptom for symptom, channel in CHANNEL.items() if channel
    } | {KIND}


@pytest.fixture(scope="module")
def archive():
    with DuckArchive(None) as opened:
        yield opened


onsets = st.lists(st.integers(0, 3), max_size=12)


def documents(onsets_ms):
    return [
        {
            "incident_id": f"inc-{n}",
            "onset_ms": onset,
            "symptom": "error",
            "severity": "minor",
            "trace_ids": [],
        }
        for n, onset in enumerate(onsets_ms)
    ]


def following(archive, limit):
    """Ids page by page, the cursor taken along as a client does."""
    found, after = [], None
    while True:
        page = list_incidents(archive, WHATEVER, after=after, limit=limit)
        assert len(page.items) <= limit
        found += [item["incident_id"] for item in page.items]
        if page.last is None:
            return found
        after = place_of(cursor_of(page.last))


WHATEVER = Filter()
same_archive = examples(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@same_archive
@given(onsets, st.integers(1, 13))
def test_pages_hold_every_incident_once_in_one_order(archive, onsets_ms, limit):
    archive.save_incidents("run", documents(onsets_ms))

    found = following(archive, limit)

    assert found == following(archive, 500)
    assert sorted(found) == sorted(i["incident_id"] for i in documents(onsets_ms))


@same_archive
@given(onsets, onsets, st.integers(1, 5))
def test_incidents_that_come_between_pages_move_no_other(archive, onsets_ms, new_ms, limit):
    archive.save_incidents("late", [])
    archive.save_incidents("run", documents(onsets_ms))
    whole = following(archive, 500)
    first = list_incidents(archive, WHATEVER, after=None, limit=limit)
    late = [d | {"incident_id": f"late-{d['incident_id']}"} for d in documents(new_ms)]
    archive.save_incidents("late", late)
    rest = list_incidents(archive, WHATEVER, after=first.last, limit=500) if first.last else None

    seen = [i["incident_id"] for i in [*first.items, *(rest.items if rest else ())]]
    assert [i for i in seen if not i.startswith("late-")] == whole


@given(st.integers(-(2**63), 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_cursor_is_read_as_it_was_written(onset_ms, incident_id):
    assert place_of(cursor_of((onset_ms, incident_id))) == (onset_ms, incident_id)


@given(st.text())
def test_any_other_text_is_no_cursor(text):
    try:
        place = place_of(text)
    except ValueError:
        return
    assert place_of(cursor_of(place)) == place
