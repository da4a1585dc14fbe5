"""A runner killed at every point of a repair against a real Redis: done once, or undone."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as client_of

from graphmind.repair.graph_journal import verify_journal
from graphmind.repair.record import StepState
from graphmind.repair.states import State
from tests.live.run_repair import EFFECTS, finished, opened
from tests.live.servers import redis

pytestmark = [pytest.mark.live, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
APPLIED = [f"apply:{target}" for target in "abcd"]
UNDONE = [*APPLIED[:3], "undo:c", "undo:b", "undo:a"]
RUN_POINTS = 2 + 4 * 6
"""Both ends of the run's transaction, of each step's two and of its call."""
BACK_POINTS = 2 + 3 * 6 + 4 + 2 + 3 * 6 + 2
"""Three steps, one that is refused, the turn, three undone, the end."""
KILLS = 12


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    with redis(tmp_path_factory.mktemp("redis")) as at:
        yield at


@pytest.fixture
def server(port) -> Iterator[client_of.Redis]:
    client = client_of.Redis(port=port, decode_responses=True)
    client.flushall()
    yield client
    client.close()


def started(folder: Path, port: int, point: int, *refused: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.live.run_repair", str(folder), str(port), *refused],
        env={**os.environ, "KILL_POINT": str(point)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def killed(folder: Path, port: int, point: int, *refused: str) -> bool:
    """Run until the point; return whether it was reached."""
    with started(folder, port, point, *refused) as process:
        process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode != 0


@pytest.mark.parametrize("point", range(1, RUN_POINTS + 1))
def test_a_killed_run_is_finished_and_each_step_took_effect_once(tmp_path, port, server, point):
    assert killed(tmp_path, port, point)

    with opened(tmp_path, port) as (journal, runner):
        found = finished(journal, runner)
        assert found.state is State.VERIFYING
        assert {run.state for run in found.steps} == {StepState.APPLIED}
        assert server.lrange(EFFECTS, 0, -1) == APPLIED
        assert server.mget(*"abcd") == ["new"] * 4
        assert list(verify_journal(journal)) == []


@pytest.mark.parametrize("point", range(RUN_POINTS - 6, BACK_POINTS + 1))
def test_a_killed_roll_back_is_finished_and_nothing_is_left(tmp_path, port, server, point):
    assert killed(tmp_path, port, point, "d")

    with opened(tmp_path, port, "d") as (journal, runner):
        found = finished(journal, runner)
        assert found.state is State.ROLLED_BACK
        assert server.lrange(EFFECTS, 0, -1) == UNDONE
        assert server.mget(*"abc") == ["old"] * 3
        assert server.get("d") is None
        assert list(verify_journal(journal)) == []


def test_no_further_point_is_reached(tmp_path, port, server):
    assert not killed(tmp_path / "run", port, RUN_POINTS + 1)
    server.flushall()
    assert not killed(tmp_path / "back", port, BACK_POINTS + 1, "d")


def test_a_runner_killed_at_any_moment_again_and_again_leaves_nothing_half_done(
    tmp_path, port, server
):
    """In the midst of a commit or a call too: the moment is chance, the end is not."""
    chance = random.Random(11)
    for _ in range(KILLS):
        with started(tmp_path, port, 0) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.05))
            process.kill()

    with opened(tmp_path, port) as (journal, runner):
        found = finished(journal, runner)
        effects = server.lrange(EFFECTS, 0, -1)
        assert len(effects) == len(set(effects))
        if found.state is State.VERIFYING:
            assert effects == APPLIED
        else:  # It was killed at each attempt of one step.
            assert found.state in (State.ROLLED_BACK, State.FAILED)
            assert {*server.mget(*"abcd")} <= {"old", None}
        assert list(verify_journal(journal)) == []
