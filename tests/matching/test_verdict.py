from typing import Any

from hypothesis import given

from graphmind.matching.library import Library
from graphmind.matching.verdict import NEW, SEEN, SIMILAR, recognise, seen_from
from tests.matching.entries import entries, entry, libraries

OTHER: dict[str, Any] = {
    "structure": {"gateway": 1.0, "store (fails)": 1.0},
    "error_codes": {"refused": 1.0},
}
STANDS_OUT: dict[str, Any] = {
    "metric_signature": {"duration": 3, "retries": 2},
    "log_signature": ("pool", "exhaust"),
}


def judged(known, own, *, traces=(), limit=3):
    return recognise(Library.of(known), own, traces, limit)


def test_an_incident_like_a_past_one_was_seen_before():
    verdict = judged([entry("past"), entry("other", **OTHER)], entry("now", 1))

    assert (verdict.verdict, verdict.recognised_as, verdict.cases) == (SEEN, "past", 2)
    assert [(m.incident_id, m.verdict) for m in verdict.matches] == [
        ("past", SEEN),
        ("other", NEW),
    ]


def test_with_another_cause_it_is_similar_and_with_nothing_in_common_new():
    similar = judged([entry("past", cause_class="agent one")], entry("now", 1))
    new = judged([entry("past", cause_class="agent one", **OTHER)], entry("now", 1))

    assert (similar.verdict, similar.recognised_as) == (SIMILAR, None)
    assert (new.verdict, new.recognised_as, new.matches[0].score) == (NEW, None, 0.0)


def test_without_past_incidents_it_is_new():
    verdict = judged([], entry("now", 1))

    assert (verdict.verdict, verdict.cases, verdict.matches) == (NEW, 0, ())


def test_an_incident_does_not_match_itself_nor_what_was_taken_of_its_traces():
    versions = [entry("now"), entry("before", case={"traces": ("t1", "t2")})]
    verdict = judged(versions, entry("now", 1), traces=["t2", "t3"])

    assert (verdict.verdict, verdict.matches) == (NEW, ())


def test_only_what_began_earlier_or_came_from_elsewhere_is_past():
    later = entry("later", 7)
    imported = entry("imported", 7, case={"origin": "elsewhere"})
    verdict = judged([later, imported], entry("now", 7))

    assert [match.incident_id for match in verdict.matches] == ["imported"]


def test_matches_say_what_both_show_and_what_only_one_does():
    past = entry(
        "past",
        structure={"a > b (fails)": 1.0, "b (fails)": 1.0, "c": 1.0},
        error_codes={"timeout": 0.5, "reset": 0.5},
        metric_signature={"duration": 3},
        log_signature=("pool", "exhaust"),
    )
    own = entry(
        "now",
        1,
        structure={"a > b (fails)": 1.0, "b (fails)": 1.0, "d": 1.0},
        error_codes={"timeout": 1.0},
        cause_class=None,
        log_signature=("pool",),
    )
    [match] = judged([past], own).matches
    told = match.explanation

    assert told.paths.shared == ("a > b (fails)", "b (fails)")
    assert (told.paths.missing, told.paths.added) == (("c",), ("d",))
    assert (told.error_codes.shared, told.error_codes.missing) == (("timeout",), ("reset",))
    assert told.cause == "no named cause; the past one: tool search"
    assert (told.metrics.shared, told.metrics.missing) == ((), ("duration x8",))
    assert (told.log_keywords.shared, told.log_keywords.missing) == (("pool",), ("exhaust",))


def test_two_metrics_two_keywords_and_an_archived_cause_corroborate_a_match():
    def corroborated(past, **own):
        return judged([past], entry("now", 1, **{**STANDS_OUT, **own})).matches[0].corroborated

    assert corroborated(entry("past", **STANDS_OUT))
    assert not corroborated(entry("past", **STANDS_OUT), metric_signature={"duration": 3})
    assert not corroborated(entry("past", **STANDS_OUT), log_signature=("pool",))
    assert not corroborated(entry("past", **STANDS_OUT), error_codes={"reset": 1.0})
    assert not corroborated(entry("past", **STANDS_OUT, case={"root_cause": None}))


def test_among_very_many_cases_more_is_asked_and_more_is_shown():
    assert seen_from(0) == seen_from(10_000) == 0.8
    assert seen_from(10_000) < seen_from(20_000) < seen_from(100_000)
    many = [entry(f"{n:05}") for n in range(10_001)]

    assert len(judged(many, entry("now", 1), limit=1).matches) == 5
    assert len(judged(many[:100], entry("now", 1), limit=1).matches) == 1


@given(libraries, entries)
def test_a_verdict_is_that_of_its_best_match(known, own):
    verdict = judged(known, own)
    ranked = [(-match.score, match.incident_id) for match in verdict.matches]

    assert verdict.verdict == (verdict.matches[0].verdict if ranked else NEW)
    assert ranked == sorted(ranked)
    assert own.case.incident_id not in {name for _, name in ranked}
