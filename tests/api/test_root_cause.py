import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from graphmind.archive.port import Selection

PATH = "/api/v1/root-cause"


@pytest.fixture(scope="module")
def explained(client):
    def explain(trace_ids):
        answer = client.post(PATH, json={"trace_ids": list(trace_ids)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return explain


@pytest.fixture(scope="module")
def all_ids(stores):
    return stores.archive.facts(Selection()).traces["trace_id"].to_pylist()


def test_the_traces_of_an_incident_share_its_cause(explained, stores):
    for incident in stores.archive.incidents():
        found = explained(incident["trace_ids"])

        assert [f["causes"][0]["all_of"] for f in found["findings"]] == [
            incident["causes"][0]["all_of"]
        ]
        assert found["findings"][0]["symptom"] == incident["symptom"]
        assert found["window"]["failing"] == len(incident["trace_ids"])


def test_traces_that_look_healthy_are_taken_as_failing_if_they_share_something(
    explained, stores, all_ids
):
    facts = stores.archive.facts(Selection())
    sick = set(facts.symptoms["trace_id"].to_pylist())
    touching = {
        row["trace_id"]
        for row in facts.items.to_pylist()
        if (row["kind"], row["name"]) == ("region", "eu-west-1")
    }
    given_ids = sorted(touching - sick)

    found = explained(given_ids)

    assert len(given_ids) > 20
    assert {"kind": "region", "name": "eu-west-1"} in found["findings"][0]["causes"][0]["all_of"]
    assert found["findings"][0]["symptom"] == "error"


def test_traces_that_share_nothing_are_unexplained(explained, all_ids):
    few = all_ids[::151]

    found = explained(few)

    assert (found["findings"], found["unexplained"]) == ([], sorted(few))


def test_unknown_ids_are_reported_beside_the_answer(explained, stores):
    ids = stores.archive.incidents()[0]["trace_ids"]

    found = explained([*ids, "zz", "é", "zz"])

    assert found["unknown"] == ["zz", "é"]
    assert found == explained(ids) | {"unknown": ["zz", "é"]}


def test_only_unknown_ids_give_an_empty_window(explained, empty):
    counts = dict.fromkeys(("traces", "read", "failing", "incomplete"), 0)
    nothing = {
        "window": {"from_ms": None, "until_ms": None, **counts},
        "findings": [],
        "unexplained": [],
        "unknown": ["a", "b"],
    }

    assert explained(["b", "a"]) == nothing
    assert empty.post(PATH, json={"trace_ids": ["b", "a"]}).json() == nothing


def test_all_traces_failing_leaves_nothing_to_compare_with(explained, all_ids):
    assert explained(all_ids)["unexplained"] == sorted(all_ids)


@examples(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_id_given_is_in_one_finding_unexplained_or_unknown(explained, all_ids, data):
    known = data.draw(st.lists(st.sampled_from(all_ids), max_size=60))
    given_ids = [*known, *data.draw(st.lists(st.text("xyz", min_size=1), min_size=1, max_size=3))]

    found = explained(given_ids)
    reported = [trace_id for f in found["findings"] for trace_id in f["trace_ids"]]
    reported += found["unexplained"] + found["unknown"]

    assert sorted(reported) == sorted(set(given_ids))
    assert explained(reversed(given_ids)) == found


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"trace_ids": []}, "body.trace_ids"),
        ({"trace_ids": ["a"] * 100_001}, "body.trace_ids"),
        ({"trace_ids": "a"}, "body.trace_ids"),
        ({"trace_ids": [""]}, "body.trace_ids.0"),
        ({"trace_ids": ["a", 1]}, "body.trace_ids.1"),
        ({"trace_ids": ["x" * 257]}, "body.trace_ids.0"),
        ({}, "body"),
        ({"trace_ids": ["a"], "filter": {}}, "body"),
        ({"filter": {"symptom": "sad"}}, "body.filter.symptom"),
        ([], "body"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(client, body, location):
    answer = client.post(PATH, json=body)

    assert answer.status_code == 422
    assert [error["location"] for error in answer.json()["errors"]] == [location]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 422),
        (b'{"trace_ids": ["a"]}', "text/plain", 422),
        (b'{"trace_ids": ["\\ud800"]}', "application/json", 422),
        (b"\xff\xfe\xfd", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
    ],
)
def test_a_body_that_is_not_json_is_refused(client, content, kind, status):
    answer = client.post(PATH, content=content, headers={"content-type": kind})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
