"""How far back a live analysis looks."""

import pyarrow as pa

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.jobs.window import read_newest
from tests.archive.rows import facts, resolved, span

NAMES = [f"{n:02}" for n in range(40)]


def filled(failing_every: int) -> DuckArchive:
    archive = DuckArchive(None)
    archive.append([resolved(*(span(name, "1", start_ns=int(name)) for name in NAMES))])
    given = facts(*((name, int(name)) for name in NAMES))
    outcomes = ["ok" if int(name) % failing_every else "failed" for name in NAMES]
    place = given.traces.schema.get_field_index("outcome")
    traces = given.traces.set_column(place, "outcome", pa.array(outcomes))
    archive.store_facts(given.__class__(**{**vars(given), "traces": traces}))
    return archive


def test_a_window_in_which_few_fail_is_read_whole():
    read = read_newest(filled(failing_every=20), Selection(), 40)

    assert read.traces["trace_id"].to_pylist() == NAMES


def test_a_window_in_which_many_fail_is_read_from_where_half_of_the_traces_fail():
    read = read_newest(filled(failing_every=2), Selection(), 20)

    failing = [row for row in read.traces.to_pylist() if row["outcome"] == "failed"]
    assert [row["trace_id"] for row in failing] == [f"{n:02}" for n in range(20, 40, 2)]
    assert min(read.traces["start_ns"].to_pylist()) == 20
