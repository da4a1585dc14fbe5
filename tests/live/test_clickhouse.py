"""The adapter's own SQL and decoding on ClickHouse's engine, with the exporter's own table."""

import sys
from contextlib import closing

import clickhouse_connect
import pytest
from graphmind_loaders.pull.clickhouse import ClickHouse

from graphmind.errors import SourceError
from graphmind.sources import PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from tests.live.servers import chdb_on_path

pytestmark = pytest.mark.live

START_NS = 1_795_000_000_123_456_789

# As the Collector's exporter creates it (clickhouseexporter/internal/sqltemplates).
TABLE = """
CREATE TABLE IF NOT EXISTS {table} (
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(T64, ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested (
        Timestamp DateTime64(9),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested (
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
PRIMARY KEY (ServiceName, SpanName, toDateTime(Timestamp))
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1
"""

FAILED = """
INSERT INTO otel_traces VALUES (
    fromUnixTimestamp64Nano({start_ns:Int64}), '0af7651916cd43dd8448eb211c80319c',
    'b7ad6b7169203331', 'a000000000000001', 'ot=th:8', 'chat m-1', 'Client', 'planner',
    {'service.name': 'planner', 'cloud.region': 'eu'}, 'gm', '1.0',
    {'gen_ai.request.model': 'm-1', 'empty': ''}, 1500000001, 'Error', 'timed out',
    [fromUnixTimestamp64Nano({event_ns:Int64})], ['exception'], [{'exception.type': 'Late'}],
    ['00000000000000000000000000000abc'], ['00000000000000ab'], [''], [{}])
"""
ROOT = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, SpanKind, ServiceName, Duration,
    StatusCode)
VALUES (fromUnixTimestamp64Nano({start_ns:Int64}), '0af7651916cd43dd8448eb211c80319c',
    'a000000000000001', 'task', 'SPAN_KIND_SERVER', 'planner', 0, 'STATUS_CODE_OK')
"""


@pytest.fixture(scope="module")
def connect(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("chdb"))
    with chdb_on_path():
        yield lambda: clickhouse_connect.get_client(interface="chdb", path=folder)


@pytest.fixture
def source(connect):
    with closing(connect()) as client:
        for table in ("otel_traces", "otel.spans"):
            client.command("CREATE DATABASE IF NOT EXISTS otel")
            client.command(f"DROP TABLE IF EXISTS {table}")
            client.command(TABLE.format(table=table))
        client.command(FAILED, parameters={"start_ns": START_NS, "event_ns": START_NS + 5})
        client.command(ROOT, parameters={"start_ns": START_NS - 1})
    with closing(of(connect)) as opened:
        yield opened


def of(connect, **options):
    config = SourceConfig(kind="clickhouse", name="c", url="http://127.0.0.1:8123", options=options)
    return ClickHouse(config, connect)


def rows(source, from_ns=START_NS - 1, until_ns=START_NS + 1):
    rejected = Rejections()
    batches = list(source.pull(PullWindow(from_ns=from_ns, until_ns=until_ns), rejected))
    assert rejected.counts == {}
    return sorted((row for b in batches for row in b.to_pylist()), key=lambda row: row["start_ns"])


def test_every_column_of_a_span_is_read(source):
    root, failed = rows(source)

    assert failed == {
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "parent_span_id": "a000000000000001",
        "name": "chat m-1",
        "kind": 3,
        "start_ns": START_NS,
        "end_ns": START_NS + 1_500_000_001,
        "status": 2,
        "status_message": "timed out",
        "trace_state": "ot=th:8",
        "scope": "gm",
        "resource": [("cloud.region", "eu"), ("service.name", "planner")],
        "attributes": [("gen_ai.request.model", "m-1"), ("empty", "")],
        "events": [
            {
                "name": "exception",
                "time_ns": START_NS + 5,
                "attributes": [("exception.type", "Late")],
            }
        ],
        "links": [{"trace_id": "00000000000000000000000000000abc", "span_id": "00000000000000ab"}],
    }
    assert (root["kind"], root["status"], root["parent_span_id"]) == (2, 1, None)
    assert root["resource"] == [("service.name", "planner")]


def test_the_window_is_exact_to_the_nanosecond(source):
    assert [row["name"] for row in rows(source, START_NS, START_NS + 1)] == ["chat m-1"]
    assert [row["name"] for row in rows(source, START_NS - 1, START_NS)] == ["task"]
    assert rows(source, START_NS + 1, START_NS + 2) == []


def test_another_table_is_an_option(source, connect):
    with closing(of(connect, table="otel.spans")) as other:
        assert rows(other) == []


def test_a_table_that_is_not_there_is_named(source, connect):
    with (
        closing(of(connect, table="otel_traces2")) as other,
        pytest.raises(SourceError, match="no table 'otel_traces2': set `table`"),
    ):
        rows(other)


def test_many_rows_come_in_batches_and_all_of_them(source, connect):
    with closing(connect()) as client:
        client.command(
            "INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ServiceName, SpanAttributes) "
            "SELECT fromUnixTimestamp64Nano({start_ns:Int64} + number), hex(number), hex(number), "
            "'s' || toString(number % 3), map('n', toString(number)) FROM numbers(100000)",
            parameters={"start_ns": START_NS + 100},
        )
    window = PullWindow(from_ns=START_NS + 100, until_ns=START_NS + 200_000)

    batches = list(source.pull(window, Rejections()))

    assert sum(batch.num_rows for batch in batches) == 100_000
    assert len(batches) > 1
    assert all(len(batch.column("resource").dictionary) <= 3 for batch in batches)


def test_the_engine_is_the_real_one(connect):
    with closing(connect()) as client:
        assert client.command("SELECT version()")
    assert "chdb" in sys.modules
