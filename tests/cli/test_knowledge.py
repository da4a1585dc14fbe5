"""An incident beside what is known, as a user asks for it."""

import json

import pytest

from tests.cli.running import graphmind

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two windows of one platform an hour apart, with the same kind of incident in both."""
    folder = tmp_path_factory.mktemp("two")
    for seed in (11, 12):
        words = ("--seed", seed, "--traces", 800, "--incidents", 1, "--kind", "region_down")
        assert graphmind("simulate", folder / str(seed), *words).code == 0
        spans = folder / str(seed) / "spans.jsonl"
        answer = graphmind("analyze", spans, "--data-dir", folder / "store")
        assert answer.code == 0, answer.err
    return folder / "store"


@pytest.fixture(scope="module")
def incident(store):
    listed = graphmind("incidents", "--json", "--data-dir", store).json["incidents"]
    return max(listed, key=lambda each: len(each["trace_ids"]))


def test_an_incident_is_set_beside_the_past_ones(store, incident):
    answer = graphmind("similar", incident["incident_id"], "--data-dir", store, "--json")

    assert answer.json["verdict"]["verdict"] in ("seen before", "similar", "new")
    assert answer.json["fingerprint"]["cause_class"] == "region"
    words = graphmind("similar", incident["incident_id"], "--data-dir", store)
    assert words.out.startswith(answer.json["verdict"]["verdict"])


def test_a_confirmed_class_is_what_is_said_of_the_incident_from_then_on(store, incident):
    name = incident["incident_id"]
    words = ("confirm", name, "region_route_lost", "--by", "kim", "--data-dir", store)
    assert graphmind(*words).code == 0

    answer = graphmind("classify", name, "--data-dir", store, "--json").json
    assert answer["verdict"]["root_cause"] == "region_route_lost"
    assert answer["verdict"]["cluster_id"] == incident["cluster_id"]
    assert "region_route_lost" in graphmind("classify", name, "--data-dir", store).out


def test_a_class_that_is_no_name_is_refused(store, incident):
    words = ("confirm", incident["incident_id"], "Region Lost!", "--data-dir", store)
    answer = graphmind(*words)

    assert answer.code == 2
    assert "lower case" in answer.err


def test_the_least_usual_traces_are_listed_first(store):
    answer = graphmind("anomalies", "--limit", 5, "--data-dir", store, "--json").json
    scores = [row["anomaly_score"] for row in answer["anomalies"]]

    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert {*answer["anomalies"][0]} == {
        *("trace_id", "matched_cluster_id", "anomaly_score", "root_span", "suggested_action")
    }


def test_a_library_is_carried_to_another_data_folder(store, tmp_path):
    file = tmp_path / "library.jsonl"
    entries = graphmind("library", "export", file, "--data-dir", store, "--json").json["entries"]
    words = ("library", "import", file, "--data-dir", tmp_path / "other", "--json")

    assert entries > 0
    assert graphmind(*words).json == {"new": entries, "replaced": 0, "kept": 0}
    assert graphmind(*words).json == {"new": 0, "replaced": 0, "kept": entries}


def test_a_file_that_is_no_library_is_refused_and_nothing_of_it_is_kept(store, tmp_path):
    file = tmp_path / "library.jsonl"
    file.write_text(json.dumps({"format": "something else"}) + "\n")
    answer = graphmind("library", "import", file, "--data-dir", tmp_path / "other")

    assert answer.code == 3
    assert "line 1" in answer.err


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    words = ("library", "import", tmp_path / "none.jsonl", "--data-dir", tmp_path / "store")
    answer = graphmind(*words)

    assert answer.code == 3
    assert "cannot be opened" in answer.err


@pytest.mark.parametrize("command", ["similar", "classify"])
def test_an_unknown_incident_is_said_to_be_unknown(store, command):
    answer = graphmind(command, "inc-none", "--data-dir", store)

    assert answer.code == 5
    assert "no incident inc-none" in answer.err


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("poisoned")
    words = ("--seed", 3, "--traces", 1500, "--incidents", 1, "--kind", "kv_key_poisoned")
    assert graphmind("simulate", folder, *words).code == 0
    answer = graphmind("analyze", folder / "spans.jsonl", "--data-dir", folder / "store", "--json")
    return folder / "store", answer.json["incidents"][0]


def test_the_lineage_of_a_poisoned_key_says_who_is_infected_and_what_to_close(poisoned):
    store, incident = poisoned
    words = ("lineage", incident["incident_id"], "--data-dir", store)
    answer = graphmind(*words, "--json").json

    assert incident["causes"][0]["kind"] == "kv_key"
    assert answer["basis"] == "cause"
    assert answer["counts"]["harmed"] >= 0.8 * len(incident["trace_ids"])
    assert answer["command"]["repair_path"][0].startswith("quarantine_key:")
    assert graphmind(*words).out.startswith(f"lineage of incident {incident['incident_id']}")


def test_the_readers_of_a_poisoned_key_are_joined_to_its_writers_in_the_graph(poisoned):
    store, incident = poisoned
    words = ("--param", f"incident_id={incident['incident_id']}", "--data-dir", store, "--json")

    assert graphmind("ask", "patient_zero", *words).json[0]["failing"] > 0


@pytest.mark.parametrize("words", [(), ("inc-1", "--key", "k")], ids=["none", "two"])
def test_a_lineage_is_of_exactly_one_thing(words, tmp_path):
    answer = graphmind("lineage", *words, "--data-dir", tmp_path)

    assert answer.code == 2
    assert "name one of" in answer.err


def test_a_trace_is_diagnosed_and_so_is_its_task(store, incident):
    trace_id = incident["examples"][0]
    found = graphmind("diagnose", "--trace", trace_id, "--data-dir", store, "--json").json
    assert found["incident"]["incident_id"] == incident["incident_id"]
    words = graphmind("diagnose", "--trace", trace_id, "--data-dir", store)
    assert words.code == 0, words.err
    assert found["root_span"]["path"].rpartition(" > ")[2] in words.out
    assert incident["command"]["repair_path"][0] in words.out
    assert "not found: logs" in words.out

    answer = graphmind("diagnose", "--task", found["task_id"], "--data-dir", store, "--json")
    assert answer.json["task_id"] == found["task_id"]


def test_a_diagnosis_is_of_a_task_or_of_a_trace(store):
    assert graphmind("diagnose", "--data-dir", store).code == 2
    assert graphmind("diagnose", "--task", "a", "--trace", "b", "--data-dir", store).code == 2
    answer = graphmind("diagnose", "--task", "nothing", "--data-dir", store)
    assert answer.code == 5
    assert "nothing" in answer.err
