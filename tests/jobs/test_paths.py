"""Frequent failing paths on planted traces."""

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.jobs.paths import frequent_failing_paths
from graphmind.jobs.settle import settle
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from tests.builders import EPOCH_NS, MS, span
from tests.jobs.windows import HOUR_MS, loaded

SINCE_MS = EPOCH_NS // MS
WINDOW = {"since_ms": SINCE_MS, "until_ms": SINCE_MS + HOUR_MS}


def went(number: int, *modules: str, failed: bool = False):
    """A trace that calls one module below the other; the last may fail."""
    rows = []
    for depth, module in enumerate(modules):
        rows.append(
            span(
                f"s{depth}",
                number * 100 + depth,
                number * 100 + 50 - depth,
                trace=f"t{number}",
                parent=f"s{depth - 1}" if depth else None,
                failed=failed,
                attributes={"module": module},
            )
        )
    return rows


@pytest.fixture(scope="module")
def archive():
    rows = []
    for number in range(40):
        failed = number % 2 == 0
        rows += went(number, "Gate", "Router", "Router", "Rpc", failed=failed)
        rows += went(100 + number, "Gate", "Store")
        rows += went(200 + number, "Gate", "Router")
    with DuckArchive(None) as opened:
        loaded(opened, rows)
        settle(opened, Settings(), Rejections())
        yield opened


def test_paths_on_which_traces_fail_come_with_most_excess_first(archive):
    found = frequent_failing_paths(archive, **WINDOW)

    assert found == [
        {"path": ["Gate", "Router", "Rpc"], "failing": 20, "passed": 20, "lift": pytest.approx(3)},
        {"path": ["Gate", "Router"], "failing": 20, "passed": 60, "lift": pytest.approx(1.5)},
    ]
    assert frequent_failing_paths(archive, **WINDOW, limit=1) == found[:1]


def test_a_path_that_all_went_on_from_is_told_by_the_longer_one(archive):
    first = SINCE_MS + 10_000

    found = frequent_failing_paths(archive, since_ms=SINCE_MS, until_ms=first + 4_000)

    assert [row["path"] for row in found] == [["Gate", "Router", "Rpc"]]


def test_another_time_has_no_paths(archive):
    assert frequent_failing_paths(archive, since_ms=0, until_ms=1) == []
