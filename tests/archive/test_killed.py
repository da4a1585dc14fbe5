import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from graphmind.archive.database import FILE
from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Appended, Selection
from tests.archive.appending import APPENDS_PER_TRACE, SPANS, batch, derived

KILLS = 10
CHECKOUT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["append", "add"])
def test_killed_at_any_moment_it_opens_and_holds_all_that_was_acknowledged(tmp_path: Path, way):
    chance = random.Random(1)
    first = 0
    for _ in range(KILLS):
        acknowledged = kill_while_appending(tmp_path, first, way, chance)
        with DuckArchive(tmp_path) as archive:
            first = check(archive, acknowledged)

    assert (tmp_path / FILE).stat().st_size > 0


def kill_while_appending(
    folder: Path, first: int, way: str, chance: random.Random
) -> dict[str, int]:
    """Number of the last append and of the last facts that were acknowledged before the end."""
    command = [sys.executable, "-m", "tests.archive.appending", str(folder), str(first), way]
    acknowledged = {"spans": first - 1, "facts": first - 1}
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        lines = iter(child.stdout)
        for line in (next(lines) for _ in range(chance.randrange(2, 40))):
            acknowledged[line.split()[0]] = int(line.split()[1])
        time.sleep(chance.random() * 0.05)  # about one append
        child.kill()
        for line in lines:
            acknowledged[line.split()[0]] = int(line.split()[1])
    return acknowledged


def check(archive: DuckArchive, acknowledged: dict[str, int]) -> int:
    """Hold the archive against what was acknowledged; answer where the next process goes on."""
    spans = archive.counts()["spans"]
    stored, torn = divmod(spans, SPANS)
    assert torn == 0
    assert stored - 1 in {acknowledged["spans"], acknowledged["spans"] + 1}
    again = archive.append(batch(number) for number in range(stored))
    assert again == Appended(new=0, duplicate=spans, traces=0)

    facts = archive.facts(Selection())
    items = Counter(facts.items["trace_id"].to_pylist())
    for trace_id, number in zip(*facts.traces.select(["trace_id", "start_ns"]), strict=True):
        assert items[trace_id.as_py()] == number.as_py() % APPENDS_PER_TRACE + 1
    last = max((number.as_py() for number in facts.traces["start_ns"]), default=-1)
    assert acknowledged["facts"] <= last < stored
    archive.store_facts(derived(stored - 1))
    assert archive.unsettled().to_pylist() == []
    return stored
