import time

import pytest
from graphmind_loaders.push.alertmanager import samples

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.errors import Overloaded, SourceError
from graphmind.graph.embedded import open_embedded
from graphmind.jobs.deliveries import Deliveries
from graphmind.jobs.review import KIND, kept_review
from graphmind.jobs.settle import settle
from graphmind.jobs.stores import Stores
from graphmind.review.week import Week
from graphmind.serving.service import Service
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table
from graphmind.telemetry.spans import spans_from_rows
from tests.builders import span


def serving(stores: Stores, **settings) -> Service:
    return Service(
        stores,
        Settings(quiet_s=0.2, **settings),
        table=default_table(),
        deliveries=Deliveries(stores.archive, alertmanager=None, webhook=None),
        read_alerts=samples,
        seed=1,
    )


@pytest.fixture
def stores(tmp_path):
    with DuckArchive(tmp_path) as archive:
        graph = open_embedded(tmp_path)
        yield Stores(archive=archive, graph=graph)
        graph.close()


def failing(trace: str):
    now_ns = time.time_ns()
    rows = [
        span("1", trace=trace, failed=True, start_ns=now_ns - 10**9, end_ns=now_ns),
        span("2", trace=trace, parent="1", failed=True, start_ns=now_ns - 10**9, end_ns=now_ns),
    ]
    return spans_from_rows(rows)


def until(true) -> None:
    for _ in range(300):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("it did not come to pass in 15 s")


@pytest.mark.slow
def test_what_comes_in_is_settled_and_written_to_the_graph(stores):
    service = serving(stores)
    service.start()
    try:
        service.intake.offer(failing("a")).result(10)
        until(lambda: service.tally.settled == 1)
        until(lambda: stores.graph._engine.size()[0] > 0)
    finally:
        service.stop()

    assert service.tally.failing == 1
    traces = stores.graph._engine.query(
        "MATCH (t:Trace) RETURN t.traceId AS id, t.outcome AS o", {}
    )
    assert traces == [{"id": "a", "o": "failed"}]


@pytest.mark.slow
def test_a_stopped_service_has_stored_what_it_took_and_takes_no_more(stores):
    service = serving(stores)
    service.start()
    taken = [service.intake.offer(failing(name)) for name in "abc"]
    service.stop()

    assert all(one.done() and one.exception() is None for one in taken)
    assert stores.archive.counts()["spans"] == 6
    with pytest.raises(Overloaded):
        service.intake.offer(failing("d"))


@pytest.mark.slow
def test_the_next_process_settles_and_publishes_what_the_last_one_left(stores):
    service = serving(stores)
    service.intake.start()
    service.intake.offer(failing("a")).result(10)
    service.intake.close()
    assert stores.archive.facts(Selection()).traces.num_rows == 0

    again = serving(stores)
    again.start()
    try:
        until(lambda: again.tally.settled == 1)
    finally:
        again.stop()

    assert stores.archive.facts(Selection()).traces["outcome"].to_pylist() == ["failed"]


@pytest.mark.slow
def test_each_loop_is_a_check_by_name(stores):
    service = serving(stores)
    assert service.checks()["settle"] == "not running"
    service.start()
    checks = service.checks()
    service.stop()

    assert set(checks) == {"receive", "settle", "analyze", "publish", "alert", "prune", "review"}
    assert set(checks.values()) == {""}


@pytest.mark.slow
def test_the_review_of_the_week_that_is_over_is_written_by_itself(stores, tmp_path):
    last = Week.of(time.time_ns() // 10**6).before
    begun_ns = last.since_ms * 10**6
    rows = [span("1", trace="a", start_ns=begun_ns, end_ns=begun_ns + 10**9)]
    service = serving(stores, data_dir=tmp_path)
    service.intake.start()
    service.intake.offer(spans_from_rows(rows)).result(10)
    service.intake.close()
    settle(stores.archive, Settings(), Rejections())

    again = serving(stores, data_dir=tmp_path)
    again.start()
    try:
        until(lambda: stores.archive.document(KIND, last.name))
    finally:
        again.stop()

    assert kept_review(stores.archive).week == last.name
    assert (tmp_path / "reviews" / f"{last.name}.html").is_file()


@pytest.mark.slow
def test_alerts_of_others_become_samples_and_garbage_is_refused(stores):
    service = serving(stores)
    service.intake.start()
    body = b"""{"version": "4", "status": "firing", "alerts": [{"status": "firing",
        "labels": {"alertname": "Slow", "service": "shop"}, "annotations": {},
        "startsAt": "2026-01-02T03:04:05Z", "endsAt": "0001-01-01T00:00:00Z"}]}"""
    try:
        assert service.take_alerts(body) == 1
        with pytest.raises(SourceError):
            service.take_alerts(b"<html>")
    finally:
        service.intake.close()

    assert stores.archive.signals.counts()["points"] == 1


def test_traces_older_than_the_retention_are_pruned(stores):
    service = serving(stores, retention_days=1.0)
    old_ns = time.time_ns() - 2 * 86_400 * 10**9
    row = span("1", trace="old", start_ns=old_ns, end_ns=old_ns + 1)
    service.intake.start()
    service.intake.offer(spans_from_rows([row])).result(10)
    service.intake.offer(failing("new")).result(10)
    service.intake.close()

    assert service._prune()["traces"] == 1
    assert set(stores.archive.spans(Selection())["trace_id"].to_pylist()) == {"new"}
