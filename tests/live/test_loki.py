"""A real Loki, and replies recorded from one, served over real HTTP."""

import time
from contextlib import closing

import httpx
import pytest
from graphmind_loaders.pull.loki import open_source
from graphmind_loaders.pull.windows import NARROW

from graphmind.errors import SourceError
from graphmind.sources import PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from tests.live.servers import loki
from tests.loaders.pull.asking import REPLIES, opened, rows
from tests.loaders.pull.serving import Answer

pytestmark = pytest.mark.live
slow = pytest.mark.slow

SECOND_NS = 10**9
TENANT = "agents"
QUERY = '{service_name=~".+"}'
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
MANY, CROWDED = 25, 60
"""Lines at one time: more than a page, and more than Loki gives at all."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with loki(tmp_path_factory.mktemp("loki")) as url:
        yield url


@pytest.fixture(scope="module")
def start_ns():
    return time.time_ns() // SECOND_NS * SECOND_NS - 300 * SECOND_NS


@pytest.fixture(scope="module")
def filled(server, start_ns):
    """Lines at 40 times, three streams; 25 more at one of them; then 60 at another."""
    for number in range(40):
        push(server, start_ns + number, f"service-{number % 3}", [f"line {number}"])
    push(server, start_ns + 20, "service-0", [f"at once {number}" for number in range(MANY)])
    crowd = [f"crowd {number}" for number in range(CROWDED)]
    push(server, start_ns + SECOND_NS, "service-1", crowd)
    push(server, start_ns + SECOND_NS + 1, "service-2", ["after the crowd"])
    return server


def push(url, time_ns, service, lines, metadata=None):
    values = [[str(time_ns), line, metadata or {}] for line in lines]
    body = {"streams": [{"stream": {"service_name": service}, "values": values}]}
    headers = {"X-Scope-OrgID": TENANT}
    reply = httpx.post(f"{url}/loki/api/v1/push", json=body, headers=headers)
    assert reply.status_code == 204, reply.text


def pulled(url, from_ns, until_ns, rejected=None, **options):
    options = {"query": QUERY, "tenant": TENANT, "limit": 20, **options}
    config = SourceConfig(kind="loki", name="l", url=url, options=options)
    with closing(open_source(config)) as source:
        return rows(source, PullWindow(from_ns=from_ns, until_ns=until_ns), rejected)


@slow
def test_every_line_comes_exactly_once_from_pages_that_end_within_one_time(filled, start_ns):
    rejected = Rejections()

    found = pulled(filled, start_ns, start_ns + 40, rejected)

    wanted = [f"line {number}" for number in range(40)]
    wanted += [f"at once {number}" for number in range(MANY)]
    assert sorted(row["body"] for row in found) == sorted(wanted)
    assert [row["time_ns"] for row in found] == sorted(row["time_ns"] for row in found)
    assert rejected.counts == {}


@slow
def test_more_at_one_time_than_loki_gives_is_counted_and_passed_by(filled, start_ns):
    rejected = Rejections()

    found = pulled(filled, start_ns + 40, start_ns + 2 * SECOND_NS, rejected)

    assert rejected.counts == {NARROW: 1}
    assert found[-1]["body"] == "after the crowd"
    assert len(found) == 40 + 1


@slow
def test_the_end_of_a_window_is_not_in_it(filled, start_ns):
    assert [row["body"] for row in pulled(filled, start_ns + 3, start_ns + 5)] == [
        "line 3",
        "line 4",
    ]


@slow
def test_metadata_and_fields_of_a_line_are_told_apart_from_labels(server, start_ns):
    line = '{"level":"error","msg":"stale kv","key":"user:42"}'
    at_ns = start_ns - SECOND_NS
    push(server, at_ns, "writer", [line], {"trace_id": TRACE, "span_id": SPAN})

    (row,) = pulled(server, at_ns, at_ns + 1, query=f"{QUERY} | json")

    assert (row["trace_id"], row["span_id"]) == (TRACE, SPAN)
    assert (row["severity"], row["body"]) == (17, "stale kv")
    assert row["resource"] == [("service_name", "writer")]
    attributes = dict(row["attributes"])
    assert attributes["key"] == "user:42"
    assert attributes["trace_id"] == TRACE


@slow
def test_another_tenant_sees_nothing_and_none_is_refused(filled, start_ns):
    assert pulled(filled, start_ns, start_ns + 40, tenant="others") == []
    with pytest.raises(SourceError, match="status 401"):
        pulled(filled, start_ns, start_ns + 40, tenant="")


@slow
@pytest.mark.parametrize(
    ("query", "words"), [("{}", "at least one"), ('{a="b"', "parse error"), ("x", "parse error")]
)
def test_a_wrong_query_is_told_in_the_servers_words(filled, start_ns, query, words):
    with pytest.raises(SourceError, match=f"status 400: .*{words}"):
        pulled(filled, start_ns, start_ns + 1, query=query)


@slow
def test_more_at_a_time_than_loki_allows_is_told(filled, start_ns):
    with pytest.raises(SourceError, match="status 400: max entries limit per query exceeded"):
        pulled(filled, start_ns, start_ns + 1, limit=51)


recorded_ones = pytest.mark.skipif(not REPLIES.is_dir(), reason="no recorded replies of servers")
TIME_NS = 1_795_328_307_000_000_000
WINDOW = PullWindow(from_ns=TIME_NS, until_ns=TIME_NS + 1)


def recorded(name):
    return lambda _: Answer(body=(REPLIES / f"loki-3-query_range-{name}.json").read_bytes())


@recorded_ones
@pytest.mark.parametrize("name", ["categorized", "streams"])
def test_a_line_says_the_same_in_either_encoding(name):
    rejected = Rejections()
    with opened(open_source, recorded(name)) as (source, _):
        (row,) = rows(source, WINDOW, rejected)

    assert rejected.counts == {}
    assert row["time_ns"] == TIME_NS
    assert (row["severity"], row["body"]) == (17, "stale kv")
    assert row["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert dict(row["resource"])["service_name"] == "planner"
    assert dict(row["attributes"])["key"] == "user:42"


@recorded_ones
def test_a_metric_reply_is_refused():
    with (
        opened(open_source, recorded("matrix")) as (source, _),
        pytest.raises(SourceError, match="gives a matrix"),
    ):
        rows(source, WINDOW)
