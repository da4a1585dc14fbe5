"""Pulling: windows, cursors, back-off; sources that answer garbage or never, on real sockets."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace

import pyarrow as pa
import pytest
from graphmind_loaders.pull.jaeger import open_source as open_jaeger
from hypothesis import given
from hypothesis import strategies as st

from graphmind.archive.duck import DuckArchive
from graphmind.errors import Overloaded, SourceError, StoreError
from graphmind.graph.schema import Node
from graphmind.graph.schema.nodes import Agent
from graphmind.serving.cursors import ArchiveCursors
from graphmind.serving.pull import (
    OFFER_ROWS,
    PAUSE_MAX_S,
    PIECE_S,
    Puller,
    run_pullers,
)
from graphmind.sources import PullWindow, SourceConfig
from graphmind.telemetry.spans import spans_from_rows
from tests.loaders.pull.serving import Answer, serving

SECOND_NS = 10**9
NOW_NS = 1_795_000_000 * SECOND_NS
CONFIG = SourceConfig(kind="fake", name="f", url="http://h", every_s=5, overlap_s=30)


class Cursors:
    """Cursors in memory."""

    def __init__(self, **kept: int):
        self.kept = kept

    def load(self, name: str) -> int | None:
        return self.kept.get(name)

    def save(self, name: str, until_ns: int) -> None:
        self.kept[name] = until_ns


class Archived:
    """A sink that stores at once, refuses a few times, or stores when it is told to."""

    def __init__(self, *, refusals: int = 0, error: Exception | None = None, at_once: bool = True):
        self.batches: list[pa.RecordBatch] = []
        self.open: list[Future[None]] = []
        self._refusals, self._error, self._at_once = refusals, error, at_once

    def offer(self, batch: pa.RecordBatch) -> Future[None]:
        if self._refusals:
            self._refusals -= 1
            raise Overloaded("full", retry_after_s=0.001)
        self.batches.append(batch)
        done: Future[None] = Future()
        if self._error:
            done.set_exception(self._error)
        elif self._at_once:
            done.set_result(None)
        else:
            self.open.append(done)
        return done

    def ids(self) -> list[str]:
        return [str(each) for batch in self.batches for each in batch["span_id"].to_pylist()]


class Source:
    """A source that gives what a function says."""

    def __init__(self, pull: Callable[[PullWindow], Iterator], config: SourceConfig = CONFIG):
        self.config = config
        self.windows: list[PullWindow] = []
        self.closed = False
        self._pull = pull

    def pull(self, window, rejected):
        self.windows.append(window)
        yield from self._pull(window)

    def close(self):
        self.closed = True


def spans(*ids, start_ns=NOW_NS):
    return spans_from_rows(
        [
            {"trace_id": f"{n:032x}", "span_id": f"{n:016x}", "start_ns": start_ns, "name": "s"}
            for n in ids
        ]
    )


def giving(*items):
    return lambda _: iter(items)


def failing(error):
    def pull(_):
        raise error
        yield

    return pull


def puller(source, sink=None, cursors=None, **more):
    kept: list[Node] = more.pop("nodes", [])
    more.setdefault("chance", lambda: 1.0)
    return Puller(source, sink or Archived(), cursors or Cursors(), store_nodes=kept.extend, **more)


def seconds(window):
    return [(at - NOW_NS) / SECOND_NS for at in (window.from_ns, window.until_ns)]


def test_the_first_pull_looks_ten_minutes_back():
    source, cursors = Source(giving(spans(1, 2))), Cursors()
    pulling = puller(source, cursors=cursors)

    report = pulling.pull_once(NOW_NS)

    assert seconds(source.windows[0]) == [-600, 0]
    assert cursors.kept == {"f": NOW_NS}
    assert (report.error, report.rows) == ("", {"spans": 2})
    assert pulling.state.lag_s(NOW_NS + 3 * SECOND_NS) == 3


def test_options_say_how_far_back_and_how_late():
    source = Source(giving(), replace(CONFIG, options={"since_s": 60, "lag_s": 20}))

    puller(source).pull_once(NOW_NS)

    assert seconds(source.windows[0]) == [-80, -20]


def test_the_next_pull_overlaps_the_one_before():
    source = Source(giving())
    pulling = puller(source)

    pulling.pull_once(NOW_NS)
    pulling.pull_once(NOW_NS + 5 * SECOND_NS)

    assert seconds(source.windows[1]) == [-30, 5]


def test_a_long_gap_is_worked_off_in_pieces_without_a_pause():
    source = Source(giving())
    pulling = puller(source, cursors=Cursors(f=NOW_NS - 1500 * SECOND_NS))

    pauses = [pulling.pull_once(NOW_NS).next_due_s for _ in range(3)]

    assert [seconds(window) for window in source.windows] == [
        [-1530, -900],
        [-930, -300],
        [-330, 0],
    ]
    assert pauses[:2] == [0, 0]
    assert 4 < pauses[2] <= 5


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.booleans()), max_size=20))
def test_no_time_is_passed_over_whatever_the_clock_and_the_server_do(runs):
    """Between what was read and the cursor there is never a gap."""
    broken = {"now": False}

    def pull(_):
        if broken["now"]:
            raise SourceError("down")
        return iter(())

    source, cursors = Source(pull), Cursors(f=NOW_NS)
    pulling = puller(source, cursors=cursors)
    for offset_s, broken["now"] in runs:
        before = cursors.kept["f"]
        pulling.pull_once(NOW_NS + offset_s * SECOND_NS)
        window = source.windows[-1]

        assert window.from_ns <= before - 30 * SECOND_NS
        assert window.until_ns - window.from_ns <= (PIECE_S + 30) * SECOND_NS
        assert cursors.kept["f"] == (before if broken["now"] else window.until_ns)


def test_the_cursor_waits_for_what_is_not_stored_yet():
    sink, cursors = Archived(at_once=False), Cursors()
    pulling = puller(Source(giving(spans(1), spans(2))), sink, cursors)
    thread = threading.Thread(target=pulling.pull_once, args=(NOW_NS,))
    thread.start()
    while len(sink.open) < 2:
        time.sleep(0.001)

    sink.open[0].set_result(None)
    time.sleep(0.05)
    moved_early = dict(cursors.kept)
    sink.open[1].set_result(None)
    thread.join()

    assert moved_early == {}
    assert cursors.kept == {"f": NOW_NS}


@pytest.mark.parametrize("error", [StoreError("disk full"), TimeoutError("store")])
def test_what_could_not_be_stored_is_asked_for_again(error):
    cursors = Cursors()
    source = Source(giving(spans(1)))

    report = puller(source, Archived(error=error), cursors).pull_once(NOW_NS)
    puller(source, sink := Archived(), cursors).pull_once(NOW_NS)

    assert str(error) in report.error
    assert source.windows[0] == source.windows[1]
    assert sink.ids() == [f"{1:016x}"]


def test_an_error_half_way_keeps_what_came_and_moves_no_cursor():
    def pull(_):
        yield spans(1)
        raise SourceError("broke off")

    sink, cursors = Archived(), Cursors()

    report = puller(Source(pull), sink, cursors).pull_once(NOW_NS)

    assert (report.error, cursors.kept, len(sink.ids())) == ("broke off", {}, 1)


def test_a_full_queue_is_waited_for():
    sink = Archived(refusals=3)

    report = puller(Source(giving(spans(1))), sink).pull_once(NOW_NS)

    assert (report.error, len(sink.ids())) == ("", 1)


def test_stopping_ends_the_wait_for_a_full_queue():
    stop, cursors = threading.Event(), Cursors()
    stop.set()

    report = puller(Source(giving(spans(1))), Archived(refusals=10**9), cursors).pull_once(
        NOW_NS, stop
    )

    assert "stopped" in report.error
    assert cursors.kept == {}


def test_large_batches_are_offered_in_parts():
    many = spans(*range(1, OFFER_ROWS + 2))
    sink = Archived()

    report = puller(Source(giving(many)), sink).pull_once(NOW_NS)

    assert [batch.num_rows for batch in sink.batches] == [OFFER_ROWS, 1]
    assert report.rows == {"spans": OFFER_ROWS + 1}


def test_invalid_spans_are_sifted_out_and_counted():
    later = spans(2, start_ns=NOW_NS + 10**6 * SECOND_NS)

    report = puller(Source(giving(spans(0, 1), later)), sink := Archived()).pull_once(NOW_NS)

    assert sink.ids() == [f"{1:016x}"]
    assert report.rejected.counts == {
        "span without a trace id": 1,
        "span starts in the future": 1,
    }


def test_nodes_go_to_the_graph():
    node = Agent(key="planner")
    nodes: list[Node] = []

    report = puller(Source(giving(node, node)), nodes=nodes).pull_once(NOW_NS)

    assert nodes == [node, node]
    assert report.rows == {"nodes": 2}


def test_failures_double_the_pause_up_to_five_minutes():
    pulling = puller(Source(failing(SourceError("down"))))

    pauses = [pulling.pull_once(NOW_NS).next_due_s for _ in range(8)]

    assert pauses == [10, 20, 40, 80, 160, PAUSE_MAX_S, PAUSE_MAX_S, PAUSE_MAX_S]
    assert (pulling.state.failures, pulling.state.error) == (8, "down")


def test_the_pause_is_scattered():
    pulling = puller(Source(failing(SourceError("down"))), chance=lambda: 0.0)

    assert pulling.pull_once(NOW_NS).next_due_s == 5


@pytest.mark.parametrize(("asked_s", "pause_s"), [(None, 10), (3, 10), (77, 77), (10**6, 3600)])
def test_the_server_says_when_to_come_again(asked_s, pause_s):
    pulling = puller(Source(failing(SourceError("busy", retry_after_s=asked_s))))

    assert pulling.pull_once(NOW_NS).next_due_s == pause_s


def test_a_success_ends_the_back_off():
    errors = [SourceError("down"), SourceError("down")]

    def pull(_):
        if errors:
            raise errors.pop()
        return iter(())

    pulling = puller(Source(pull))
    for _ in range(3):
        report = pulling.pull_once(NOW_NS)

    assert report.next_due_s <= 5
    assert (pulling.state.failures, pulling.state.failed, pulling.state.error) == (0, 2, "")
    assert pulling.state.last_success_ns == NOW_NS


def test_each_pull_is_one_line(caplog):
    caplog.set_level(logging.INFO, "graphmind.serving.pull_report")
    puller(Source(giving(spans(0, 1)))).pull_once(NOW_NS)
    puller(Source(failing(SourceError("down")))).pull_once(NOW_NS)

    good, bad = caplog.messages
    assert re.fullmatch(
        r"pull source=f kind=fake spans=1 rejected=1 reasons='span without a trace id' "
        r"lag_s=0.0 seconds=\S+ run_id=\w{12}",
        good,
    )
    assert re.fullmatch(
        r"pull_failed source=f kind=fake rejected=0 seconds=\S+ again_in_s=10.0 run_id=\w{12} "
        r"reason='down'",
        bad,
    )


def test_cursors_outlive_the_process(tmp_path):
    with closing(DuckArchive(tmp_path)) as archive:
        puller(Source(giving()), cursors=ArchiveCursors(archive)).pull_once(NOW_NS)
    with closing(DuckArchive(tmp_path)) as archive:
        cursors = ArchiveCursors(archive)

        assert (cursors.load("f"), cursors.load("other")) == (NOW_NS, None)


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited 20 s"
        time.sleep(0.01)


def test_broken_sources_stop_no_other():
    """One answers garbage, one never answers, one has a bug; the fourth is read on and on."""
    over, stop = threading.Event(), threading.Event()
    good = Source(giving(spans(1)), replace(CONFIG, name="good", every_s=0.01))
    buggy = Source(failing(ZeroDivisionError("bug")), replace(CONFIG, name="buggy", every_s=0.01))

    def jaeger(name, url):
        config = SourceConfig(kind="jaeger", name=name, url=url, every_s=0.01, timeout_s=0.3)
        return open_jaeger(config)

    with (
        serving(lambda _: Answer(body=b"{\x00 garbage")) as garbage,
        serving(lambda _: Answer(silent_until=over)) as silent,
    ):
        sources = [good, buggy, jaeger("garbage", garbage.url), jaeger("silent", silent.url)]
        pullers = [puller(source) for source in sources]
        threads = run_pullers(pullers, stop)
        try:
            until(lambda: all(each.state.failed for each in pullers[1:]))
            errors = [each.state.error for each in pullers[1:]]
            pulls = pullers[0].state.pulls
            until(lambda: pullers[0].state.pulls > pulls + 2)
        finally:
            stop.set()
            over.set()
            for thread in threads:
                thread.join(20)

    assert [thread.name for thread in threads] == [
        "pull-good", "pull-buggy", "pull-garbage", "pull-silent",
    ]  # fmt: skip
    assert not any(thread.is_alive() for thread in threads)
    assert good.closed
    assert buggy.closed
    assert pullers[0].state.failed == 0
    assert errors[0] == "ZeroDivisionError: bug"
    assert "expected JSON" in errors[1]
    assert "does not answer within 0.3 s" in errors[2]


def test_credentials_that_expire_are_told_and_the_source_recovers():
    status = {"now": 200}

    def answer(asked):
        if status["now"] != 200:
            return Answer(status=status["now"])
        return Answer.of({"services": []})

    with serving(answer) as server:
        config = SourceConfig(kind="jaeger", name="j", url=server.url, token="s3cr3t-token")
        with closing(puller(open_jaeger(config))) as pulling:
            errors = []
            for status["now"] in (200, 401, 200):
                errors.append(pulling.pull_once(NOW_NS).error)

    assert errors[0] == errors[2] == ""
    assert "credentials refused or expired (status 401): set `token`" in errors[1]
    assert "s3cr3t" not in errors[1]
