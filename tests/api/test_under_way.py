"""Repairs that run on after their request was answered, and streams that end."""

import asyncio
import logging
import threading
from dataclasses import replace

import pytest
from graphmind_api.repair_events import events_of
from graphmind_api.under_way import UnderWay

from graphmind.errors import StoreError
from graphmind.repair.states import NotAllowed, State
from tests.repair.repairs import repair


@pytest.fixture
def calls():
    opened = UnderWay(wait_s=0.05)
    yield opened
    opened.close()


def test_what_ends_at_once_is_the_answer(calls):
    assert calls.begin("r1", lambda: repair("r1")) == repair("r1")


@pytest.mark.parametrize("error", [NotAllowed("it runs"), TimeoutError("of its own")])
def test_what_is_refused_at_once_is_raised(calls, error):
    def refuse():
        raise error

    with pytest.raises(type(error), match=str(error)):
        calls.begin("r1", refuse)


def test_what_takes_longer_goes_on_and_closing_waits_for_it():
    calls, go, ended = UnderWay(wait_s=0.05), threading.Event(), threading.Event()

    def slow():
        assert go.wait(10)
        ended.set()
        return repair("r1")

    assert calls.begin("r1", slow) is None
    assert not ended.is_set()
    go.set()
    calls.close()
    assert ended.is_set()


def test_what_fails_later_is_logged(caplog):
    calls, go = UnderWay(wait_s=0.05), threading.Event()

    def fail_late():
        assert go.wait(10)
        raise StoreError("gone")

    with caplog.at_level(logging.ERROR):
        assert calls.begin("r7", fail_late) is None
        go.set()
        calls.close()

    assert "repair_ended_early repair_id=r7" in caplog.text


class Shown:
    """A desk that shows one repair after the other, the last one for good."""

    def __init__(self, *shown):
        self._shown = list(shown)

    def get(self, repair_id):
        found = self._shown.pop(0) if len(self._shown) > 1 else self._shown[0]
        if isinstance(found, Exception):
            raise found
        return found


def streamed(desk, *, is_closing=lambda: False, **pauses):
    async def read():
        pauses_s = {"look_every_s": 0.001, "alive_every_s": 60.0} | pauses
        stream = events_of(desk, "r1", is_closing=is_closing, **pauses_s)
        return [text async for text in stream]

    return asyncio.run(read())


def versions(*states):
    return [replace(repair("r1"), version=n, state=state) for n, state in enumerate(states, 1)]


def test_each_version_is_told_once_and_the_end_ends_the_stream():
    running, over = versions(State.RUNNING, State.ROLLED_BACK)
    told = streamed(Shown(running, running, running, over))

    assert [text.splitlines()[:2] for text in told] == [
        ["event: repair", "id: 1"],
        ["event: repair", "id: 2"],
    ]


def test_a_quiet_stream_says_that_it_lives():
    running, over = versions(State.RUNNING, State.FAILED)
    told = streamed(Shown(*[running] * 5, over), alive_every_s=0.002)

    assert ": alive\n\n" in told


@pytest.mark.parametrize("end", ["store", "server"])
def test_a_store_or_a_server_that_goes_ends_the_stream(end):
    (running,) = versions(State.RUNNING)
    looks = iter([False, True])
    if end == "store":
        told = streamed(Shown(running, StoreError("gone")))
    else:
        told = streamed(Shown(running), is_closing=lambda: next(looks))

    assert len(told) == 1
