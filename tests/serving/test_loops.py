import itertools
import logging
import threading
import time

import pytest

from graphmind.errors import StoreError
from graphmind.serving.loops import Loop


def test_a_run_is_one_line_of_log_with_its_counts(caplog):
    caplog.set_level(logging.INFO)
    Loop("settle", lambda: {"settled": 3}, every_s=1).run_once()

    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("job job=settle settled=3 seconds=")
    assert "run_id=" in line


def test_a_run_with_nothing_to_do_says_nothing(caplog):
    caplog.set_level(logging.INFO)
    loop = Loop("settle", dict, every_s=1)
    loop.run_once()

    assert caplog.records == []
    assert loop.state.runs == 1


@pytest.mark.parametrize("error", [StoreError("gone"), ValueError("bug")])
def test_a_run_that_fails_is_told_and_the_loop_goes_on(caplog, error):
    outcomes = iter([error, None])

    def job():
        if (raised := next(outcomes)) is not None:
            raise raised
        return {}

    loop = Loop("analyze", job, every_s=1)
    loop.run_once()
    assert str(error) in loop.state.error
    assert loop.state.failures == 1
    loop.run_once()

    assert (loop.state.error, loop.state.failures, loop.state.failed) == ("", 0, 1)
    assert "job_failed job=analyze" in caplog.text


def test_a_loop_runs_until_it_is_stopped():
    twice, runs = threading.Event(), []

    def job():
        runs.append(1)
        if len(runs) == 2:
            twice.set()
        return {}

    loop = Loop("prune", job, every_s=0.01)
    loop.start()
    assert twice.wait(5)
    assert loop.trouble() == ""
    loop.stop()
    seen = len(runs)

    assert len(runs) == seen
    assert loop.trouble() == ""


def test_a_loop_rests_as_long_as_it_worked_times_the_strain():
    began = []

    def job():
        began.append(time.monotonic())
        time.sleep(0.05)
        return {}

    loop = Loop("publish", job, every_s=0.01, rest=1.0, strain=lambda: 3.0)
    loop.start()
    time.sleep(0.5)
    loop.stop()

    pauses = [after - before for before, after in itertools.pairwise(began)]
    assert pauses
    assert min(pauses) >= 0.2


def test_a_loop_rests_no_longer_than_it_may_after_a_long_run():
    began = []

    def job():
        began.append(time.monotonic())
        time.sleep(0.05)
        return {}

    loop = Loop("repair", job, every_s=0.01, rest=1_000.0, rest_max_s=0.02)
    loop.start()
    while len(began) < 3:
        time.sleep(0.01)
    loop.stop()

    pauses = [after - before for before, after in itertools.pairwise(began)]
    assert min(pauses) >= 0.06


def test_a_loop_that_was_not_started_or_fails_is_in_trouble():
    def broken():
        raise StoreError("no disk")

    loop = Loop("settle", broken, every_s=1)
    assert loop.trouble() == "not running"
    loop.start()
    loop.stop()
    loop._stop.clear()
    assert loop.trouble() == "not running"
