"""The whole way as a user goes it: simulate, analyze, explain, ask."""

import json

import pytest

from tests.cli.running import graphmind


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    words = ("--seed", 11, "--traces", 1500, "--incidents", 1, "--kind", "region_down")
    assert graphmind("simulate", folder, *words).code == 0
    return folder


@pytest.fixture(scope="module")
def store(planted):
    return planted / "store"


@pytest.fixture(scope="module")
def found(planted, store):
    answer = graphmind("analyze", planted / "spans.jsonl", "--data-dir", store, "--json")
    assert answer.code == 0, answer.err
    return answer


def test_the_planted_cause_is_first(found, planted):
    truth = json.loads((planted / "truth.json").read_text())["incidents"][0]

    assert found.json["incidents"][0]["causes"][0]["all_of"] == truth["all_of"]


def test_the_document_has_the_agreed_names(found):
    incident = found.json["incidents"][0]
    cause = incident["causes"][0]

    assert {"window", "incidents", "unexplained", "input"} == set(found.json)
    assert {"spans", "traces", "rejected"} == set(found.json["input"])
    assert {
        *("incident_id", "title", "symptom", "root_module", "onset_ms", "trace_ids", "causes"),
        "command",
    } <= set(incident)
    assert {
        *("rank", "role", "confidence", "all_of", "tied", "risk_ratio", "risk_ratio_low"),
        *("failed_with", "failed_total", "passed_with", "passed_total", "q_value"),
    } <= set(cause)


def test_the_command_drains_the_region_at_region_level(found):
    command = found.json["incidents"][0]["command"]
    region = found.json["incidents"][0]["causes"][0]["all_of"][0]["name"]

    assert (command["action"], command["level"]) == ("multi_trace_repair", "region")
    assert command["repair_path"][0] == f"drain:{region}"


def test_a_second_run_prints_the_same_bytes(found, planted, store):
    again = graphmind("analyze", planted / "spans.jsonl", "--data-dir", store, "--json")

    assert again.out == found.out


def test_a_fresh_folder_gives_the_same_bytes(found, planted, tmp_path):
    again = graphmind("analyze", planted / "spans.jsonl", "--data-dir", tmp_path, "--json")

    assert again.out == found.out


def test_an_incident_is_listed_and_explained(found, store):
    incident = found.json["incidents"][0]

    listed = graphmind("incidents", "--data-dir", store)
    explained = graphmind("explain", incident["incident_id"], "--data-dir", store)

    assert incident["incident_id"] in listed.out
    assert "proposed command" in explained.out


def test_options_may_stand_before_the_command(found, store):
    listed = graphmind("--data-dir", store, "--json", "incidents")

    ids = [incident["incident_id"] for incident in listed.json["incidents"]]
    assert ids == sorted(incident["incident_id"] for incident in found.json["incidents"])


def test_the_graph_answers_for_the_incident(found, store):
    incident = found.json["incidents"][0]

    answer = graphmind(
        *("ask", "incident_causes", "--param", f"incident_id={incident['incident_id']}"),
        *("--data-dir", store, "--json"),
    )

    assert answer.code == 0, answer.err
    assert len(answer.json) >= 1


def test_loading_twice_changes_nothing(found, planted, store):
    again = graphmind("load", planted / "spans.jsonl", "--data-dir", store, "--json")

    assert again.json["duplicate"] == again.json["spans"] == found.json["input"]["spans"]
    assert again.json["settled"] == 0
