"""Who writes next: what is short does not wait for the end of what is long."""

import threading
import time

import pytest

from graphmind.graph.turns import Turns

STATEMENTS = 40


def test_what_is_short_comes_between_two_statements_of_a_load():
    turns, begun = Turns(), threading.Event()
    done: list[str] = []

    def load() -> None:
        for _ in range(STATEMENTS):
            with turns.part():
                begun.set()
                time.sleep(0.005)
                done.append("part")

    loading = threading.Thread(target=load)
    loading.start()
    begun.wait()
    for _ in range(3):
        with turns.at_once():
            done.append("at once")
    loading.join()

    assert done.count("part") == STATEMENTS
    # Each waits for the statement under way at most, wherever threads are switched.
    assert done[:12].count("at once") == 3


def test_one_writes_at_a_time_and_a_failure_gives_the_turn_back():
    turns = Turns()
    writing, most = 0, 0

    def write(turn) -> None:
        nonlocal writing, most
        for _ in range(20):
            with turn():
                writing += 1
                most = max(most, writing)
                time.sleep(0.0005)
                writing -= 1

    with pytest.raises(OSError, match="no disk"), turns.at_once():
        raise OSError("no disk")
    threads = [
        threading.Thread(target=write, args=(each,))
        for each in (turns.part, turns.at_once, turns.part, turns.at_once)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=20)

    assert not any(each.is_alive() for each in threads)
    assert most == 1
