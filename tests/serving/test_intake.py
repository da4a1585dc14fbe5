import threading
import time
from collections.abc import Sequence
from concurrent.futures import wait

import pyarrow as pa
import pytest

from graphmind.errors import Overloaded, StoreError
from graphmind.serving.intake import GROUP_ROWS_MAX, Intake
from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.spans import spans_from_rows
from tests.builders import span


class Store:
    """Remembers what it was given; waits while it is shut; fails as it is told."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.groups: list[tuple[str, list[str]]] = []
        self.failure: Exception | None = None
        self.poison = ""

    def __call__(self, signal: str, batches: Sequence[pa.RecordBatch]) -> None:
        self.open.wait(10)
        if self.failure:
            raise self.failure
        names = [name for batch in batches for name in batch.column(0).to_pylist()]
        if self.poison in names:
            raise ValueError(self.poison)
        self.groups.append((signal, names))


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def intake(store):
    intake = Intake(store, rows_max=100)
    intake.start()
    yield intake
    store.open.set()
    intake.close()


def batch(*names: str) -> pa.RecordBatch:
    return spans_from_rows([span("1", trace=name) for name in names])


def test_a_batch_is_done_when_it_is_stored(store, intake):
    intake.offer(batch("a", "b")).result(5)

    assert store.groups == [("spans", ["a", "b"])]
    assert intake.counts.rows["spans"] == 2


def test_what_waits_is_stored_by_one_commit_in_order(store, intake):
    store.open.clear()
    first = intake.offer(batch("a"))
    until(lambda: intake.waiting() == 1 and not intake._queue)
    rest = [intake.offer(batch(name)) for name in "bcd"]
    store.open.set()
    wait([first, *rest], 5)

    assert store.groups == [("spans", ["a"]), ("spans", ["b", "c", "d"])]


def test_signals_are_stored_apart(store, intake):
    log = pa.RecordBatch.from_arrays([pa.nulls(1, field.type) for field in LOGS], schema=LOGS)
    store.open.clear()
    first = intake.offer(batch("a"))
    until(lambda: not intake._queue)
    rest = [intake.offer(each) for each in (log, batch("b"), log, batch("c"))]
    store.open.set()
    wait([first, *rest], 5)

    assert [signal for signal, _ in store.groups] == ["spans", "logs", "spans"]
    assert store.groups[-1] == ("spans", ["b", "c"])


def test_few_rows_wait_for_more_until_a_whole_group_is_there(store):
    intake = Intake(store, rows_max=10 * GROUP_ROWS_MAX, apart_s=60)
    intake.start()
    intake.offer(batch("a")).result(5)
    few = [intake.offer(batch("b")), intake.offer(batch("c"))]
    assert not any(each.done() for each in few)
    wait([*few, intake.offer(batch(*["d"] * GROUP_ROWS_MAX))], 5)
    last = intake.offer(batch("e"))
    intake.close()

    assert last.done()
    assert [len(names) for _, names in store.groups] == [1, GROUP_ROWS_MAX + 2, 1]


def test_a_full_queue_refuses_at_once_and_takes_more_when_there_is_room(store, intake):
    store.open.clear()
    taken = [intake.offer(batch(*["a"] * 60))]
    until(lambda: not intake._queue)
    taken.append(intake.offer(batch(*["b"] * 40)))

    with pytest.raises(Overloaded, match="room in a queue of 100 rows, 100 wait") as refused:
        intake.offer(batch("c"))
    assert refused.value.retry_after_s >= 1
    store.open.set()
    wait(taken, 5)
    intake.offer(batch("c")).result(5)

    assert intake.counts.refused == 1
    assert [len(names) for _, names in store.groups] == [60, 40, 1]


def test_a_batch_larger_than_the_queue_is_taken_when_nothing_waits(store, intake):
    intake.offer(batch(*["a"] * 500)).result(5)

    assert len(store.groups[0][1]) == 500


def test_a_store_that_does_not_answer_fails_all_that_it_was_given_and_nothing_later(store, intake):
    store.failure = StoreError("disk full")
    with pytest.raises(StoreError, match="disk full"):
        intake.offer(batch("a")).result(5)
    store.failure = None
    intake.offer(batch("b")).result(5)

    assert intake.counts.failed == 1
    assert store.groups == [("spans", ["b"])]


def test_a_batch_that_breaks_costs_no_other(store, intake):
    store.poison = "bad"
    store.open.clear()
    first = intake.offer(batch("a"))
    until(lambda: not intake._queue)
    good, bad, other = (intake.offer(batch(name)) for name in ("b", "bad", "c"))
    store.open.set()
    wait([first, good, bad, other], 5)

    assert isinstance(bad.exception(), StoreError)
    assert good.exception() is None
    assert other.exception() is None
    assert sorted(names[0] for _, names in store.groups) == ["a", "b", "c"]


def test_an_empty_batch_is_done_at_once(store, intake):
    assert intake.offer(batch()).done()


def test_closing_stores_what_waits_and_refuses_the_rest(store):
    intake = Intake(store, rows_max=10 * GROUP_ROWS_MAX)
    store.open.clear()
    waiting = [intake.offer(batch(name)) for name in "abc"]
    intake.start()
    closing = threading.Thread(target=intake.close)
    closing.start()
    until(lambda: intake._closing)
    with pytest.raises(Overloaded, match="stopping"):
        intake.offer(batch("d"))
    store.open.set()
    closing.join(5)

    assert all(one.done() and one.exception() is None for one in waiting)
    assert not intake.alive()


def test_a_sender_that_gave_up_is_stored_all_the_same(store, intake):
    store.open.clear()
    first = intake.offer(batch("a"))
    until(lambda: not intake._queue)
    given_up = intake.offer(batch("b"))
    given_up.cancel()
    last = intake.offer(batch("c"))
    store.open.set()
    wait([first, last], 5)

    assert [name for _, names in store.groups for name in names] == ["a", "b", "c"]


def until(true) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it did not come to pass in 5 s")
