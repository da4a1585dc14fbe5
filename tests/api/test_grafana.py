import pytest

from graphmind.archive.port import Selection

GRAFANA = "/api/v1/grafana"
EMPTY_HANDED = (
    *("incident/causes", "incident/states", "incident/traces", "incident/nodes"),
    *("incident/edges", "diagnosis/timeline", "diagnosis/metrics"),
)


def window(stores) -> dict[str, int]:
    """A stretch that holds all traces."""
    starts = stores.archive.facts(Selection()).traces["start_ns"].to_pylist()
    return {"from": starts[0] // 1_000_000, "to": starts[-1] // 1_000_000 + 1}


@pytest.mark.parametrize("path", EMPTY_HANDED)
def test_without_something_chosen_a_panel_is_empty(client, path):
    assert client.get(f"{GRAFANA}/{path}").json() == []


@pytest.mark.parametrize("path", ["incident/causes", "incident/nodes", "diagnosis/codes"])
def test_an_incident_that_is_not_known_is_told(client, path):
    answer = client.get(f"{GRAFANA}/{path}", params={"incident": "inc-none"})

    assert answer.status_code == 404
    assert "inc-none" in answer.json()["detail"]


def test_a_time_that_ends_before_it_begins_is_refused(client):
    answer = client.get(f"{GRAFANA}/pace", params={"from": 2_000, "to": 1_000})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"location": "query.from", "detail": "expected `from` before `to`, got 2000 and 1000"}
    ]


@pytest.mark.parametrize(
    "asked",
    [{"kind": "planet"}, {"kind": "agent", "step": -1}, {"kind": "agent", "from": 2**63}, {}],
)
def test_what_does_not_fit_is_refused(client, asked):
    assert client.get(f"{GRAFANA}/groups", params=asked).status_code == 422


def test_the_last_hour_of_old_traces_is_empty(client):
    assert client.get(f"{GRAFANA}/pace").json() == []
    assert client.get(f"{GRAFANA}/heat").json() == []


def test_all_traces_of_the_archive_are_in_a_window_that_holds_them(client, stores):
    asked = window(stores)

    pace = client.get(f"{GRAFANA}/pace", params=asked).json()
    coarse = client.get(f"{GRAFANA}/pace", params={**asked, "step": 1_200_000}).json()

    traces = stores.archive.counts()["traces"]
    assert sum(row["traces"] for row in pace) == traces
    assert sum(row["traces"] for row in coarse) == traces
    assert {row["time"] % 60_000 for row in pace} == {0}
    assert {row["time"] % 1_200_000 for row in coarse} == {0}
    assert len(pace) <= 240


def test_incidents_come_newest_first_and_only_in_their_time(client, stores):
    asked = window(stores)

    rows = client.get(f"{GRAFANA}/incidents", params=asked).json()
    before = {"from": asked["from"] - 7_200_000, "to": asked["from"] - 3_600_000}

    onsets = [row["onset"] for row in rows]
    assert {row["incident_id"] for row in rows} == {
        each["incident_id"] for each in stores.archive.incidents()
    }
    assert onsets == sorted(onsets, reverse=True)
    assert client.get(f"{GRAFANA}/incidents", params=before).json() == []
    assert client.get(f"{GRAFANA}/clusters", params=before).json() == []


def test_a_graph_keeps_to_its_limit_and_says_what_it_hides(client, stores):
    incident = stores.archive.incidents()[0]["incident_id"]

    def asked(part: str, nodes_max: int):
        params = {"incident": incident, "nodes_max": nodes_max}
        return client.get(f"{GRAFANA}/incident/{part}", params=params).json()

    (few,), (many,) = asked("hidden", 20), asked("hidden", 1_500)
    assert len(asked("nodes", 20)) == few["nodes"] <= 20
    assert len(asked("nodes", 1_500)) == many["nodes"] <= 1_500
    assert few["nodes"] + few["hidden_nodes"] == many["nodes"] + many["hidden_nodes"]
    refused = client.get(
        f"{GRAFANA}/incident/nodes", params={"incident": incident, "nodes_max": 1_501}
    )
    assert refused.status_code == 422


def test_traces_of_an_incident_are_its_own_newest_first(client, stores):
    incident = stores.archive.incidents()[0]

    rows = client.get(
        f"{GRAFANA}/incident/traces", params={"incident": incident["incident_id"]}
    ).json()

    assert {row["trace_id"] for row in rows} == set(incident["trace_ids"])
    times = [row["time"] for row in rows]
    assert times == sorted(times, reverse=True)


def test_the_timeline_of_a_trace_has_its_spans(client, stores):
    trace_id = stores.archive.incidents()[0]["trace_ids"][0]

    rows = client.get(f"{GRAFANA}/diagnosis/timeline", params={"trace": trace_id}).json()

    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert rows[0]["depth"] == 0


def test_error_codes_come_by_frequency_and_add_up(client, stores):
    asked = window(stores)
    traces = stores.archive.facts(Selection()).traces.to_pylist()
    coded = [t for t in traces if t["error_code"] and t["outcome"] not in ("ok", "incomplete")]

    rows = client.get(f"{GRAFANA}/diagnosis/codes", params=asked).json()

    counts = [row["failing"] for row in rows]
    assert coded
    assert sum(counts) == len(coded)
    assert counts == sorted(counts, reverse=True)
