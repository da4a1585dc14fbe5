"""The pure core: causes where they belong, names that stay, estimates, and a page that is safe."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.errors import SettingsError
from graphmind.review.assemble import assemble
from graphmind.review.league import interval
from graphmind.review.markdown import markdown
from graphmind.review.material import Cluster, Counted, Repairs, Traffic
from graphmind.review.page import page
from graphmind.review.topology import match
from graphmind.review.week import DAY_MS, WEEK_MS, Week
from tests.review.material import HOSTILE, WEEK, incident, material

MEMBERS = st.frozensets(st.sampled_from([f"agent a{number}" for number in range(24)]), min_size=2)


@given(st.integers(0, 2**42))
def test_a_moment_lies_in_its_week_and_the_name_reads_back(at_ms):
    week = Week.of(at_ms)

    assert week.holds(at_ms)
    assert Week.of(week.until_ms).before == week
    if week.since_ms >= 0:
        assert Week.parse(week.name) == week


@pytest.mark.parametrize("name", ["2026-W54", "2026-W00", "2026W47", "", "../etc", "1969-W10"])
def test_what_names_no_week_is_refused(name):
    with pytest.raises(SettingsError, match="expected an ISO week"):
        Week.parse(name)


def test_each_cause_is_where_it_belongs():
    review = assemble(material())

    assert [each.incident_ids for each in review.new] == [("i-new",)]
    assert [each.incident_ids for each in review.recurring] == [("i-again",)]
    assert review.recurring[0].weeks == ("2026-W11", "2026-W12")
    assert [each.incident_ids for each in review.resolved] == [("i-fixed",)]
    assert review.resolved[0].said == "80 traces touched it this week and none failed of it"


def test_a_fix_that_nothing_touched_is_not_proven():
    review = assemble(material(exposed={"i-fixed": 0.0}))

    assert "untested" in review.resolved[0].said
    assert any("only unused" in each.text for each in review.questions)


def test_without_traces_the_dates_of_an_incident_tell_its_weeks():
    at_ms = WEEK.before.since_ms + 6 * DAY_MS
    long = incident("i", item=("tool", "t"), at_ms=at_ms, last_failing_ms=at_ms + 2 * DAY_MS)

    review = assemble(material(incidents=[long], seen={}))

    assert [each.weeks for each in review.recurring] == [("2026-W11", "2026-W12")]


def partition(groups):
    """Leave each member in the first group that has it, as communities do."""
    taken: set[str] = set()
    for group in groups:
        own = group - taken
        taken |= own
        if len(own) > 1:
            yield Cluster(weights=dict.fromkeys(own, 5), failing=5)


PARTITIONS = st.lists(MEMBERS, max_size=6).map(lambda groups: list(partition(groups)))


@settings(deadline=None)  # The first match loads scipy.
@given(PARTITIONS, PARTITIONS, st.randoms())
def test_communities_are_matched_once_each_and_in_any_order(first, second, chance):
    before = match(first, ())
    after = match(second, before)
    shuffled = list(second)
    chance.shuffle(shuffled)

    ids = [each.group_id for each in after if each.standing != "new"]
    assert sorted(ids) == sorted(each.group_id for each in before)
    names = {each.group_id: each.name for each in before}
    for each in after:
        if each.standing != "new":
            assert each.name == names[each.group_id]
            kept = frozenset(each.members) - frozenset(each.joined) | frozenset(each.left)
            past = next(one for one in before if one.group_id == each.group_id)
            assert kept == frozenset(past.members)
    assert sum(len(each.members) for each in match(shuffled, before)) == sum(
        len(each.weights) for each in second
    )


@given(PARTITIONS)
def test_communities_that_stay_keep_name_and_id(groups):
    before = match(groups, ())

    after = match(list(reversed(groups)), before)

    assert {each.standing for each in after} <= {"same"}
    assert [(each.group_id, each.name) for each in after] == [
        (each.group_id, each.name) for each in before
    ]


def test_no_two_communities_have_one_name():
    weights = {"region eu": 9, "agent a": 5}
    before = match([Cluster(weights=weights, failing=9)], ())
    moved = [
        Cluster(weights={"agent a": 5, "agent b": 4, "tool t": 3}, failing=5),
        Cluster(weights={"region eu": 8, "agent c": 6}, failing=8),
    ]

    after = match(moved, before)

    assert len({each.name for each in after}) == len(after) == 2


@given(st.integers(1, 10**6), st.data())
def test_an_interval_holds_its_share(kept, data):
    failing = data.draw(st.integers(0, kept))
    counted = Counted(kind="region", name="r", traces=kept, failing=failing, kept=kept)

    share, low, high = interval(counted)

    assert 0 <= low <= share <= high <= 1


def test_a_version_that_fails_clearly_more_often_is_worse():
    ranks = {each.name: each for each in assemble(material()).league}

    assert ranks["atlas@3.1.8"].trend == "worse"
    assert ranks["us-1"].trend == "new"


def repaired(verdict: str) -> Repairs:
    return Repairs(
        repair_id="r1",
        incident_id="i-new",
        strategy="restart@1",
        operator="system",
        state="succeeded",
        verdict=verdict,
        requested_ms=WEEK.since_ms + DAY_MS + 60_000,
        ended_ms=WEEK.since_ms + DAY_MS + 360_000,
    )


def test_time_saved_is_the_median_of_others_less_its_own():
    given_ = material(repairs=[repaired("effective")])
    short = [
        {**each, "last_failing_ms": each["onset_ms"] + 600_000}
        if each["incident_id"] == "i-new"
        else each
        for each in given_.incidents
    ]

    found = assemble(replace(given_, incidents=short))

    assert found.repairs[0].effect_s == 300
    assert found.saved_s == found.repairs[0].saved_s == 3600 - 600
    assert "3 incidents without an effective repair lasted 3,600 s" in found.repairs[0].why


def test_no_time_is_saved_by_what_did_not_work_or_cannot_be_compared():
    failed = assemble(material(repairs=[repaired("ineffective")]))
    given_ = material(repairs=[repaired("effective")])
    alone = assemble(replace(given_, incidents=given_.incidents[:1]))

    assert failed.saved_s is None
    assert any("switched off" in each.text for each in failed.questions)
    assert alone.repairs[0].why.startswith("only 0 incidents ended")


def test_quiet_risks_are_what_did_not_fail():
    review = assemble(material())

    kinds = {(each.kind, each.name) for each in review.risks}
    assert ("single point", "service router") in kinds
    assert ("busy key", f"kv_key {HOSTILE}") in kinds


def test_only_what_surely_drifted_is_told_and_asked_about():
    review = assemble(material())

    assert [each.agent for each in review.drifts] == ["slow one"]
    asked = next(each for each in review.questions if "drifted" in each.text)
    assert "+50 % in its median time" in asked.text
    assert asked.evidence[0].href == (
        f"/health/agents/slow%20one?since_ms={WEEK.since_ms}&until_ms={WEEK.until_ms}"
    )


def test_a_version_to_leave_is_asked_about_once():
    review = assemble(material())

    assert [(each.leave, each.go_to) for each in review.advices] == [("atlas@3.1.8", "atlas@3.1.6")]
    about = [each.text for each in review.questions if "atlas@3.1.8" in each.text]
    assert [text for text in about if "go back to atlas@3.1.6" in text]
    assert not [text for text in about if "after" in text]


def test_a_path_is_set_beside_the_week_before_where_it_stood_out_then():
    same = {"path": ["a", HOSTILE], "failing": 12.0, "passed": 100.0, "lift": 2.0}
    given_ = material(before=Traffic(paths=[same]))

    assert [each.failing_before for each in assemble(given_).paths] == [12.0]
    assert [each.failing_before for each in assemble(material()).paths] == [None]


class Seen(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_the_page_is_whole_loads_nothing_and_takes_no_name_for_markup():
    text = page(assemble(material()))
    seen = Seen()
    seen.feed(text)

    assert "&lt;script&gt;" in text
    names = {name for name, _ in seen.tags}
    assert {"svg", "table", "style"} <= names
    assert not names & {"script", "link", "img", "iframe"}
    for _, attributes in seen.tags:
        assert not {"src", "style", "onclick", "onload"} & attributes.keys()
        assert (attributes.get("href") or "/").startswith("/")
    assert not re.search(r"url\(|@import|https?:", text)


def test_the_same_material_gives_the_same_bytes():
    first, second = assemble(material()), assemble(material())

    assert page(first) == page(second)
    assert markdown(first) == markdown(second)


def test_a_name_is_no_markup_in_markdown():
    text = markdown(assemble(material()))

    assert "<script>" not in text.replace("\\<", "")
    assert all(
        line.count("|") - line.count("\\|") == 10
        for line in text.splitlines()
        if line.startswith("| tool")
    )


def test_a_week_without_anything_says_so():
    quiet = material()
    empty = replace(
        quiet,
        incidents=[],
        traffic=Traffic(),
        clusters=[],
        keys=[],
        seen={},
        drifts=[],
        advices=[],
    )

    review = assemble(empty)

    assert review.headline == "No trace began in this week."
    assert "Nothing in this week asks for a decision." in page(review)
    assert review.until_ms - review.since_ms == WEEK_MS
