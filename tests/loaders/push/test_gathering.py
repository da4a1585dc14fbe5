import time
from concurrent.futures import Future, wait

import pyarrow as pa
import pytest
from graphmind_loaders.push.gathering import Gathering
from graphmind_loaders.push.intake import Intake
from graphmind_loaders.push.signals import PROTOBUF, SIGNALS

from graphmind.errors import Overloaded, SourceError
from graphmind.settings import Settings
from tests.loaders.push.sending import NOW_NS, traces
from tests.loaders.push.sinks import Waiting

TRACES = next(signal for signal in SIGNALS if signal.name == "traces")
YEARS_NS = 10 * 365 * 86_400 * 10**9


class Counting:
    """Keeps every batch at once, and how many rows each had."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def offer(self, batch: pa.RecordBatch) -> Future[None]:
        self.rows.append(batch.num_rows)
        done: Future[None] = Future()
        done.set_result(None)
        return done


class Full:
    """Has room for nothing."""

    def __init__(self) -> None:
        self.offers = 0

    def offer(self, batch: pa.RecordBatch) -> Future[None]:
        self.offers += 1
        raise Overloaded(f"no room for {batch.num_rows}", retry_after_s=1.0)


@pytest.fixture
def sink():
    return Counting()


@pytest.fixture
def gathering(sink):
    intake = Intake(sink=sink, settings=Settings(), now_ns=lambda: NOW_NS)
    gathering = Gathering(intake, name="decode")
    yield gathering
    gathering.close()


def offered(gathering, *bodies):
    """Offer bodies while the thread is busy, so that they are met together."""
    with gathering._changed:
        futures = [gathering.offer(TRACES, PROTOBUF, body) for body in bodies]
    wait(futures, 10)
    return futures


def test_bodies_that_come_at_once_are_one_batch(gathering, sink):
    futures = offered(gathering, traces(3), traces(4, name="b"), traces(5, name="c"))

    assert sink.rows == [12]
    assert sum(future.result().records for future in futures) == 12


def test_a_broken_body_is_refused_and_costs_no_other(gathering, sink):
    good, broken, other = offered(gathering, traces(3), b"\x0a\xff", traces(4, name="b"))

    assert isinstance(broken.exception(), SourceError)
    assert [good.result().records, other.result().records] == [3, 4]
    assert sink.rows == [3, 4]


def test_each_sender_is_told_of_its_own_rejected_spans(gathering, sink):
    late = traces(2, name="b", start_ns=NOW_NS + YEARS_NS)
    good, rejecting = offered(gathering, traces(3), late)

    assert good.result().rejected.counts == {}
    assert sum(rejecting.result().rejected.counts.values()) == 2
    assert sink.rows == [3]


def test_half_a_message_and_its_rest_are_not_joined_to_a_whole_one(gathering, sink):
    whole = traces(6)
    halves = offered(gathering, whole[:40], whole[40:])

    assert all(isinstance(future.exception(), SourceError) for future in halves)
    assert sink.rows == []


def test_closing_decodes_what_waits(sink):
    intake = Intake(sink=sink, settings=Settings(), now_ns=lambda: NOW_NS)
    gathering = Gathering(intake, name="decode")
    future = gathering.offer(TRACES, PROTOBUF, traces(2))
    gathering.close()

    assert future.result(0).records == 2


def test_bodies_gather_while_others_are_being_stored():
    sink = Waiting()
    gathering = Gathering(Intake(sink=sink, settings=Settings(), now_ns=lambda: NOW_NS), name="x")
    first = gathering.offer(TRACES, PROTOBUF, traces(2))
    wait([first], 10)
    later = [gathering.offer(TRACES, PROTOBUF, traces(3, name=name)) for name in "ab"]
    time.sleep(0.2)
    early = [future.done() for future in later]
    sink.keep()
    wait(later, 10)
    gathering.close()

    assert early == [False, False]
    assert sink.rows == 8
    assert len(sink.futures) == 2


def test_more_than_the_queue_holds_is_refused_while_something_waits():
    sink = Waiting()
    settings = Settings(queue_spans=20)
    gathering = Gathering(Intake(sink=sink, settings=settings, now_ns=lambda: NOW_NS), name="x")
    first = gathering.offer(TRACES, PROTOBUF, traces(2))
    wait([first], 10)
    gathering.offer(TRACES, PROTOBUF, traces(3, name="waits"))

    with pytest.raises(Overloaded, match="20 records"):
        gathering.offer(TRACES, PROTOBUF, b"\x00" * 100_000)
    sink.keep()
    gathering.close()
    assert sink.rows == 5


def test_what_is_being_stored_counts_as_waiting():
    sink = Waiting()
    settings = Settings(queue_spans=20)
    gathering = Gathering(Intake(sink=sink, settings=settings, now_ns=lambda: NOW_NS), name="x")
    wait([gathering.offer(TRACES, PROTOBUF, traces(18))], 10)
    with pytest.raises(Overloaded, match="wait to be stored"):
        gathering.offer(TRACES, PROTOBUF, traces(18, name="more"))
    sink.keep()
    after = gathering.offer(TRACES, PROTOBUF, traces(18, name="after"))
    wait([after], 10)
    gathering.close()

    assert sink.rows == 36


def test_a_group_that_finds_the_queue_full_is_refused_as_a_whole():
    sink = Full()
    gathering = Gathering(Intake(sink=sink, settings=Settings(), now_ns=lambda: NOW_NS), name="x")
    futures = offered(gathering, *(traces(2, name=str(n)) for n in range(6)))
    gathering.close()

    assert {type(future.exception()) for future in futures} == {Overloaded}
    assert sink.offers == 1
