"""Drift, failing paths and roll-back advice over HTTP, beside what the jobs say."""

import pytest

from graphmind.jobs.drift import drift
from graphmind.jobs.paths import frequent_failing_paths
from graphmind.jobs.rollback_advice import rollback_advice


def read(client, path, **params):
    answer = client.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def time(stores):
    first, last = stores.archive.first_start(), stores.archive.queries.last_start()
    return {"since_ms": first // 1_000_000, "until_ms": last // 1_000_000 + 1}


def test_agents_are_told_as_the_job_tells_them(client, stores, time):
    until_ms = time["until_ms"]
    found = read(client, "drift", until_ms=until_ms, hours=0.5)["items"]

    assert found == drift(stores.archive, until_ms=until_ms, hours=0.5)
    assert len(found) > 3


def test_an_agent_tells_its_drift_and_the_list_measures_none(client, time):
    hours = (time["until_ms"] - time["since_ms"]) / 3_600_000
    row = read(client, "drift", until_ms=time["until_ms"], hours=hours)["items"][0]
    agents = read(client, "agents", limit=500, **time)["items"]
    told = read(client, f"agents/{row['group']}", **time)["drift"]

    assert {each["drift"] for each in agents} == {None}
    assert told == {
        "score": row["score"],
        "duration_shift": row["response_shift"],
        "branch_shift": row["branch_shift"],
    }


def test_paths_are_told_with_their_time(client, stores, time):
    found = read(client, "paths", **time, limit=5)

    assert found["items"] == frequent_failing_paths(stores.archive, **time, limit=5)
    assert 1 <= len(found["items"]) <= 5
    assert (found["since_ms"], found["until_ms"]) == (time["since_ms"], time["until_ms"])


def test_advice_is_told_for_a_model(client, stores):
    name = read(client, "model-versions", since_ms=0)["items"][0]["name"]
    found = read(client, "rollback-advice", model=name)

    assert found == rollback_advice(stores.archive, name)
    assert name.startswith(found["model"])


def test_a_model_that_nobody_used_is_told(client):
    assert client.get("/api/v1/rollback-advice", params={"model": "none"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "params"),
    [("drift", {"hours": 0}), ("drift", {"until_ms": -1}), ("paths", {"limit": 0})],
)
def test_what_does_not_fit_is_refused(client, path, params):
    assert client.get(f"/api/v1/{path}", params=params).status_code == 422


def test_an_empty_archive_has_neither(empty):
    assert read(empty, "drift") == {"items": []}
    assert read(empty, "paths")["items"] == []
