"""Killed at any moment, pulling loses nothing and keeps nothing twice."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from tests.live.pulling import SINCE_S
from tests.loaders.pull.serving import Answer, serving

TRACES, KILLS = 3000, 6
SECOND_NS = 10**9
NOW_NS = 1_795_000_000 * SECOND_NS
CHECKOUT = Path(__file__).parents[2]


def start_ms(number):
    """Spread over all of the time that is pulled, but its last second."""
    return (NOW_NS // SECOND_NS - int(SINCE_S)) * 1000 + number * (
        int(SINCE_S) - 1
    ) * 1000 // TRACES


def zipkin(asked):
    until_ms = int(asked.query["endTs"])
    from_ms = until_ms - int(asked.query["lookback"])
    found = [number for number in range(TRACES) if from_ms <= start_ms(number) <= until_ms]
    return Answer.of([[span(number)] for number in found[-int(asked.query["limit"]) :]])


def span(number):
    return {
        "traceId": f"{number + 1:032x}",
        "id": f"{number + 1:016x}",
        "name": "task",
        "timestamp": start_ms(number) * 1000,
        "duration": 10,
        "localEndpoint": {"serviceName": "planner"},
    }


@pytest.mark.slow
def test_every_trace_is_kept_once_however_often_the_process_is_killed(tmp_path):
    chance = random.Random(5)
    with serving(zipkin) as server:
        command = [sys.executable, "-m", "tests.live.pulling", tmp_path, server.url, str(NOW_NS)]
        kills = 0
        for _ in range(KILLS):
            with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as child:
                assert child.stdout
                for _ in range(chance.randrange(3)):
                    child.stdout.readline()
                time.sleep(chance.random() * 0.2)
                kills += child.poll() is None
                child.kill()
        subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL, timeout=120)

    assert kills > 2
    with DuckArchive(tmp_path) as archive:
        kept = archive.spans(Selection())["trace_id"].to_pylist()
    assert kept == [f"{number + 1:032x}" for number in range(TRACES)]
