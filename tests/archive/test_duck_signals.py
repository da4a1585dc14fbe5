import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.archive.duck import DuckArchive
from graphmind.archive.duck_signals import ranges
from graphmind.archive.signals import Kept, Signals
from tests.archive.appending_lines import LINES_EACH, lines_of
from tests.archive.rows import resolved, span
from tests.contracts.signals import SignalsContract, line, lines

CHECKOUT = Path(__file__).parents[2]


class TestInMemory(SignalsContract):
    @contextmanager
    def open_empty(self) -> Iterator[Signals]:
        with DuckArchive(None) as archive:
            yield archive.signals


def test_lines_are_there_when_the_folder_is_opened_again(tmp_path):
    with DuckArchive(tmp_path) as archive:
        archive.append([resolved(span("a", "1"))])
        archive.signals.append_lines([lines(line("x", 7))])

    with DuckArchive(tmp_path) as archive:
        assert archive.signals.append_lines([lines(line("x", 7))]) == Kept(new=0, duplicate=1)
        assert archive.signals.counts() == {"lines": 1, "points": 0}
        assert archive.counts()["spans"] == 1


def test_the_traces_of_a_task_are_those_of_its_spans_facts_and_lines(tmp_path):
    with DuckArchive(tmp_path) as archive:
        archive.append([resolved(span("b", "1", task_id="job-1"), span("c", "1", task_id="job-2"))])
        row = line("x", 7, trace_id="a", task_id="job-1")
        archive.signals.append_lines([lines(row, line("y", 8, task_id="job-1"))])

        assert archive.traces_of_task("job-1").to_pylist() == ["a", "b"]
        assert archive.traces_of_task("job-3").to_pylist() == []


@pytest.mark.slow
def test_killed_at_any_moment_every_line_acknowledged_is_there_once(tmp_path):
    chance, first = random.Random(2), 0
    for _ in range(5):
        acknowledged = _kill_while_appending(tmp_path, first, chance)
        with DuckArchive(tmp_path) as archive:
            stored, torn = divmod(archive.signals.counts()["lines"], LINES_EACH)
            assert torn == 0
            assert stored - 1 in {acknowledged, acknowledged + 1}
            again = archive.signals.append_lines(map(lines_of, range(stored)))
            assert again == Kept(new=0, duplicate=stored * LINES_EACH)
        first = stored

    assert first > 5


def _kill_while_appending(folder: Path, first: int, chance: random.Random) -> int:
    command = [sys.executable, "-m", "tests.archive.appending_lines", str(folder), str(first)]
    acknowledged = first - 1
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        for _ in range(chance.randrange(2, 30)):
            acknowledged = int(next(child.stdout))
        time.sleep(chance.random() * 0.02)
        child.kill()
        for said in child.stdout:
            acknowledged = int(said)
    return acknowledged


@given(
    times=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30),
    ranges_max=st.integers(1, 9),
)
def test_ranges_cover_every_time_and_are_few(times, ranges_max):
    found = ranges(np.array(times, np.int64), ranges_max)

    assert 1 <= len(found) <= ranges_max
    assert all(first <= last for first, last in found)
    assert all(a[1] < b[0] for a, b in pairwise(found))
    assert {t for t in times if any(a <= t <= b for a, b in found)} == set(times)


def test_one_stray_time_does_not_join_the_ranges():
    now = 1_700_000_000 * 10**9
    times = np.array([5, *range(now, now + 1000)], np.int64)

    assert (5, 5) in ranges(times)
    assert sum(last - first for first, last in ranges(times)) < 1000
