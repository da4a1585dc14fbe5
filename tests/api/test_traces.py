"""Traces by filter, one as a waterfall, and cohorts held against each other, on planted data."""

import pyarrow as pa
import pytest

from graphmind.archive.port import Selection
from graphmind.archive.queries import Wanted
from graphmind.jobs.reading.compare import compare

TRACES = "/api/v1/traces"
MS_NS = 1_000_000


@pytest.fixture(scope="module")
def facts(stores):
    return stores.archive.facts(Selection())


@pytest.fixture(scope="module")
def rows(facts):
    """Traces, newest first."""
    found = facts.traces.to_pylist()
    return sorted(found, key=lambda row: (-row["start_ns"], row["trace_id"]))


@pytest.fixture(scope="module")
def touched(facts):
    """Ids of the traces that touch each item."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in facts.items.to_pylist():
        found.setdefault((row["kind"], row["name"]), set()).add(row["trace_id"])
    return found


def read(client, **params):
    answer = client.get(TRACES, params={"limit": 500, **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page):
    return [row["trace_id"] for row in page["items"]]


def everything(client, **params):
    found, page = [], read(client, **params)
    found += ids(page)
    while page["next_cursor"]:
        page = read(client, **params, cursor=page["next_cursor"])
        found += ids(page)
    return found


def test_traces_are_listed_newest_first_each_once(client, rows):
    assert everything(client) == [row["trace_id"] for row in rows]


def test_each_filter_is_what_the_facts_say(client, rows, facts, touched):
    shown = {row["trace_id"] for row in facts.symptoms.to_pylist() if row["channel"]}
    loops = {row["trace_id"] for row in facts.symptoms.to_pylist() if row["kind"] == "loop"}
    task, middle = rows[0]["task"], rows[300]["start_ns"] // MS_NS + 1
    region = next(name for kind, name in touched if kind == "region")

    assert set(everything(client, failing=True)) == shown
    assert set(everything(client, symptom="loop")) == loops
    assert set(everything(client, task=task)) == {
        row["trace_id"] for row in rows if row["task"] == task
    }
    assert set(everything(client, outcome="ok")) == {
        row["trace_id"] for row in rows if row["outcome"] == "ok"
    }
    assert set(everything(client, region=region)) == touched["region", region]
    later = {row["trace_id"] for row in rows if row["start_ns"] >= middle * MS_NS}
    assert set(everything(client, since_ms=middle)) == later
    assert set(everything(client, until_ms=middle)) == {row["trace_id"] for row in rows} - later
    assert set(everything(client, as_of_ms=middle - 1)) == set(everything(client, until_ms=middle))


def test_items_of_a_filter_are_touched_by_the_same_trace(client, touched):
    region = next(name for kind, name in touched if kind == "region")
    both = touched["region", region] & touched["agent", "partner-router"]

    assert set(everything(client, region=region, agent="partner-router")) == both


def test_traces_of_an_incident_are_listed(client, stores):
    [incident, _] = stores.archive.incidents()

    assert set(everything(client, incident_id=incident["incident_id"])) == {*incident["trace_ids"]}
    answer = client.get(TRACES, params={"incident_id": "inc-none"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("params", "location"),
    [
        ({"symptom": "sad"}, "query.symptom"),
        ({"outcome": "good"}, "query.outcome"),
        ({"limit": 0}, "query.limit"),
        ({"cursor": "x"}, "query.cursor"),
        ({"colour": "red"}, "query.colour"),
        ({"since_ms": 2**63}, "query.since_ms"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(client, params, location):
    answer = client.get(TRACES, params=params)

    assert answer.status_code == 422
    assert [error["location"] for error in answer.json()["errors"]] == [location]


@pytest.fixture(scope="module")
def trace(client, stores):
    """The best example of the first incident in full, and its stored spans."""
    chosen = stores.archive.incidents()[0]["examples"][0]
    return client.get(f"{TRACES}/{chosen}").json()


def test_a_waterfall_has_every_span_below_its_parent(trace, stores, rows):
    spans = stores.archive.spans(Selection(trace_ids=pa.array([trace["trace_id"]]))).to_pylist()
    place = {span["span_id"]: number for number, span in enumerate(trace["spans"])}

    assert place.keys() == {span["span_id"] for span in spans}
    assert trace["hidden_spans"] == 0
    for span in trace["spans"]:
        if span["parent_id"] in place:
            parent = trace["spans"][place[span["parent_id"]]]
            assert place[span["parent_id"]] < place[span["span_id"]]
            assert span["depth"] == parent["depth"] + 1
    [fault] = [span["span_id"] for span in trace["spans"] if span["is_fault"]]
    assert fault == next(r for r in rows if r["trace_id"] == trace["trace_id"])["fault_span_id"]


def test_what_a_trace_touched_has_its_lift(trace, facts, touched, rows, stores):
    shown = {row["trace_id"] for row in facts.symptoms.to_pylist() if row["channel"]}
    own = next(row["start_ns"] for row in rows if row["trace_id"] == trace["trace_id"])
    hour = {r["trace_id"] for r in rows if abs(r["start_ns"] - own) <= 1_800_000_000_000}
    tool = next(i for i in trace["items"] if (i["kind"], i["name"]) == ("tool", "stock_level"))
    touching = touched["tool", "stock_level"] & hour

    assert (tool["traces"], tool["failing"]) == (len(touching), len(touching & shown))
    usual = len(hour & shown) / len(hour)
    assert tool["lift"] == pytest.approx(len(touching & shown) / len(touching) / usual, rel=0.02)
    lifts = [item["lift"] for item in trace["items"]]
    assert lifts == sorted(lifts, reverse=True)
    assert trace["incident_ids"] == [stores.archive.incidents()[0]["incident_id"]]


@pytest.mark.parametrize("trace_id", ["none", "%00", "a b", "x" * 5000])
def test_an_unknown_trace_is_not_found(client, trace_id):
    assert client.get(f"{TRACES}/{trace_id}").status_code == 404


def compared(client, **body):
    answer = client.post("/api/v1/compare", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("number", [0, 1])
def test_what_separates_an_incident_from_the_rest_is_its_planted_cause(client, stores, number):
    incident = stores.archive.incidents()[number]
    [planted] = incident["causes"][0]["all_of"]

    found = compared(client, a={"filter": {"incident_id": incident["incident_id"]}})
    first = found["separating"][0]

    assert (first["kind"], first["name"]) == (planted["kind"], planted["name"])
    assert first["is_cause"]
    assert found["a_traces"] == len(incident["trace_ids"])
    assert first["risk_ratio_low"] > 1
    assert first["risk_ratio_low"] < first["risk_ratio"] < first["risk_ratio_high"]
    assert first["q_value"] < 0.01


def test_counts_of_a_comparison_are_those_of_the_facts(client, touched, rows):
    one, two = (
        {row["trace_id"] for row in rows if row["trace_id"] in touched["region", region]}
        for region in ("eu-west-1", "us-east-1")
    )
    found = compared(
        client, a={"filter": {"region": "eu-west-1"}}, b={"trace_ids": [*sorted(two), "nobody"]}
    )
    item = next(i for i in found["separating"] if i["name"] == "eu-west-1")

    assert (found["a_traces"], found["b_traces"]) == (len(one), len(two - one))
    assert (found["overlap"], found["unknown"]) == (len(one & two), 1)
    assert (item["a_with"], item["a_total"]) == (len(one), len(one))
    assert item["b_with"] == len(touched["region", "eu-west-1"] & (two - one))


def test_a_part_of_large_cohorts_tells_of_all_of_their_traces(stores, settings):
    incident = stores.archive.incidents()[0]
    own = Wanted(trace_ids=pa.array(incident["trace_ids"], pa.string()))

    whole = compare(stores.archive, settings, own, None)
    a_traces, b_traces = round(whole.a_traces), round(whole.b_traces)
    halves = compare(stores.archive, settings, own, None, read_max=(a_traces // 2, b_traces // 2))
    fewer = compare(stores.archive, settings, own, None, read_max=(a_traces, b_traces // 2))
    surest, again = whole.separating[0], fewer.separating[0]

    for part in (halves, fewer):
        assert (part.a_traces, part.b_traces) == (whole.a_traces, whole.b_traces)
    assert (again["kind"], again["name"]) == (surest["kind"], surest["name"])
    assert (again["a_with"], again["a_total"]) == (surest["a_with"], surest["a_total"])
    assert again["b_total"] == pytest.approx(surest["b_total"])
    assert again["b_share"] == pytest.approx(surest["b_share"], abs=0.1)


def test_two_halves_of_the_healthy_differ_in_nothing(client, rows):
    """Split by a hash of the id, which nothing depends on."""
    healthy = [row["trace_id"] for row in rows if row["outcome"] == "ok"]
    even = [each for each in healthy if int(each[-4:], 16) % 2]
    odd = sorted({*healthy} - {*even})

    found = compared(client, a={"trace_ids": even}, b={"trace_ids": odd})

    assert found["separating"] == []
    assert found["tested"] > 20


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.a"),
        ({"a": {}}, "body.a"),
        ({"a": {"trace_ids": ["a"], "filter": {}}}, "body.a"),
        ({"a": {"trace_ids": []}}, "body.a.trace_ids"),
        ({"a": {"filter": {"outcome": "good"}}}, "body.a.filter.outcome"),
    ],
)
def test_cohorts_that_do_not_fit_are_refused(client, body, location):
    answer = client.post("/api/v1/compare", json=body)

    assert answer.status_code == 422
    assert [error["location"] for error in answer.json()["errors"]] == [location]


def test_a_cohort_without_traces_is_refused_with_advice(client):
    answer = client.post("/api/v1/compare", json={"a": {"filter": {"task": "none such"}}})

    assert answer.status_code == 400
    assert "wider filter" in answer.json()["detail"]


def test_root_cause_takes_a_filter(client, stores):
    incident = stores.archive.incidents()[0]
    own = {"trace_ids": incident["trace_ids"]}
    filtered = {"filter": {"incident_id": incident["incident_id"]}}

    by_ids, by_filter = (client.post("/api/v1/root-cause", json=b).json() for b in (own, filtered))
    assert by_filter == by_ids
    assert by_ids["findings"][0]["causes"][0]["all_of"] == incident["causes"][0]["all_of"]
