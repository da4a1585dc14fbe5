"""Traces that left the live ones: found again by whatever arrives of them."""

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.archive.extents import LEAVE_EVERY, QUIET_MS
from graphmind.archive.port import Selection
from tests.archive.rows import facts, ids, resolved, span


@pytest.fixture
def folder(tmp_path):
    """An archive in which the trace a has left, and b has not."""
    with DuckArchive(tmp_path) as archive:
        archive.append([resolved(span("a", "1"))])
        archive.store_facts(facts(("a", 0)))
        archive.append([resolved(span("b", "1"))])
        assert standing(archive) == {"live_extents": ["b"], "past_extents": ["a"]}
    return tmp_path


def standing(archive):
    with archive._file.cursor() as cursor:
        rows = {
            table: cursor.execute(f"SELECT trace_id FROM {table} ORDER BY 1").fetchall()
            for table in ("live_extents", "past_extents")
        }
    return {table: [name for (name,) in found] for table, found in rows.items()}


def test_what_is_repeated_of_a_trace_that_left_is_a_repeat(folder):
    with DuckArchive(folder) as archive:
        again = archive.add(resolved(span("a", "1"), span("c", "1")), at_ms=1)

        assert (again.new, again.duplicate, again.traces) == (1, 1, 1)
        assert archive.unsettled().to_pylist() == ["b", "c"]
        assert standing(archive) == {"live_extents": ["b", "c"], "past_extents": ["a"]}


@pytest.mark.parametrize("way", ["add", "append"])
def test_a_trace_that_left_comes_back_when_it_gains(folder, way):
    late = resolved(span("a", "2", parent_span_id="1"))
    with DuckArchive(folder) as archive:
        archive.add(late, at_ms=1) if way == "add" else archive.append([late])

        assert archive.unsettled().to_pylist() == ["a", "b"]
        assert archive.starts(Selection()).num_rows == 2
        assert archive.spans(Selection(trace_ids=ids("a"))).num_rows == 2
        assert standing(archive) == {"live_extents": ["a", "b"], "past_extents": []}


def test_a_trace_is_selected_wherever_it_stands(folder):
    with DuckArchive(folder) as archive:
        for wanted in (["a"], ["b"], ["a", "b"]):
            spans = archive.bare_spans(Selection(trace_ids=ids(*wanted)))
            assert sorted(spans["trace_id"].to_pylist()) == wanted


def test_a_pruned_trace_comes_as_a_new_one(folder):
    with DuckArchive(folder) as archive:
        assert archive.prune(10**18) == 2
        assert archive.add(resolved(span("a", "1")), at_ms=1).new == 1
        assert standing(archive) == {"live_extents": ["a"], "past_extents": []}


def test_under_a_stream_only_what_has_settled_and_was_quiet_leaves():
    with DuckArchive(None) as archive:
        rows = [span("settled", "1"), span("open", "1"), span("open", "2", end_ns=None)]
        archive.add(resolved(*rows, span("unsettled", "1")), at_ms=1)
        archive.add(resolved(span("recent", "1")), at_ms=QUIET_MS)
        archive.store_facts(facts(("settled", 0), ("open", 0), ("recent", 0)))
        for number in range(LEAVE_EVERY):
            archive.add(resolved(span(f"new {number}", "1")), at_ms=QUIET_MS + 1)

        assert standing(archive)["past_extents"] == ["settled"]
        assert {"open", "recent", "unsettled"} <= set(standing(archive)["live_extents"])
