"""The parts of planted incidents, each held to what the archive's facts say."""

import re
from itertools import pairwise

import pytest

from graphmind.archive.port import Selection
from graphmind.jobs.reading.critical_path import STEPS_MAX

MS_NS = 1_000_000


@pytest.fixture(scope="module", params=[0, 1])
def incident(request, stores):
    return stores.archive.incidents()[request.param]


@pytest.fixture(scope="module")
def facts(stores):
    return stores.archive.facts(Selection())


@pytest.fixture(scope="module")
def starts(facts):
    traces = facts.traces
    return dict(zip(traces["trace_id"].to_pylist(), traces["start_ns"].to_pylist(), strict=True))


@pytest.fixture
def part(client, incident):
    def read(name, **params):
        answer = client.get(f"/api/v1/incidents/{incident['incident_id']}/{name}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return read


def touching(facts, cause):
    """Ids of the traces that touch all that a cause names."""
    items = facts.items.to_pylist()
    found = [
        {row["trace_id"] for row in items if (row["kind"], row["name"]) == (i["kind"], i["name"])}
        for i in cause["all_of"]
    ]
    return set.intersection(*found)


def test_traces_are_listed_oldest_first_page_by_page(part, incident, starts):
    first = part("traces", limit=30)
    rest = part("traces", limit=30, cursor=first["next_cursor"])
    listed = [row["trace_id"] for row in [*first["items"], *rest["items"]]]

    assert listed == sorted(incident["trace_ids"], key=lambda each: (starts[each], each))
    assert rest["next_cursor"] is None
    assert {row["root_module"] for row in first["items"]} >= {incident["root_module"]}
    assert all(incident["symptom"] in row["symptoms"] for row in first["items"])


def test_explained_are_those_that_touch_what_a_cause_names(part, incident, facts):
    own = set(incident["trace_ids"])
    known = touching(facts, incident["causes"][0]) & own

    def listed(**params):
        return {row["trace_id"] for row in part("traces", limit=500, **params)["items"]}

    assert listed(explained=True) == listed(explained=True, cause=1) == known
    assert listed(explained=False) == own - known
    assert part("causes")["items"][0]["unexplained_traces"] == len(own - known)


def test_a_rank_that_no_cause_has_is_not_found(client, incident):
    path = f"/api/v1/incidents/{incident['incident_id']}/traces"
    assert client.get(path, params={"cause": 9}).status_code == 404


def test_causes_have_shares_and_say_why_rivals_lost(part, incident):
    [shown], [cause] = part("causes")["items"], incident["causes"]

    assert shown["failed_share"] == pytest.approx(
        cause["failed_with"] / cause["failed_total"], abs=1e-4
    )
    assert shown["passed_share"] == pytest.approx(
        cause["passed_with"] / cause["passed_total"], abs=1e-4
    )
    assert shown["risk_ratio_low"] < shown["risk_ratio"] < shown["risk_ratio_high"]
    assert [rival["nats_behind"] for rival in shown["rivals"]] == [
        rival["nats_behind"] for rival in cause["rivals"]
    ]
    assert all(
        "taken out" in r["why_lost"] or "less well" in r["why_lost"] for r in shown["rivals"]
    )


def test_evidence_sets_a_failing_trace_beside_a_healthy_one_of_its_task(part, incident, facts):
    found = part("evidence")
    rows = {row["trace_id"]: row for row in facts.traces.to_pylist()}
    failing, healthy = (
        rows[found["example"][name]] for name in ("failing_trace_id", "healthy_trace_id")
    )

    assert failing["trace_id"] == incident["examples"][0]
    assert (healthy["outcome"], healthy["task"]) == ("ok", failing["task"])
    assert [step["span_id"] for step in found["critical_path"] if step["is_root"]] == [
        failing["fault_span_id"]
    ]
    assert len(found["critical_path"]) <= STEPS_MAX + 1
    spent = sum(step["self_ms"] for step in found["critical_path"])
    assert spent == pytest.approx(failing["duration_ns"] / MS_NS, rel=0.02)
    assert any(step["healthy_self_ms"] is not None for step in found["critical_path"])


def test_the_counts_behind_a_cause_add_up(part, incident):
    [counts], [cause] = part("evidence")["contingency"], incident["causes"]

    assert counts["failed_with"] + counts["failed_without"] == cause["failed_total"]
    assert counts["passed_with"] + counts["passed_without"] == cause["passed_total"]


def test_the_timeline_counts_every_failing_trace_once(part, incident, starts):
    found = part("timeline")
    own = [starts[each] // MS_NS for each in incident["trace_ids"]]

    assert sum(point["failing"] for point in found["points"]) == len(own)
    assert all(point["failing"] <= point["traces"] for point in found["points"])
    steps = [b["at_ms"] - a["at_ms"] for a, b in pairwise(found["points"])]
    assert set(steps) == {found["step_ms"]}
    assert found["onset_low_ms"] <= found["onset_ms"] <= found["onset_high_ms"]
    assert found["onset_high_ms"] == sorted(own)[1]


def test_exposure_tells_healthy_ones_apart(part, incident, facts, starts):
    found = part("exposure")
    shown = {row["trace_id"] for row in facts.symptoms.to_pylist() if row["channel"]}
    onset_ns = incident["onset_ms"] * MS_NS
    exposed = {t for t in touching(facts, incident["causes"][0]) if starts[t] >= onset_ns}

    assert (found["traces"], found["failing"]) == (len(exposed), len(exposed & shown))
    assert found["still_healthy"] == len(exposed - shown)
    regions = {
        row["name"]
        for row in facts.items.to_pylist()
        if row["kind"] == "region" and row["trace_id"] in exposed
    }
    assert found["regions"] == sorted(regions)


def test_lineage_is_a_graph_whose_edges_go_to_the_next_layer(part):
    found = part("lineage")
    layers = {node["id"]: node["layer"] for node in found["nodes"]}

    assert found["nodes"]
    assert all(layers[e["source"]] is not None and e["target"] in layers for e in found["edges"])
    assert {node["kind"] for node in found["nodes"]} <= {"trace", "kv_key"}
    assert found["quarantine"]["action"] == "multi_trace_repair"


def test_what_it_resembles_is_what_the_analysis_said(part, incident):
    found = part("similar")

    assert found["verdict"] == incident["seen"]["verdict"]
    assert [m["incident_id"] for m in found["matches"]] == [
        m["incident_id"] for m in incident["seen"]["matches"]
    ]
    assert found["worked"] is None


@pytest.mark.parametrize(
    "name", ["traces", "causes", "evidence", "topology", "timeline", "similar", "exposure"]
)
def test_every_part_carries_a_question_that_the_graph_answers(part, name, stores):
    query = part(name)["query"]

    rows = stores.graph.explore(query["cypher"], query["parameters"], row_limit=5, timeout_s=5)
    assert rows == stores.graph.read(query["question"], **query["parameters"])[:5]
    assert query["browser_url"] is None


def test_before_it_was_opened_an_incident_is_not_there(client, incident):
    path = f"/api/v1/incidents/{incident['incident_id']}"
    before = {"as_of_ms": incident["opened_ms"] - 1}

    assert client.get(path, params=before).status_code == 404
    listed = client.get("/api/v1/incidents", params=before).json()["items"]
    assert incident["incident_id"] not in [each["incident_id"] for each in listed]


def test_as_of_a_moment_only_traces_that_had_begun_are_its(part, incident, starts):
    times = sorted(starts[each] for each in incident["trace_ids"])
    moment = times[len(times) // 2] // MS_NS
    begun = {each for each in incident["trace_ids"] if starts[each] // MS_NS <= moment}

    listed = {row["trace_id"] for row in part("traces", limit=500, as_of_ms=moment)["items"]}
    assert listed == begun
    assert part("topology", as_of_ms=moment)["nodes"][0]["traces"] == len(begun)
    assert part("timeline", as_of_ms=moment)["points"][-1]["at_ms"] <= moment
    assert part("exposure", as_of_ms=moment)["last_ms"] <= moment


def test_a_sentence_says_how_many_since_when_what_and_how_sure(client, incident):
    told = client.get(f"/api/v1/incidents/{incident['incident_id']}").json()["sentence"]

    assert re.fullmatch(r"\d+ traces since \d\d \w{3} \d\d:\d\d UTC - .+ in \w+ - \d+ % sure", told)
    assert told.startswith(f"{len(incident['trace_ids'])} traces")


@pytest.mark.parametrize(("name", "value"), [("state", "open"), ("q", "STOCK_level")])
def test_incidents_are_filtered_by_state_and_words(client, name, value):
    def listed(wanted):
        found = client.get("/api/v1/incidents", params={name: wanted}).json()["items"]
        return {each["incident_id"] for each in found}

    assert listed(value)
    assert all("stock_level" in each or name == "state" for each in [value.lower()])
    assert listed("nowhere to be found") == set()
