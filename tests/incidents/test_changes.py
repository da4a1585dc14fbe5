import pytest

from graphmind.incidents.changes import BEFORE_MS, CLOCK_MS, Change, first_seen, nearest_changes
from tests.incidents.windows import incident

ONSET_MS = 10 * BEFORE_MS
INCIDENT = incident(("model_version", "m@2"), ("region", "eu"), onset_ms=ONSET_MS)


def change(target, before_ms=0, **fields):
    return Change(kind="deploy", target=target, at_ms=ONSET_MS - before_ms, **fields)


def nearest(*changes):
    return [(near.target, near.of_cause) for near in nearest_changes(INCIDENT, changes)]


def test_a_change_of_the_cause_comes_before_a_nearer_one_of_something_else():
    assert nearest(change("gate", 1000), change("m@2", 60_000)) == [("m@2", True), ("gate", False)]


@pytest.mark.parametrize(
    ("made", "is_of_cause"),
    [
        (change("m", after="2"), True),
        (change("m", after="m@2"), True),
        (change("m"), True),
        (change("m", after="3"), False),
        (change("eu"), True),
        (change("m@1"), False),
    ],
)
def test_a_change_of_a_model_is_of_the_cause_if_it_made_that_version(made, is_of_cause):
    assert nearest(made) == [(made.target, is_of_cause)]


@pytest.mark.parametrize(
    ("before_ms", "count"),
    [(BEFORE_MS, 1), (BEFORE_MS + 1, 0), (-CLOCK_MS, 1), (-CLOCK_MS - 1, 0)],
)
def test_only_a_change_of_the_day_before_counts(before_ms, count):
    assert len(nearest(change("m@2", before_ms))) == count


def test_what_was_first_touched_well_into_the_archive_is_new():
    start, later = 0, (CLOCK_MS + 1) * 1_000_000
    touches = {("agent", "old"): start + 5, ("model_version", "m@2"): later}

    assert first_seen(touches, start) == [
        Change(kind="first seen", target="m@2", at_ms=CLOCK_MS + 1)
    ]
    assert first_seen(touches, None) == []


def test_a_change_reads_as_a_sentence():
    (near,) = nearest_changes(INCIDENT, [change("m", 5, before="1", after="2", author="kim")])

    assert near.summary == "deploy of m from 1 to 2"
    assert (near.author, near.before_onset_ms) == ("kim", 5)


def test_an_inventory_record_without_time_or_target_is_no_change():
    assert Change.of({"kind": "deploy", "target": "m", "at_ms": None}) is None
    assert Change.of({"kind": "deploy", "target": None, "at_ms": 5}) is None
    assert Change.of({"target": "m", "at_ms": 5}) == Change(kind="change", target="m", at_ms=5)
