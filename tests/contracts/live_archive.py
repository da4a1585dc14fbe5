"""What every archive must do for a live server: which traces are due, and which look bad."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pyarrow as pa
import pytest

from graphmind.archive.port import Archive, Patience, Selection
from tests.archive.rows import facts, ids, resolved, span

ALL = Selection()


class LiveArchiveContract:
    """The promises of ``graphmind.archive.port`` that settling stands on."""

    def open_empty(self) -> AbstractContextManager[Archive]:
        raise NotImplementedError

    @pytest.fixture
    def archive(self) -> Iterator[Archive]:
        with self.open_empty() as archive:
            yield archive

    def test_a_trace_is_due_once_its_root_ended_and_it_was_quiet(self, archive: Archive):
        archive.add(resolved(span("a", "1"), span("a", "2", parent_span_id="1")), at_ms=1_000)
        archive.add(resolved(span("b", "1")), at_ms=2_500)

        assert due(archive, 2_999) == []
        assert due(archive, 3_000) == ["a"]
        assert due(archive, 4_500) == ["a", "b"]
        assert due(archive, 4_500, traces_max=1) == ["a"]

    def test_a_trace_without_its_root_is_due_when_it_is_overdue(self, archive: Archive):
        archive.add(resolved(span("a", "2", parent_span_id="1")), at_ms=1_000)

        assert due(archive, 10_999) == []
        assert due(archive, 11_000) == ["a"]

    def test_a_trace_with_an_open_span_is_due_when_that_hangs(self, archive: Archive):
        began_ns = 5_000 * 1_000_000
        rows = [span("a", "1", began_ns), span("a", "2", began_ns, parent_span_id="1", end_ns=None)]
        archive.add(resolved(*rows), at_ms=5_000)

        assert due(archive, 9_999) == []
        assert due(archive, 10_000) == ["a"]
        assert archive.open_traces(began_before_ms=5_000).to_pylist() == []
        assert archive.open_traces(began_before_ms=5_001).to_pylist() == ["a"]

    def test_suspects_have_an_error_an_open_span_or_no_ended_root(self, archive: Archive):
        archive.append(
            [
                resolved(
                    span("error", "1"),
                    span("error", "2", parent_span_id="1", status=2),
                    span("fine", "1", status=1),
                    span("open", "1"),
                    span("open", "2", parent_span_id="1", end_ns=None),
                    span("rootless", "2", parent_span_id="1"),
                    span("unasked", "1", status=2),
                )
            ]
        )
        asked = ids("error", "fine", "open", "rootless", "unknown")

        assert archive.suspects(asked).to_pylist() == ["error", "open", "rootless"]

    def test_what_is_passed_over_is_settled_without_facts_until_it_gains(self, archive: Archive):
        archive.append([resolved(span("a", "1"), span("b", "1"))])
        as_of = archive.latest()
        archive.append([resolved(span("b", "2"))])
        archive.pass_over(ids("a", "b"), as_of=as_of)

        assert archive.unsettled().to_pylist() == ["b"]
        assert archive.facts(ALL).traces.num_rows == 0

    def test_the_newest_failing_traces_begin_where_so_many_of_them_do(self, archive: Archive):
        archive.append([resolved(*(span(one, "1") for one in "abcd"))])
        given = facts(("a", 1), ("b", 2), ("c", 3), ("d", 4))
        outcomes = pa.array(["failed", "failed", "ok", "hung"])
        place = given.traces.schema.get_field_index("outcome")
        traces = given.traces.set_column(place, "outcome", outcomes)
        archive.store_facts(replace(given, traces=traces))

        assert [archive.failing_since(ALL, count) for count in (1, 2, 3, 4)] == [4, 2, 1, None]
        assert archive.failing_since(Selection(until_ns=4), 1) == 2

    def test_a_settled_trace_is_due_again_only_when_it_gains(self, archive: Archive):
        archive.add(resolved(span("a", "1")), at_ms=0)
        archive.store_facts(facts(("a", 0)))
        assert due(archive, 90_000) == []

        archive.add(resolved(span("a", "2", parent_span_id="1")), at_ms=90_000)

        assert due(archive, 92_000) == ["a"]


def due(archive: Archive, now_ms: int, traces_max: int = 100) -> list[str]:
    """Ask for what is due, with 2 s of quiet, 10 s overdue and hangs of 5 s."""
    patience = Patience(quiet_ms=2_000, overdue_ms=10_000, hang_ms=5_000)
    ids: list[str] = archive.due(patience, now_ms=now_ms, traces_max=traces_max).to_pylist()
    return ids
