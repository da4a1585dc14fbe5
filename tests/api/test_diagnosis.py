"""The diagnosis of a task or a trace over HTTP."""

import pytest

from graphmind.jobs.diagnose import diagnose

PATH = "/api/v1/diagnosis"


@pytest.fixture(scope="module")
def failing(stores):
    """An incident and one of its traces."""
    incident = stores.archive.incidents()[0]
    return incident, incident["examples"][0]


def test_a_trace_is_diagnosed_with_its_incident_and_command(client, failing):
    incident, trace_id = failing
    answer = client.get(PATH, params={"trace": trace_id})

    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["trace_id"] == trace_id
    assert found["incident"]["incident_id"] == incident["incident_id"]
    assert found["recommended_action"]["repair_path"] == incident["command"]["repair_path"]
    assert found["root_span"]["role"] == "fault"
    assert found["counts"]["spans"] == len(found["timeline"])
    assert any(text.startswith("logs:") for text in found["not_found"])


def test_the_answer_is_the_diagnosis_and_nothing_is_left_out(client, stores, settings, failing):
    _, trace_id = failing
    found = diagnose(stores, settings, trace_id=trace_id)

    assert client.get(PATH, params={"trace": trace_id}).json() == found


def test_a_task_is_diagnosed_by_one_of_its_traces(client, failing):
    _, trace_id = failing
    task_id = client.get(PATH, params={"trace": trace_id}).json()["task_id"]
    found = client.get(PATH, params={"task": task_id}).json()

    assert found["task_id"] == task_id
    assert trace_id in {each["trace_id"] for each in found["attempts"]}


def test_a_healthy_trace_is_told_to_be_healthy(client, failing):
    incident, _ = failing
    found = client.get(PATH, params={"trace": incident["survivors"][0]}).json()

    assert found["incident"] is None
    assert found["recommended_action"]["action"] == "none"
    assert found["recommended_action"]["reasons"]


@pytest.mark.parametrize("params", [{}, {"task": "a", "trace": "b"}, {"task": ""}])
def test_exactly_one_id_is_asked_for(client, params):
    answer = client.get(PATH, params=params)

    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize("name", ["task", "trace"])
def test_what_nobody_knows_is_not_found(client, name):
    answer = client.get(PATH, params={name: "nobody"})

    assert answer.status_code == 404
    assert "nobody" in answer.json()["detail"]
