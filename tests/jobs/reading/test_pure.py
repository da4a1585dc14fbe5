"""Sentences, critical paths, links and steps of time: what needs no store."""

import pytest

from graphmind.jobs.reading.asked import browser_url, graph_query, jaeger_url
from graphmind.jobs.reading.critical_path import critical_path, critical_times, tree_order
from graphmind.jobs.reading.explore import plain
from graphmind.jobs.reading.fleet import page_of
from graphmind.jobs.reading.sentence import items_in_words, sentence
from graphmind.jobs.reading.timeline import STEPS_MAX, step_for
from graphmind.settings import Settings


def item(kind, name):
    return {"kind": kind, "name": name}


def test_an_incident_is_told_in_one_sentence():
    cause = {
        "all_of": [item("model_version", "atlas@3.1.7"), item("region", "ap-southeast-1")],
        "confidence": 0.931,
    }
    incident = {
        "onset_ms": 1_772_459_160_000,
        "symptom": "hang",
        "root_module": "InferenceRPC",
        "causes": [cause],
    }

    assert sentence(incident, 1_412) == (
        "1,412 traces since 02 Mar 13:46 UTC - model atlas 3.1.7 in ap-southeast-1 hangs in "
        "InferenceRPC - 93 % sure"
    )
    assert sentence(incident | {"causes": [], "root_module": None}, 1) == (
        "1 trace since 02 Mar 13:46 UTC - no shared cause found, each hangs"
    )


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([item("region", "eu")], "region eu"),
        ([item("agent", "a"), item("tool", "t")], "agent a with tool t"),
        ([item("kv_key", "k")], "key k"),
        ([item("written_by_agent", "a"), item("region", "eu")], "what agent a wrote in eu"),
        ([item("prompt_version", "p@2")], "prompt p@2"),
    ],
)
def test_items_are_named_as_people_say_them(items, words):
    assert items_in_words(items) == words


def span(name, start, end, parent=-1, **rest):
    usual = {"module": name, "agent": None, "depth": 0, "status": 0}
    return {
        "span_id": name,
        "name": name,
        "start_ns": start,
        "end_ns": end,
        "parent_row": parent,
        "self_ns": 0,
        **usual,
        **rest,
    }


SPANS = [
    span("root", 0, 100),
    span("first", 10, 40, 0),
    span("beside", 15, 60, 0),
    span("last", 60, 90, 0),
    span("deep", 65, 85, 3),
]


def test_the_critical_path_is_what_nothing_else_ran_beside():
    """90-100 and 0-10 are the root's; before 60 the longer of two that ran together counts."""
    times = {SPANS[row]["name"]: time for row, time in critical_times(SPANS).items()}

    assert times == {"root": 20, "last": 10, "deep": 20, "beside": 45, "first": 5}
    assert sum(times.values()) == 100


def test_a_span_that_has_not_ended_takes_no_time():
    assert critical_times([span("root", 0, 50), span("open", 20, None, 0)]) == {0: 50}


def test_steps_stand_beside_the_same_step_of_the_healthy_trace():
    healthy = [span("root", 0, 30), span("last", 5, 25, 0)]
    path = critical_path(SPANS, healthy, "deep")
    usual = {step["span_id"]: step["healthy_self_ms"] for step in path}

    assert [step["span_id"] for step in path] == ["root", "first", "beside", "last", "deep"]
    assert usual["root"] == pytest.approx(10e-6)
    assert usual["last"] == pytest.approx(20e-6)
    assert usual["deep"] is None
    assert [step["span_id"] for step in path if step["is_root"]] == ["deep"]


def test_children_follow_their_parent_by_start():
    assert [SPANS[row]["name"] for row in tree_order(SPANS)] == [
        *("root", "first", "beside", "last", "deep")
    ]


@pytest.mark.parametrize("length_ms", [0, 1, 90_000, 3_600_000, 86_400_000, 30 * 86_400_000])
def test_a_strip_of_time_has_few_enough_points(length_ms):
    assert length_ms / step_for(length_ms) <= STEPS_MAX


def test_links_are_given_where_addresses_are_set():
    settings = Settings(neo4j_browser="http://n:7474/browser", jaeger="http://j/")
    query = graph_query(settings, "incident_causes", incident_id="inc-'\"1")

    assert query.browser_url is not None
    assert query.browser_url.startswith("http://n:7474/browser/?cmd=edit&arg=")
    assert "%24incident_id" not in query.browser_url
    assert "%22inc-%27%5C%221%22" in query.browser_url
    assert jaeger_url(settings, "a/b") == "http://j/trace/a%2Fb"
    assert jaeger_url(Settings(), "a") is None
    assert graph_query(Settings(), "incident_causes").browser_url is None


def test_a_parameter_that_is_not_given_stays_one():
    link = browser_url(Settings(neo4j_browser="http://n"), "RETURN $a, $b", {"a": [1, None]})

    assert link == "http://n/?cmd=edit&arg=RETURN%20%5B1%2C%20null%5D%2C%20%24b"


def test_values_of_the_graph_become_json():
    assert plain({"a": (1, 2.5, None, True), 3: {"x"}}) == {"a": [1, 2.5, None, True], "3": ["x"]}
    assert plain(range(2)) == "range(0, 2)"


def test_a_place_in_a_list_of_health_is_of_the_thing():
    pairs = [("a", 0), ("b", 2.5), ("c", 2.5), ("d", 7)]
    rows = [{"name": name, "failing": failing} for name, failing in pairs]
    first, last = page_of(rows, None, 2)
    rest, end = page_of(rows, last, 2)

    assert [row["name"] for row in [*first, *rest]] == ["d", "b", "c", "a"]
    assert (last, end) == ((2_500, "b"), None)
