import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from graphmind.errors import StoreBusy, StoreError
from graphmind.graph.embedded import LOADING, open_embedded
from graphmind.graph.port import Counters, GraphRows
from tests.contracts.graph_store import ExploringContract, GraphStoreContract, content
from tests.graph.planted import planted


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory):
    store = open_embedded(tmp_path_factory.mktemp("embedded"))
    yield store
    store.close()


class TestEmbedded(GraphStoreContract, ExploringContract):
    """The contract on the embedded engine."""


def test_a_folder_that_a_running_process_owns_is_refused_with_who_and_what_to_do(tmp_path: Path):
    idle = running("import time; time.sleep(60)", tmp_path)
    with idle as owner, pytest.raises(StoreBusy) as refused:
        open_embedded(tmp_path)

    assert f"pid and command: {owner.pid} " in str(refused.value)
    assert "ask it over HTTP if it is `graphmind serve`" in str(refused.value)


def test_a_folder_that_this_process_owns_already_is_refused(tmp_path: Path):
    store = open_embedded(tmp_path)

    with pytest.raises(StoreBusy):
        open_embedded(tmp_path)
    store.close()


def test_a_closed_graph_may_be_opened_again(tmp_path: Path):
    first = open_embedded(tmp_path)
    first.ensure_schema()
    first.upsert(planted())
    before = content(first)
    first.close()

    second = open_embedded(tmp_path)

    assert content(second) == before
    second.close()


def test_a_data_folder_that_cannot_be_written_is_refused_with_what_to_do(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match=r"folder that can be written.*--data-dir or GRAPHMIND_DA"):
        open_embedded(tmp_path / "file" / "data")


def test_a_file_in_the_place_of_the_graph_is_refused(tmp_path: Path):
    (tmp_path / "graph").touch()

    with pytest.raises(StoreError, match="cannot be opened"):
        open_embedded(tmp_path)


def test_a_first_load_that_was_cut_off_is_begun_anew(tmp_path: Path):
    store = open_embedded(tmp_path)
    store.ensure_schema()
    store.upsert(GraphRows(nodes={"Trace": [{"traceId": "half"}]}))
    store.close()
    (tmp_path / f"graph.{LOADING}").touch()

    again = open_embedded(tmp_path)
    again.ensure_schema()

    assert content(again) == []
    assert not (tmp_path / f"graph.{LOADING}").exists()
    again.close()


def test_a_refused_first_load_leaves_the_graph_usable(tmp_path: Path):
    store = open_embedded(tmp_path)
    store.ensure_schema()
    with pytest.raises(StoreError, match="should be text"):
        store.upsert(GraphRows(nodes={"Tool": [{"name": None}]}))

    assert store.upsert(planted()).nodes_created == 29
    store.close()
    assert not (tmp_path / f"graph.{LOADING}").exists()


def test_nothing_is_written_after_a_first_load_broke_off(tmp_path: Path):
    store = open_embedded(tmp_path)
    store.ensure_schema()
    with pytest.raises(StoreError, match="The first load broke off, load again"):
        store.upsert(GraphRows(nodes={"Tool": [{"name": "a"}, {"name": "b\ud800"}]}))

    with pytest.raises(StoreError, match="closed"):
        store.upsert(planted())
    again = open_embedded(tmp_path)
    assert content(again) == []
    again.close()


def test_nothing_is_printed_and_the_log_is_in_the_data_folder(tmp_path: Path):
    with running("store.upsert(rows(0)); store.close()", tmp_path) as done:
        printed, complaint = done.communicate(timeout=60)

    assert (printed, complaint) == ("", "")
    assert (tmp_path / "logs").is_dir()
    assert not (tmp_path / "graph.pid").exists()


@pytest.mark.slow
@pytest.mark.parametrize("acknowledged_max", [1, 2, 5, 9])
def test_a_process_killed_while_it_writes_loses_nothing_it_acknowledged(
    tmp_path: Path, acknowledged_max
):
    write = "for n in range(1000): store.upsert(rows(n)); print(n, flush=True)"
    with running(write, tmp_path) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(acknowledged_max)]
        writer.send_signal(signal.SIGKILL)
    store = open_embedded(tmp_path)
    store.ensure_schema()

    written = store.explore(
        "MATCH (t:Trace)-[:CALLED]->(:Tool) RETURN t.traceId AS id",
        {},
        row_limit=100_000,
        timeout_s=60,
    )

    assert {row["id"] for row in written} >= {f"{n}-{i}" for n in acknowledged for i in range(500)}
    for n in acknowledged:
        assert store.upsert(ROWS["rows"](n)) == Counters()
    store.close()


@pytest.mark.slow
def test_a_first_load_killed_midway_can_be_repeated(tmp_path: Path):
    marker = tmp_path / f"graph.{LOADING}"
    with running("store.upsert(rows(0, 50_000))", tmp_path) as writer:
        while not marker.exists():
            time.sleep(0.01)
        time.sleep(0.2)
        writer.send_signal(signal.SIGKILL)
    assert marker.exists()
    store = open_embedded(tmp_path)
    store.ensure_schema()

    assert store.upsert(ROWS["rows"](0, 50_000)) == Counters(
        nodes_created=50_001, relationships_created=50_000
    )
    store.close()


WRITER = """
import sys
from pathlib import Path
from graphmind.graph.embedded import open_embedded
from graphmind.graph.port import GraphRows

def rows(n, count=500):
    ids = [f"{n}-{i}" for i in range(count)]
    return GraphRows(
        nodes={"Trace": [{"traceId": id} for id in ids], "Tool": [{"name": "x"}]},
        edges={("Trace", "CALLED", "Tool"): [{"from": id, "to": "x"} for id in ids]},
    )
"""
ROWS: dict[str, Any] = {}
exec(WRITER, ROWS)  # the writer's own rows, so that what it wrote can be compared
OPENED = """
store = open_embedded(Path(sys.argv[1]))
store.ensure_schema()
"""


@contextmanager
def running(program: str, data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a program on an open store in another process; wait until it is open, kill it after."""
    code = f"{WRITER}{OPENED}{program}"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while process.poll() is None and not _is_written(data_dir / "graph.pid"):
            time.sleep(0.02)
        with process:
            yield process
            process.kill()
    finally:
        process.kill()


def _is_written(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
