"""A real Alertmanager takes our alerts, and its own webhook is read back as samples."""

import queue
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from graphmind_loaders.push.alertmanager import samples

from graphmind.archive.duck import DuckArchive
from graphmind.jobs.alerts import list_alerts, raise_alerts
from graphmind.jobs.deliveries import open_deliveries
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from tests.alerts.failing import burst, facts
from tests.live.servers import alertmanager

pytestmark = [pytest.mark.live, pytest.mark.slow]

WAIT_S = 30


@contextmanager
def receiver():
    """A server that puts the bodies it is sent into a queue."""
    bodies: queue.Queue[bytes] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.put(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", bodies
        server.shutdown()
        thread.join()


@pytest.fixture
def place(tmp_path):
    """An archive, an Alertmanager that tells us, and what it tells."""
    with (
        receiver() as (hook, bodies),
        alertmanager(tmp_path, hook) as url,
        DuckArchive(None) as archive,
        httpx.Client(timeout=5) as client,
    ):
        yield archive, Settings(alertmanager_url=url), client, bodies


def held(client, url):
    found = client.get(f"{url}/api/v2/alerts").json()
    return [(one["labels"]["fingerprint"], one["status"]["state"]) for one in found]


def test_an_alert_fires_is_kept_up_and_resolved_and_comes_back_as_samples(place):
    archive, settings, client, bodies = place
    now_ms = round(time.time() * 1000)
    raise_alerts(archive, facts(burst("t", 11, now_ms)), [], settings, now_ms)
    (alert,) = list_alerts(archive)
    first = open_deliveries(archive, settings, client).deliver_due(now_ms)
    fired = bodies.get(timeout=WAIT_S)
    while_firing = held(client, settings.alertmanager_url)
    again = open_deliveries(archive, settings, client).deliver_due(now_ms + 60_000)
    # The Alertmanager's clock is real: what ends in the future fires until then.
    over_ms = round(time.time() * 1000)
    early = Settings(alertmanager_url=settings.alertmanager_url, alert_window_s=1e-3)
    raise_alerts(archive, facts([]), [], early, over_ms)
    last = open_deliveries(archive, early, client).deliver_due(over_ms)
    ended = bodies.get(timeout=WAIT_S)

    assert (first.errors, again.errors, last.errors) == ((), (), ())
    assert (first.alerts, again.alerts, last.alerts) == (1, 1, 1)
    assert while_firing == [(alert["fingerprint"], "active")]
    assert read(fired, alert) == [(now_ms - 10_000, 1.0)]
    assert read(ended, alert) == [(now_ms - 10_000, 1.0), (over_ms, 0.0)]
    assert bodies.empty()


def read(body, alert):
    """Return the samples of a body, which must be those of an alert."""
    rejected = Rejections()
    rows = samples(body, rejected).to_pylist()

    assert rejected.counts == {}
    assert {row["name"] for row in rows} == {"alert:GraphmindFailures"}
    assert all(dict(row["labels"])["fingerprint"] == alert["fingerprint"] for row in rows)
    return [(row["time_ns"] // 1_000_000, row["value"]) for row in rows]


def test_an_alertmanager_that_is_away_hears_of_the_alert_when_it_is_back(tmp_path):
    now_ms = round(time.time() * 1000)
    with DuckArchive(None) as archive, httpx.Client(timeout=5) as client:
        settings = Settings(alertmanager_url="http://127.0.0.1:1")
        raise_alerts(archive, facts(burst("t", 11, now_ms)), [], settings, now_ms)
        away = open_deliveries(archive, settings, client).deliver_due(now_ms)
        with receiver() as (hook, bodies), alertmanager(tmp_path, hook) as url:
            settings = Settings(alertmanager_url=url)
            back = open_deliveries(archive, settings, client).deliver_due(now_ms + 5_000)
            bodies.get(timeout=WAIT_S)

    assert (away.alerts, away.failed, back.alerts, back.failed) == (0, 1, 1, 0)
