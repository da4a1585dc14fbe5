"""Nothing acknowledged is lost: real exporters send while the server is killed again and again."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, TraceFlags

from benchmarks.live.server import Server

pytestmark = [pytest.mark.live, pytest.mark.slow]

SPANS, BATCH, KILLS = 200_000, 500, 20
SENDERS = 2
SPANS_PER_TRACE = 5
RESOURCE = Resource({"service.name": "shop"})


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_every_acknowledged_span_is_there_once_after_twenty_kills(tmp_path: Path):
    server = Server(tmp_path, retention_days=0)
    server.start()
    acknowledged: list[set[int]] = [set() for _ in range(SENDERS)]
    stop = threading.Event()
    exporters: list[SpanExporter] = [
        HttpExporter(endpoint=f"{server.otlp}/v1/traces", timeout=5),
        GrpcExporter(endpoint=f"127.0.0.1:{server.grpc_port}", insecure=True, timeout=5),
    ]
    senders = [
        threading.Thread(target=send, args=(number, exporters[number], acknowledged[number], stop))
        for number in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    chance = random.Random(7)
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.2, 2.0))
            server.kill()
            server.start()
        for sender in senders:
            sender.join(600)
    finally:
        stop.set()
        for exporter in exporters:
            exporter.shutdown()
    assert sum(map(len, acknowledged)) == SPANS
    assert server.stop() == 0

    with duckdb.connect(str(tmp_path / "stores" / "archive.duckdb"), read_only=True) as archive:
        found = archive.execute("SELECT count(*), count(DISTINCT span_id) FROM spans").fetchall()
    assert found == [(SPANS, SPANS)]


def send(
    number: int, exporter: SpanExporter, acknowledged: set[int], stop: threading.Event
) -> None:
    """Send a share of the spans; each batch again until it is acknowledged."""
    for batch in batches(number):
        while not stop.is_set():
            if exporter.export(batch) is SpanExportResult.SUCCESS:
                acknowledged.update(span.context.span_id for span in batch)
                break
            time.sleep(0.1)


def batches(number: int) -> Iterator[list[ReadableSpan]]:
    for first in range(number * SPANS // SENDERS, (number + 1) * SPANS // SENDERS, BATCH):
        yield [span(n) for n in range(first, first + BATCH)]


def span(number: int) -> ReadableSpan:
    trace, place = divmod(number, SPANS_PER_TRACE)

    def context(span_id: int) -> SpanContext:
        flags = TraceFlags(TraceFlags.SAMPLED)
        return SpanContext(trace + 1, span_id, is_remote=False, trace_flags=flags)

    now_ns = time.time_ns()
    root = trace * SPANS_PER_TRACE + 1
    return ReadableSpan(
        name=f"step {place}",
        context=context(number + 1),
        parent=context(root) if place else None,
        resource=RESOURCE,
        attributes={"graphmind.task.name": "checkout"},
        start_time=now_ns - 1_000_000,
        end_time=now_ns,
    )
