import orjson
import pytest
from graphmind_api.app import create_app

from graphmind.settings import Settings
from graphmind.wiring import open_service, open_stores
from tests.api.conftest import serving

WEBHOOK = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Slow", "service": "shop"},
            "annotations": {},
            "startsAt": "2026-01-02T03:04:05Z",
            "endsAt": "0001-01-01T00:00:00Z",
        }
    ],
}


def test_without_alerts_the_page_is_empty(client):
    answer = client.get("/api/v1/alerts")

    assert answer.status_code == 200
    assert answer.json() == {"items": []}


def test_a_server_that_only_answers_takes_no_alerts_in(client):
    answer = client.post("/api/v1/alerts/in", content=orjson.dumps(WEBHOOK))

    assert answer.status_code == 503
    assert "graphmind serve" in answer.json()["detail"]


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A client of a running service over an empty data folder."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("live"), otlp_http_port=0, otlp_grpc_port=0
    )
    with (
        open_stores(settings, live=True) as stores,
        open_service(stores, settings, host="127.0.0.1") as service,
        serving(create_app(stores, settings, service)) as client,
    ):
        yield client


@pytest.mark.slow
def test_alerts_handed_in_are_stored_and_counted(live):
    answer = live.post("/api/v1/alerts/in", content=orjson.dumps(WEBHOOK))

    assert (answer.status_code, answer.json()) == (200, {"rows": 1})
    assert 'graphmind_received_rows_total{signal="samples"} 1.0' in live.get("/metrics").text


@pytest.mark.slow
def test_a_body_of_another_kind_is_refused_with_what_was_expected(live):
    answer = live.post("/api/v1/alerts/in", content=b"<html>")

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.slow
def test_a_live_server_is_ready_when_each_loop_is(live):
    answer = live.get("/readyz")
    names = {check["name"] for check in answer.json()["checks"]}

    assert answer.status_code == 200, answer.text
    assert names >= {"archive", "graph", "receive", "settle", "analyze", "publish", "alert"}


@pytest.mark.slow
def test_a_live_server_measures_what_comes_in_and_how_its_loops_fare(live):
    text = live.get("/metrics").text

    for name in (
        "otel_span_total",
        "span_dropped_total",
        "graphmind_queue_rows",
        "graphmind_loop_runs_total",
        "graphmind_settled_traces_total",
    ):
        assert f"\n{name}" in text, name
