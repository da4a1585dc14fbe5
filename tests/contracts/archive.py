"""What every archive must do. Subclass ``ArchiveContract`` and say how to open an empty one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from threading import Thread
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.archive.port import Appended, Archive, Outcome, Selection
from graphmind.errors import UnknownName
from graphmind.telemetry.facts import ITEMS, RESOLVED, TRACES
from tests.archive.rows import facts, ids, resolved, rows_of, span

ALL = Selection()


@st.composite
def loads(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[list[list[dict[str, Any]]]]]:
    """Spans, and the same with repeats and start markers, in any order, cut into appends.

    A marker is a span that had not ended when it was written; it differs in nothing else.
    """
    keys = st.tuples(st.sampled_from("abc"), st.sampled_from("123"), st.integers(0, 3))
    chosen = draw(st.lists(keys, unique_by=lambda key: key[:2], max_size=9))
    spans = [span(t, s, start, name=t + s) for t, s, start in chosen]
    repeats = draw(st.lists(st.sampled_from(spans), max_size=5)) if spans else []
    markers = draw(st.lists(st.sampled_from(spans), max_size=5)) if spans else []
    rows = [*spans, *repeats, *({**row, "end_ns": None} for row in markers)]
    shuffled = draw(st.permutations(rows))
    return spans, [_cut(draw, append) for append in _cut(draw, shuffled)]


def _cut(draw: st.DrawFn, rows: list[Any]) -> list[list[Any]]:
    places = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=2)))
    return [rows[a:b] for a, b in zip([0, *places], [*places, len(rows)], strict=True)]


def _appended(archive: Archive, batch: pa.RecordBatch) -> Appended:
    return archive.append([batch])


def _added(archive: Archive, batch: pa.RecordBatch) -> Appended:
    return archive.add(batch, at_ms=0)


EITHER_WAY = pytest.mark.parametrize("store", [_appended, _added], ids=["append", "add"])
"""Loads and live batches follow the same rules."""
Store = Callable[[Archive, pa.RecordBatch], Appended]


class ArchiveContract:
    """The promises of ``graphmind.archive.port``, one test each."""

    def open_empty(self) -> AbstractContextManager[Archive]:
        raise NotImplementedError

    @pytest.fixture
    def archive(self) -> Iterator[Archive]:
        with self.open_empty() as archive:
            yield archive

    def test_spans_come_back_as_they_were(self, archive: Archive):
        full = resolved(
            span(
                "a",
                "1",
                parent_span_id="0",
                attributes=[("key", "value"), ("twice", "1"), ("twice", None), ("ключ", "")],
                links=[{"trace_id": "b", "span_id": "2"}, {"trace_id": None, "span_id": "3"}],
                status=2,
                fallback=True,
                quality=0.5,
                retry_count=3,
                region="eu",
            ),
            span("a", "2", attributes=None, links=None),
            span("a", "3"),
        )
        archive.append([full])

        assert archive.spans(ALL).equals(pa.table(full))

    def test_pruning_takes_traces_of_which_all_began_before(self, archive: Archive):
        rows = [span("a", "1", 5), span("b", "1", 5), span("b", "2", 50), span("c", "1", 60)]
        archive.append([resolved(*rows)])
        archive.store_facts(facts(("a", 5), ("b", 5), ("c", 60)))

        assert archive.prune(50) == 1
        assert archive.prune(50) == 0
        assert set(archive.spans(ALL)["trace_id"].to_pylist()) == {"b", "c"}
        assert archive.facts(ALL).traces["trace_id"].to_pylist() == ["b", "c"]
        assert archive.append([resolved(span("a", "1", 5))]).new == 1

    def test_bare_spans_are_the_same_without_attributes(self, archive: Archive):
        rows = [span("b", "1", 5, attributes=[("k", "v")]), span("a", "3", 7), span("c", "1", None)]
        archive.append([resolved(*rows)])
        bare = archive.bare_spans(Selection(trace_ids=ids("a", "b"))).sort_by("trace_id")
        whole = archive.spans(Selection(trace_ids=ids("a", "b")))

        assert bare.drop_columns("attributes").equals(whole.drop_columns("attributes"))
        assert bare["attributes"].null_count == 2

    def test_spans_are_sorted_by_trace_start_and_span(self, archive: Archive):
        rows = [span("b", "1", 5), span("a", "3", 7), span("a", "2", 7), span("a", "4", 1)]
        archive.append([resolved(*rows)])

        assert archive.spans(ALL)["span_id"].to_pylist() == ["4", "2", "3", "1"]

    def test_a_span_without_a_start_is_kept_and_stands_last_in_its_trace(self, archive: Archive):
        archive.append([resolved(span("a", "1", None), span("a", "2", 7), span("b", "3", None))])
        archive.append([resolved(span("a", "1", None))])

        assert archive.spans(ALL)["span_id"].to_pylist() == ["2", "1", "3"]
        assert archive.unsettled().equals(ids("a", "b"))

    def test_an_append_counts_new_and_repeated_spans_and_the_traces_that_gained(
        self, archive: Archive
    ):
        archive.append([resolved(span("a", "1"), span("b", "1"))])
        batches = [resolved(span("a", "1"), span("a", "2")), resolved(span("a", "2"))]

        assert archive.append(batches) == Appended(new=1, duplicate=2, traces=1)

    def test_appending_nothing_changes_nothing(self, archive: Archive):
        assert archive.append([]) == Appended(new=0, duplicate=0, traces=0)
        assert archive.append([resolved()]) == Appended(new=0, duplicate=0, traces=0)
        assert archive.spans(ALL).equals(RESOLVED.empty_table())

    @EITHER_WAY
    def test_appending_twice_changes_nothing(self, archive: Archive, store: Store):
        batch = resolved(span("a", "1"), span("b", "2", 3))
        store(archive, batch)
        archive.store_facts(facts(("a", 0), ("b", 3)))
        again = store(archive, batch)

        assert again == Appended(new=0, duplicate=2, traces=0)
        assert archive.spans(ALL).equals(pa.table(batch))
        assert archive.unsettled().to_pylist() == []

    @EITHER_WAY
    def test_a_span_that_has_ended_replaces_its_start_marker(self, archive: Archive, store: Store):
        store(archive, resolved(span("a", "1", end_ns=None)))
        archive.store_facts(facts(("a", 0)))
        ended = store(archive, resolved(span("a", "1")))

        assert ended == Appended(new=0, duplicate=1, traces=1)
        assert rows_of(archive.spans(ALL)) == [span("a", "1")]
        assert archive.unsettled().to_pylist() == ["a"]

    @EITHER_WAY
    def test_a_start_marker_that_comes_late_changes_nothing(self, archive: Archive, store: Store):
        store(archive, resolved(span("a", "1")))
        late = store(archive, resolved(span("a", "1", end_ns=None)))

        assert late == Appended(new=0, duplicate=1, traces=0)
        assert rows_of(archive.spans(ALL)) == [span("a", "1")]

    @EITHER_WAY
    def test_of_equals_the_first_stays(self, archive: Archive, store: Store):
        store(archive, resolved(span("a", "1", name="first"), span("a", "1", name="second")))
        store(archive, resolved(span("a", "1", name="third")))

        assert archive.spans(ALL)["name"].to_pylist() == ["first"]

    @EITHER_WAY
    def test_a_repeated_span_is_known_whatever_its_start(self, archive: Archive, store: Store):
        store(archive, resolved(span("a", "1", 0)))

        assert store(archive, resolved(span("a", "1", 10**18))).duplicate == 1

    def test_a_source_that_breaks_leaves_nothing(self, archive: Archive):
        archive.append([resolved(span("a", "1"))])

        def broken() -> Iterator[pa.RecordBatch]:
            yield resolved(span("b", "1"))
            raise OSError("the file ends early")

        with pytest.raises(OSError, match="the file ends early"):
            archive.append(broken())

        assert rows_of(archive.spans(ALL)) == [span("a", "1")]
        assert archive.unsettled().to_pylist() == ["a"]

    @settings(max_examples=20, deadline=None)
    @given(loads())
    def test_any_split_and_order_with_repeats_gives_the_same_content(self, load):
        spans, appends = load
        with self.open_empty() as archive:
            appended = [archive.append([resolved(*batch) for batch in one]) for one in appends]
            traces = {row["trace_id"] for row in spans}
            begun = {t: min(r["start_ns"] for r in spans if r["trace_id"] == t) for t in traces}

            in_order = sorted(spans, key=lambda r: (r["trace_id"], r["start_ns"], r["span_id"]))
            assert rows_of(archive.spans(ALL)) == in_order
            assert sum(one.new for one in appended) == len(spans)
            assert archive.unsettled().to_pylist() == sorted(traces)
            late = archive.spans(Selection(from_ns=2))["trace_id"].to_pylist()
            assert set(late) == {trace for trace, start_ns in begun.items() if start_ns >= 2}

    @settings(max_examples=20, deadline=None)
    @given(loads())
    def test_live_batches_in_any_split_and_order_give_the_same_content(self, load):
        spans, appends = load
        with self.open_empty() as archive:
            added = [
                archive.add(resolved(*batch), at_ms=0) for one in appends for batch in one if batch
            ]

            in_order = sorted(spans, key=lambda r: (r["trace_id"], r["start_ns"], r["span_id"]))
            assert rows_of(archive.spans(ALL)) == in_order
            assert sum(one.new for one in added) == len(spans)

    @pytest.mark.parametrize(
        ("selection", "expected"),
        [
            (ALL, ["a", "b", "c"]),
            (Selection(trace_ids=ids("c", "a", "a", "unknown")), ["a", "c"]),
            (Selection(trace_ids=ids()), []),
            (Selection(from_ns=10), ["b", "c"]),
            (Selection(until_ns=20), ["a", "b"]),
            (Selection(from_ns=10, until_ns=20), ["b"]),
            (Selection(trace_ids=ids("a", "b"), from_ns=10), ["b"]),
        ],
    )
    def test_a_selection_takes_whole_traces_by_id_by_start_or_both(
        self, archive: Archive, selection: Selection, expected: list[str]
    ):
        starts = {"a": 0, "b": 10, "c": 20}
        rows = [span(t, str(n), start + n * 100) for t, start in starts.items() for n in range(2)]
        archive.append([resolved(*rows)])
        archive.store_facts(facts(*starts.items()))

        assert archive.spans(selection)["trace_id"].to_pylist() == [
            trace for trace in expected for _ in range(2)
        ]
        assert archive.facts(selection).traces["trace_id"].to_pylist() == expected

    def test_a_trace_starts_with_its_earliest_span_if_any_has_a_start(self, archive: Archive):
        archive.append([resolved(span("b", "1", 7), span("b", "2", None), span("c", "1", None))])
        archive.append([resolved(span("b", "3", 5), span("a", "1", 9))])

        assert archive.starts(ALL).to_pylist() == [
            {"trace_id": "a", "start_ns": 9},
            {"trace_id": "b", "start_ns": 5},
            {"trace_id": "c", "start_ns": None},
        ]
        assert archive.starts(Selection(from_ns=6))["trace_id"].to_pylist() == ["a"]

    def test_parts_hold_whole_traces_in_the_order_in_which_they_began(self, archive: Archive):
        starts = {"a": 30, "b": 20, "c": 10, "d": 0}
        rows = [span(t, str(n), start + n) for t, start in starts.items() for n in range(3)]
        archive.append([resolved(*rows)])
        parts = archive.span_batches(Selection(until_ns=30), spans_max=6)

        assert [part["trace_id"].to_pylist() for part in parts] == [
            ["c", "c", "c", "d", "d", "d"],
            ["b", "b", "b"],
        ]

    def test_parts_of_nothing_are_none(self, archive: Archive):
        assert list(archive.span_batches(ALL, spans_max=10)) == []

    def test_parts_show_one_state(self, archive: Archive):
        archive.append([resolved(span("a", "1"), span("b", "1", 10))])
        parts = archive.span_batches(ALL, spans_max=1)
        first = next(parts)
        archive.append([resolved(span("b", "2", 10), span("c", "1", 12))])

        assert rows_of(first) == [span("a", "1")]
        assert [rows_of(part) for part in parts] == [[span("b", "1", 10)]]

    def test_traces_are_unsettled_until_their_facts_are_stored(self, archive: Archive):
        archive.append([resolved(span("b", "1"), span("a", "1"))])
        before = archive.unsettled()
        archive.store_facts(facts(("b", 0)))

        assert before.equals(ids("a", "b"))
        assert archive.unsettled().equals(ids("a"))

    def test_a_settled_trace_that_gains_a_span_is_unsettled_again(self, archive: Archive):
        archive.append([resolved(span("a", "1"), span("b", "1"))])
        archive.store_facts(facts(("a", 0), ("b", 0)))
        archive.append([resolved(span("a", "2"))])

        assert archive.unsettled().equals(ids("a"))

    def test_spans_that_come_while_facts_are_derived_keep_their_trace_unsettled(
        self, archive: Archive
    ):
        archive.append([resolved(span("a", "1"), span("b", "1"))])
        as_of = archive.latest()
        archive.append([resolved(span("a", "2"))])
        archive.store_facts(facts(("a", 0), ("b", 0)), as_of=as_of)

        assert archive.unsettled().equals(ids("a"))

    def test_the_latest_append_counts_only_those_that_added(self, archive: Archive):
        seen = [archive.latest()]
        for rows in ([span("a", "1")], [span("a", "1")], [span("a", "2")]):
            archive.append([resolved(*rows)])
            seen.append(archive.latest())

        assert seen == [0, 1, 1, 2]

    def test_a_thread_reads_one_state_while_others_store(self, archive: Archive):
        archive.store_facts(facts(("a", 1)))
        archive.save_incidents("run", [{"incident_id": "i", "trace_ids": ["a"]}])

        def store() -> None:
            archive.append([resolved(span("b", "1"))])
            archive.store_facts(facts(("b", 2)))
            archive.save_incidents("run", [{"incident_id": "i", "trace_ids": ["b"]}])

        def known() -> list[str]:
            ids: list[str] = archive.facts(ALL).traces["trace_id"].to_pylist()
            return ids

        with archive.consistent():
            assert known() == ["a"]
            other = Thread(target=store)
            other.start()
            other.join()
            assert (known(), archive.counts()["traces"]) == (["a"], 1)
            with archive.consistent():
                assert known() == ["a"]
            assert known() == ["a"]
        assert known() == ["a", "b"]
        assert archive.incident("i")["trace_ids"] == ["b"]
        assert archive.queries.incidents_of("b") == ["i"]

    def test_facts_come_back_by_start_and_trace_in_the_order_stored(self, archive: Archive):
        stored = facts(
            ("c", 1),
            ("a", 2),
            ("b", 2),
            symptoms=[("c", "slow"), ("a", "error")],
            items=[("c", "tool", "z"), ("c", "agent", "y"), ("b", "agent", "x")],
            accesses=[("a", "k", "write"), ("a", "k", "read")],
        )
        archive.store_facts(facts(("b", 2), items=[("b", "agent", "x")]))
        archive.store_facts(
            facts(
                ("a", 2),
                ("c", 1),
                symptoms=[("a", "error"), ("c", "slow")],
                items=[("c", "tool", "z"), ("c", "agent", "y")],
                accesses=[("a", "k", "write"), ("a", "k", "read")],
            )
        )

        assert archive.facts(ALL) == stored
        assert archive.facts(ALL, with_items=False) == replace(stored, items=ITEMS.empty_table())

    def test_many_rows_of_one_trace_keep_their_order(self, archive: Archive):
        items = [(trace, "tool", str(n)) for n in range(20_000) for trace in "ba"]
        archive.store_facts(facts(("a", 0), ("b", 1), items=items))

        assert archive.facts(ALL).items["name"].to_pylist() == [str(n) for n in range(20_000)] * 2

    def test_facts_of_a_trace_replace_those_it_had_and_no_other(self, archive: Archive):
        items = [("a", "tool", "old"), ("a", "tool", "older"), ("b", "tool", "kept")]
        archive.store_facts(facts(("a", 1), ("b", 2), items=items, symptoms=[("a", "error")]))
        archive.store_facts(facts(("a", 3), items=[("a", "tool", "new")]))

        assert archive.facts(ALL) == facts(
            ("b", 2), ("a", 3), items=[("b", "tool", "kept"), ("a", "tool", "new")]
        )

    def test_rows_are_counted_by_table(self, archive: Archive):
        archive.append([resolved(span("a", "1"), span("a", "2"))])
        archive.store_facts(facts(("a", 0), items=[("a", "tool", "t")] * 3))

        assert archive.counts() == {
            "spans": 2,
            "traces": 1,
            "symptoms": 0,
            "items": 3,
            "accesses": 0,
        }

    def test_outcomes_are_counted_by_weight(self, archive: Archive):
        names = ("trace_id", "start_ns", "outcome", "complete", "weight")
        rows = [
            ("a", 1, "ok", True, 1.0),
            ("b", 2, "ok", True, 10.0),
            ("c", 3, "failed", False, 1.5),
        ]
        listed = [dict(zip(names, row, strict=True)) for row in rows]
        archive.store_facts(replace(facts(), traces=pa.Table.from_pylist(listed, schema=TRACES)))

        assert archive.outcomes() == [
            Outcome(outcome="failed", complete=False, traces=1.5),
            Outcome(outcome="ok", complete=True, traces=11.0),
        ]

    def test_a_run_replaces_its_incidents_and_takes_over_those_it_finds_again(
        self, archive: Archive
    ):
        archive.save_incidents("run-1", [{"incident_id": "b", "of": 1}, {"incident_id": "a"}])
        archive.save_incidents("run-2", [{"incident_id": "c"}, {"incident_id": "b", "of": 2}])
        both = archive.incidents()
        archive.save_incidents("run-1", [{"incident_id": "d", "rank": [1.5, None]}])
        after = archive.incidents()

        b, c = {"incident_id": "b", "of": 2}, {"incident_id": "c"}
        assert both == [{"incident_id": "a"}, b, c]
        assert after == [b, c, {"incident_id": "d", "rank": [1.5, None]}]

    def test_a_run_that_finds_nothing_leaves_no_incident_of_it(self, archive: Archive):
        archive.save_incidents("run-1", [{"incident_id": "a"}])
        archive.save_incidents("run-1", [])

        assert archive.incidents() == []

    def test_an_incident_is_found_by_its_id(self, archive: Archive):
        archive.save_incidents("run-1", [{"incident_id": "a"}, {"incident_id": "b", "n": 1}])

        assert archive.incident("b") == {"incident_id": "b", "n": 1}
        with pytest.raises(UnknownName, match="no incident z"):
            archive.incident("z")

    def test_documents_of_a_kind_come_back_by_id(self, archive: Archive):
        archive.replace_documents("change", {"b": {"n": [1.5, None]}, "a": {"n": 2}})
        archive.replace_documents("case", {"a": {"of": "another kind"}})

        assert list(archive.documents("change").items()) == [
            ("a", {"n": 2}),
            ("b", {"n": [1.5, None]}),
        ]

    def test_a_document_replaces_the_one_of_its_id_and_those_named_go(self, archive: Archive):
        archive.replace_documents("change", {"a": {"n": 1}, "b": {"n": 1}, "c": {"n": 1}})
        archive.replace_documents("change", {"a": {"n": 2}}, without=["a", "b", "z"])

        assert archive.documents("change") == {"a": {"n": 2}, "c": {"n": 1}}

    def test_a_share_of_the_healthy_traces_stands_for_all_of_them(self, archive: Archive):
        traces = [
            {"trace_id": f"{n:04}", "start_ns": n, "weight": 2.0, "outcome": outcome}
            for n in range(1000)
            for outcome in [("failed", "incomplete", "ok", "ok")[n % 4]]
        ]
        archive.store_facts(replace(facts(), traces=pa.Table.from_pylist(traces, schema=TRACES)))

        kept = archive.facts(ALL, healthy_share=0.2).traces
        failing = kept.filter(pc.equal(kept["outcome"], "failed"))

        assert archive.failing_and_healthy(ALL) == (250, 750)
        assert failing["weight"].to_pylist() == [2.0] * 250
        assert 100 < kept.num_rows - 250 < 200
        assert set(kept["weight"].to_pylist()) == {2.0, 10.0}
        assert archive.facts(ALL, healthy_share=0.2).traces == kept

    def test_a_sample_keeps_the_accesses_of_traces_that_wrote(self, archive: Archive):
        rows = [("w", 0, "ok"), ("v", 1, "ok"), ("r", 2, "failed")]
        traces = [{"trace_id": t, "start_ns": at, "outcome": o, "weight": 1.0} for t, at, o in rows]
        listed = [("w", "j", "read"), ("w", "k", "write"), ("v", "k", "read"), ("r", "k", "read")]
        table = pa.Table.from_pylist(traces, schema=TRACES)
        archive.store_facts(replace(facts(accesses=listed), traces=table))

        sampled = archive.facts(ALL, healthy_share=0.0)

        assert sampled.traces["trace_id"].to_pylist() == ["r"]
        assert [tuple(row.values())[:3] for row in sampled.accesses.to_pylist()] == [
            ("w", "j", "read"),
            ("w", "k", "write"),
            ("r", "k", "read"),
        ]

    def test_the_first_touch_of_an_item_is_of_all_that_was_ever_stored(self, archive: Archive):
        items = [("a", "tool", "t", 9), ("b", "tool", "t", 5), ("b", "agent", "t", 6)]
        names = ("trace_id", "kind", "name", "first_ns")
        listed = [dict(zip(names, row, strict=True)) for row in items]
        table = pa.Table.from_pylist(listed, schema=ITEMS)
        before = archive.first_start()
        archive.store_facts(replace(facts(("a", 4), ("b", 3)), items=table))

        assert before is None
        assert archive.first_start() == 3
        assert archive.first_touches([("tool", "t"), ("tool", "z")]) == {("tool", "t"): 5}
