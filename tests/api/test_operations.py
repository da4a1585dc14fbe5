import pytest
from prometheus_client.parser import text_string_to_metric_families

from graphmind import __version__
from graphmind.settings import Settings
from graphmind.wiring import open_stores
from tests.api.conftest import client_of


def samples(client):
    """Every sample of /metrics by its name and labels."""
    text = client.get("/metrics").text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def closed(tmp_path):
    """A client of an app whose stores no longer answer."""
    settings = Settings(data_dir=tmp_path)
    with open_stores(settings) as stores:
        pass
    with client_of(stores, settings) as client:
        yield client


def test_a_running_server_is_healthy(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_the_version_is_of_the_package(client):
    assert client.get("/version").json() == {"version": __version__, "api": "v1"}


def test_open_stores_are_ready(client, empty):
    ready = {
        "ready": True,
        "checks": [
            {"name": "archive", "ready": True, "detail": ""},
            {"name": "graph", "ready": True, "detail": ""},
        ],
    }

    assert client.get("/readyz").json() == ready
    assert empty.get("/readyz").json() == ready


def test_stores_that_do_not_answer_are_not_ready_and_say_why(closed):
    answer = closed.get("/readyz")

    assert answer.status_code == 503
    assert [(c["name"], c["ready"]) for c in answer.json()["checks"]] == [
        ("archive", False),
        ("graph", False),
    ]
    assert all(check["detail"] for check in answer.json()["checks"])


@pytest.mark.parametrize("path", ["/api/v1/incidents", "/metrics"])
def test_a_store_that_does_not_answer_says_when_to_ask_again(closed, path):
    answer = closed.get(path)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"] == "urn:graphmind:store-unavailable"


def test_metrics_count_what_is_archived(client, stores):
    counts = stores.archive.counts()
    outcomes = stores.archive.outcomes()
    incidents = stores.archive.incidents()

    measured = samples(client)

    assert measured["graphmind_spans",] == counts["spans"]
    assert measured["graphmind_traces",] == counts["traces"]
    assert measured["graphmind_incidents",] == 2
    complete = sum(o.traces for o in outcomes if o.complete)
    assert measured["trace_complete_ratio",] == pytest.approx(complete / counts["traces"])
    quiet = sum(o.traces for o in outcomes if o.outcome in ("ok", "incomplete"))
    assert measured["trace_anomaly_rate",] == pytest.approx(1 - quiet / counts["traces"])
    assert {
        (name, *labels): n
        for (name, *labels), n in measured.items()
        if name == "root_cause_distribution"
    } == {("root_cause_distribution", i["causes"][0]["kind"]): 1 for i in incidents}


def test_metrics_of_an_empty_archive_state_no_shares(empty):
    measured = samples(empty)

    assert measured["graphmind_traces",] == 0
    assert ("trace_complete_ratio",) not in measured
    assert ("trace_anomaly_rate",) not in measured


def test_requests_are_counted_by_route_template_and_status(empty):
    before = samples(empty)
    for path in ("/api/v1/incidents/a", "/api/v1/incidents/b", "/nowhere"):
        empty.get(path)
    after = samples(empty)

    def grown(*labels):
        key = ("graphmind_http_requests_total", *sorted(labels))
        return after.get(key, 0) - before.get(key, 0)

    assert grown("GET", "/api/v1/incidents/{incident_id}", "404") == 2
    assert grown("GET", "unmatched", "404") == 1
    assert grown("GET", "/metrics", "200") == 1


def test_each_app_counts_its_own_requests(client, empty):
    client.get("/version")

    assert ("graphmind_http_requests_total", "/version", "200", "GET") not in samples(empty)
