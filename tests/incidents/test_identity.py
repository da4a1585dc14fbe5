from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.incidents.identity import PAUSE_MS, keep_identities
from tests.incidents.windows import CAUSE, incident


def found(name, traces, *items, **changes):
    return incident(*items, incident_id=name, trace_ids=tuple(traces), **changes)


def known(name, traces, *items, **changes):
    fields = {"cluster_id": f"CLUSTER_{name}", "opened_ms": 7, **changes}
    return found(name, traces, *items, **fields).document()


def ids(incidents):
    return [incident.incident_id for incident in incidents]


BAD, WORSE = ("agent", "bad"), ("agent", "worse")


def test_a_growing_incident_keeps_its_id_its_cluster_and_its_opening():
    (kept,) = keep_identities([found("new", "abcd", BAD)], [known("old", "ab", BAD)])

    assert (kept.incident_id, kept.cluster_id, kept.opened_ms) == ("old", "CLUSTER_old", 7)
    assert kept.trace_ids == ("a", "b", "c", "d")


def test_an_incident_whose_cause_gets_a_better_name_is_the_same_by_its_traces():
    (kept,) = keep_identities([found("new", "abcx", WORSE)], [known("old", "abcd", BAD)])

    assert kept.incident_id == "old"


def test_another_cause_with_few_common_traces_is_another_incident():
    (kept,) = keep_identities([found("new", "axyz", WORSE)], [known("old", "abcd", BAD)])

    assert kept.incident_id == "new"


def test_a_cause_that_was_tied_before_is_the_same_cause():
    old = known("old", "ab", BAD)
    old["causes"][0]["tied"] = [[{"kind": "agent", "name": "worse"}]]

    assert ids(keep_identities([found("new", "bxyz", WORSE)], [old])) == ["old"]


@pytest.mark.parametrize(
    ("pause_ms", "name"), [(PAUSE_MS, "old"), (PAUSE_MS + 1, "new")], ids=["within", "beyond"]
)
def test_the_same_cause_goes_on_after_a_short_pause_only(pause_ms, name):
    onset_ms = CAUSE.until_ms + pause_ms
    later = replace(CAUSE, onset_ms=onset_ms, until_ms=onset_ms + 1)
    new = found("new", "xy", BAD)
    new = replace(new, causes=(replace(later, all_of=new.causes[0].all_of),))

    assert ids(keep_identities([new], [known("old", "ab", BAD)])) == [name]


def test_one_of_two_that_come_of_one_keeps_its_id_and_the_other_says_where_it_came_from():
    halves = [found("x", "abc", BAD), found("y", "de", WORSE)]
    first, second = keep_identities(halves, [known("old", "abcde", BAD)])

    assert (first.incident_id, first.split_from) == ("old", None)
    assert (second.incident_id, second.split_from) == ("y", "old")


def test_an_incident_says_which_others_it_took_in():
    olds = [known("old", "abc", BAD), known("other", "de", WORSE)]
    (kept,) = keep_identities([found("new", "abcde", BAD)], olds)

    assert (kept.incident_id, kept.absorbed) == ("old", ("other",))


def test_an_incident_does_not_take_an_id_that_another_has_taken():
    olds = [known("old", "abcd", BAD)]
    first, second = keep_identities([found("x", "abcd", WORSE), found("old", "z", WORSE)], olds)

    assert first.incident_id == "old"
    assert second.incident_id not in ("old", "x")


@given(st.randoms(use_true_random=False), st.lists(st.sets(st.sampled_from("abcdef"), min_size=1)))
def test_the_order_of_incidents_changes_no_identity(random: Random, groups: list[set[str]]):
    olds = [known(f"old{n}", sorted(group), BAD) for n, group in enumerate(groups[::2])]
    news = [found(f"new{n}", sorted(group), WORSE) for n, group in enumerate(groups)]
    plain = keep_identities(news, olds)
    mixed = random.sample(olds, len(olds))

    assert keep_identities(news, mixed) == plain
    assert len({*ids(plain)}) == len(plain)
