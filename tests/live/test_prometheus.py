"""A real Prometheus that scrapes a real exposition with exemplars."""

import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from graphmind_loaders.pull.prometheus import NOT_FINITE, open_source
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics import exposition

from graphmind.errors import SourceError
from graphmind.sources import PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from tests.live.servers import prometheus
from tests.loaders.pull.asking import rows as rows_of

pytestmark = [pytest.mark.live, pytest.mark.slow]

SECOND_NS = 10**9
TRACE = "0af7651916cd43dd8448eb211c80319c"
OLDEST_S = 12.5
WAIT_S = 30


@pytest.fixture(scope="module")
def exposed():
    """An agent's metrics over HTTP; its latencies carry the trace they were measured in."""
    registry = CollectorRegistry()
    retries = Counter("agent_retry", "retries", ["agent"], registry=registry)
    latency = Histogram("agent_trace_latency_seconds", "latency", ["agent"], registry=registry)
    oldest = Gauge("graphmind_inflight_oldest_seconds", "oldest", ["agent"], registry=registry)
    broken = Gauge("callback_failure_rate", "rate", registry=registry)
    retries.labels("planner").inc(7, {"trace_id": TRACE})
    oldest.labels("planner").set(OLDEST_S)
    broken.set(float("nan"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            # Each scrape finds newer observations, else a rate would be nothing.
            latency.labels("planner").observe(6.0, {"trace_id": TRACE})
            body = exposition.generate_latest(registry)
            self.send_response(200)
            self.send_header("content-type", exposition.CONTENT_TYPE_LATEST)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def server(exposed, tmp_path_factory):
    with prometheus(tmp_path_factory.mktemp("prometheus"), exposed) as url:
        yield url


def pulled(url, **options):
    """Pull the last minute, until every default signal that is finite is there."""
    config = SourceConfig(kind="prometheus", name="p", url=url, options={"step_s": 1, **options})
    rejected = Rejections()
    with closing(open_source(config)) as source:
        now_ns = time.time_ns()
        window = PullWindow(from_ns=now_ns - 60 * SECOND_NS, until_ns=now_ns)
        return rows_of(source, window, rejected), rejected


@pytest.fixture(scope="module")
def found(server):
    until = time.monotonic() + WAIT_S
    wanted = {"latency_p95", "agent_retry_total", "agent_inflight_oldest_seconds"}
    while True:
        rows, rejected = pulled(server)
        plain = {row["name"] for row in rows if row["trace_id"] is None}
        named = {row["name"] for row in rows if row["trace_id"]}
        if plain >= wanted and "latency_p95" in named:
            return rows, rejected
        assert time.monotonic() < until, (plain, named, rejected)
        time.sleep(0.5)


def of(found, name, *, exemplar=False):
    return [row for row in found[0] if row["name"] == name and bool(row["trace_id"]) == exemplar]


def test_gauges_and_counters_come_as_they_stand(found):
    oldest = of(found, "agent_inflight_oldest_seconds")
    retries = of(found, "agent_retry_total")

    assert {row["value"] for row in oldest} == {OLDEST_S}
    assert {row["value"] for row in retries} == {7.0}
    assert all(dict(row["labels"])["agent"] == "planner" for row in oldest + retries)
    assert all("__name__" not in dict(row["labels"]) for row in oldest + retries)
    assert all(row["time_ns"] % SECOND_NS == 0 for row in oldest)


def test_the_quantile_is_of_the_histogram(found):
    values = {row["value"] for row in of(found, "latency_p95")}

    # Observations of 6 s lie in the bucket from 5 to 7.5 s.
    assert values
    assert all(5 < value <= 7.5 for value in values)


def test_exemplars_name_the_trace(found):
    exemplars = of(found, "latency_p95", exemplar=True)

    assert {row["trace_id"] for row in exemplars} == {TRACE}
    assert {row["value"] for row in exemplars} == {6.0}
    assert all(dict(row["labels"])["agent"] == "planner" for row in exemplars)


def test_what_is_no_number_is_counted(found):
    assert of(found, "callback_failure_rate") == []
    assert found[1].counts[NOT_FINITE] > 0


def test_a_wrong_query_is_told_in_the_servers_words(server):
    with pytest.raises(SourceError, match=r"signal 'p95': .*status 400.*parse error"):
        pulled(server, signals={"p95": "rate(x["})


def test_a_query_longer_than_a_url_is_posted(server, found):
    query = " or ".join(["graphmind_inflight_oldest_seconds"] * 200)

    rows, _ = pulled(server, signals={"oldest": query})

    assert {row["value"] for row in rows} == {OLDEST_S}
