"""Health, heat map and capture on planted data, held to what the archive's facts say."""

import pytest

from graphmind.archive.port import Selection

MS_NS = 1_000_000
KINDS = {
    "agents": "agent",
    "model-versions": "model_version",
    "regions": "region",
    "kv-keys": "kv_key",
}


@pytest.fixture(scope="module")
def facts(stores):
    return stores.archive.facts(Selection())


@pytest.fixture(scope="module")
def touched(facts):
    found: dict[tuple[str, str], set[str]] = {}
    for row in facts.items.to_pylist():
        found.setdefault((row["kind"], row["name"]), set()).add(row["trace_id"])
    return found


@pytest.fixture(scope="module")
def failing(facts):
    good = ("ok", "incomplete")
    return {row["trace_id"] for row in facts.traces.to_pylist() if row["outcome"] not in good}


@pytest.fixture(scope="module")
def everything(facts):
    """A time that holds every trace."""
    starts = facts.traces["start_ns"].to_pylist()
    return {"since_ms": min(starts) // MS_NS, "until_ms": max(starts) // MS_NS + 1}


def read(client, path, **params):
    answer = client.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("collection", KINDS)
def test_things_of_a_kind_are_listed_with_most_failing_first(
    client, collection, touched, failing, everything
):
    expected = {
        name: (len(ids), len(ids & failing))
        for (kind, name), ids in touched.items()
        if kind == KINDS[collection]
    }
    items, page = [], read(client, collection, limit=3, **everything)
    items += page["items"]
    while page["next_cursor"]:
        page = read(client, collection, limit=3, cursor=page["next_cursor"], **everything)
        items += page["items"]

    assert {i["name"]: (i["traces"], i["failing"]) for i in items} == expected
    assert len(items) == len(expected)
    order = [(-i["failing"], i["name"]) for i in items]
    assert order == sorted(order)


def test_one_of_them_is_told_step_by_step(client, touched, failing, everything):
    found = read(client, "agents/partner-router", **everything)
    own = touched["agent", "partner-router"]

    assert (found["traces"], found["failing"]) == (len(own), len(own & failing))
    assert sum(point["traces"] for point in found["points"]) == len(own)
    assert sum(point["failing"] for point in found["points"]) == len(own & failing)
    assert 0 <= found["drift"]["score"] <= 1


def test_names_with_slashes_and_colons_are_found(client, touched, everything):
    name = next(name for kind, name in touched if kind == "kv_key" and ":" in name)
    found = read(client, f"kv-keys/{name}", **everything)

    assert found["name"] == name
    assert client.get("/api/v1/kv-keys/a/b/c").status_code == 404


def test_open_incidents_whose_cause_names_it_are_told(client, stores, everything):
    incident = next(
        each
        for each in stores.archive.incidents()
        if each["causes"][0]["all_of"] == [{"kind": "agent", "name": "partner-router"}]
    )
    found = read(client, "agents/partner-router", **everything)

    assert found["incidents"] == [incident["incident_id"]]
    before = read(client, "agents", as_of_ms=incident["opened_ms"] - 1, limit=500)["items"]
    assert all(item["incidents"] == [] for item in before)


def test_as_of_a_moment_later_traces_are_not_counted(client, facts, touched):
    starts = {row["trace_id"]: row["start_ns"] // MS_NS for row in facts.traces.to_pylist()}
    moment = sorted(starts.values())[200]
    page = read(client, "regions", as_of_ms=moment, since_ms=0, limit=500)

    assert {item["name"]: item["traces"] for item in page["items"]} == {
        name: count
        for (kind, name), ids in touched.items()
        if kind == "region" and (count := sum(starts[each] <= moment for each in ids))
    }
    assert all(item["last_ms"] <= moment for item in page["items"])


def test_cells_of_the_heat_map_add_up(client, facts, touched):
    found = read(client, "heatmap", minutes=10_080)
    wrong = {
        (row["trace_id"], row["module"]) for row in facts.symptoms.to_pylist() if row["channel"]
    }
    sums: dict[str, tuple[float, float]] = {}
    for cell in found["cells"]:
        traces, failing = sums.get(cell["module"], (0, 0))
        sums[cell["module"]] = (traces + cell["traces"], failing + cell["failing"])

    assert sums == {
        name: (len(ids), sum((each, name) in wrong for each in ids))
        for (kind, name), ids in touched.items()
        if kind == "module"
    }
    assert {cell["at_ms"] % found["step_ms"] for cell in found["cells"]} == {0}
    assert found["modules"][0] == max(sums, key=lambda name: sums[name][1])


def test_capture_tells_what_is_incomplete(client, facts, touched, everything):
    found = read(client, "capture", **everything)
    rows = facts.traces.to_pylist()
    complete = {row["trace_id"] for row in rows if row["complete"]}

    assert (found["traces"], found["spans"]) == (len(rows), sum(row["span_count"] for row in rows))
    assert found["complete_ratio"] == pytest.approx(len(complete) / len(rows))
    assert {a["name"]: a["complete_ratio"] for a in found["agents"]} == pytest.approx(
        {
            name: len(ids & complete) / len(ids)
            for (kind, name), ids in touched.items()
            if kind == "agent"
        }
    )
    assert all(each["sampled_share"] == 1 for each in found["modules"])


@pytest.mark.parametrize("path", [*KINDS, "heatmap", "capture", "traces"])
def test_an_empty_archive_answers(empty, path):
    assert empty.get(f"/api/v1/{path}").status_code == 200


@pytest.mark.parametrize("minutes", [0, 10_081, "all"])
def test_a_heat_map_out_of_bounds_is_refused(client, minutes):
    answer = client.get("/api/v1/heatmap", params={"minutes": minutes})

    assert [error["location"] for error in answer.json()["errors"]] == ["query.minutes"]
