"""Replies recorded from a real Loki 3, served over real HTTP."""

import pytest
from graphmind_loaders.pull.loki import open_source

from graphmind.errors import SourceError
from graphmind.sources import PullWindow
from graphmind.telemetry.rejections import Rejections
from tests.loaders.pull.asking import REPLIES, opened, rows
from tests.loaders.pull.serving import Answer

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not REPLIES.is_dir(), reason="no recorded replies of servers"),
]

TIME_NS = 1_795_328_307_000_000_000
WINDOW = PullWindow(from_ns=TIME_NS, until_ns=TIME_NS + 1)


def recorded(name):
    return lambda _: Answer(body=(REPLIES / f"loki-3-query_range-{name}.json").read_bytes())


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


def test_a_metric_reply_is_refused():
    with (
        opened(open_source, recorded("matrix")) as (source, _),
        pytest.raises(SourceError, match="gives a matrix"),
    ):
        rows(source, WINDOW)
