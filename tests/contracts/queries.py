"""What every store of queries must do. Subclass ``QueriesContract`` and open an empty archive."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.archive.port import Archive
from graphmind.archive.queries import ItemHealth, Split, Time, Wanted
from graphmind.errors import UnknownName
from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES, Facts
from tests.archive.rows import ids

ALL_TIME = Time(since_ns=0, until_ns=1_000)


def trace(trace_id: str, start_ns: int, outcome: str = "ok", **rest: Any) -> dict[str, Any]:
    usual = {"weight": 1.0, "duration_ns": 5, "complete": True, "task": "sum", "root_name": "r"}
    return {"trace_id": trace_id, "start_ns": start_ns, "outcome": outcome, **usual, **rest}


PLANTED = (
    trace("a", 10),
    trace("b", 20, "failed"),
    trace("c", 20, "slow", task="draw"),
    trace("d", 30, weight=4.0),
    trace("e", 40, complete=False),
)
TOUCHED = (
    *[(each, "agent", "x", 1) for each in "abc"],
    *[("b", "agent", "y", 0), ("d", "agent", "y", 0), ("c", "region", "eu", 2)],
    *[("b", "region", "us", 1), ("b", "region", "eu", 2), ("b", "kv_key", "k", 1)],
)
"""Trace, kind, name, and how long after its start."""


def planted() -> Facts:
    starts = {row["trace_id"]: row["start_ns"] for row in PLANTED}
    items = [
        {"trace_id": t, "kind": kind, "name": name, "first_ns": starts[t] + after}
        for t, kind, name, after in TOUCHED
    ]
    shown = [("b", "error", "error"), ("b", "hang", "error"), ("c", "slow", "latency")]
    symptoms: list[dict[str, Any]] = [
        {"trace_id": t, "kind": kind, "channel": channel, "began_ns": starts[t]}
        for t, kind, channel in (*shown, ("a", "missing", None))
    ]
    return Facts(
        traces=pa.Table.from_pylist(list(PLANTED), schema=TRACES),
        symptoms=pa.Table.from_pylist(symptoms, schema=SYMPTOMS),
        items=pa.Table.from_pylist(items, schema=ITEMS),
        accesses=ACCESSES.empty_table(),
    )


class QueriesContract:
    """The promises of ``graphmind.archive.queries``, one test each."""

    def open_empty(self) -> AbstractContextManager[Archive]:
        raise NotImplementedError

    @pytest.fixture
    def archive(self) -> Iterator[Archive]:
        with self.open_empty() as archive:
            archive.store_facts(planted())
            yield archive

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            (Wanted(), "abcde"),
            (Wanted(since_ns=20), "bcde"),
            (Wanted(until_ns=20), "a"),
            (Wanted(outcome="failed"), "b"),
            (Wanted(task="draw"), "c"),
            (Wanted(symptom="hang"), "b"),
            (Wanted(failing=True), "bc"),
            (Wanted(failing=False), "ade"),
            (Wanted(items=[("agent", "x")]), "abc"),
            (Wanted(items=[("agent", "x"), ("agent", "y")]), "b"),
            (Wanted(items=[("agent", "x"), ("agent", "x")], since_ns=20), "bc"),
            (Wanted(trace_ids=ids("e", "a", "no")), "ae"),
            (Wanted(trace_ids=ids(), failing=True), ""),
            (Wanted(trace_ids=ids("b", "d"), near=Time(since_ns=20, until_ns=31)), "bd"),
            (Wanted(trace_ids=ids("b", "d", "d"), near=Time(since_ns=20, until_ns=30)), "bd"),
            (Wanted(trace_ids=ids("b", "no"), near=Time(since_ns=0, until_ns=9)), "b"),
            (Wanted(trace_ids=ids("no"), near=ALL_TIME), ""),
            (Wanted(failing=True, items=[("region", "eu")], task="sum"), "b"),
        ],
    )
    def test_a_filter_keeps_what_it_says(self, archive: Archive, wanted: Wanted, expected: str):
        listed = archive.queries.page(wanted, after=None, limit=9)["trace_id"].to_pylist()

        assert archive.queries.ids(wanted, most=9).to_pylist() == list(expected)
        assert sorted(listed) == list(expected)

    @settings(max_examples=20, deadline=None)
    @given(limit=st.integers(1, 6), oldest_first=st.booleans())
    def test_pages_hold_every_trace_once_in_order(self, limit: int, oldest_first: bool):
        found: list[str] = []
        after = None
        with self.open_empty() as archive:
            archive.store_facts(planted())
            while True:
                page = archive.queries.page(
                    Wanted(), after=after, limit=limit, oldest_first=oldest_first
                ).to_pylist()
                if not page:
                    break
                found += [row["trace_id"] for row in page]
                after = (page[-1]["start_ns"], page[-1]["trace_id"])

        assert found == list("abcde" if oldest_first else "edbca")

    def test_a_trace_is_listed_with_its_symptoms_and_what_it_touched_first(self, archive: Archive):
        rows = archive.queries.page(Wanted(), after=None, limit=9).to_pylist()
        told = {row["trace_id"]: row for row in rows}
        names = ("symptoms", "agent", "region", "model_version")

        assert [told["b"][name] for name in names] == [["error", "hang"], "y", "us", None]
        assert [told["a"][name] for name in names] == [[], "x", None, None]

    def test_of_too_many_ids_every_k_th_is_given(self, archive: Archive):
        assert archive.queries.ids(Wanted(), most=2).to_pylist() == ["a", "d"]

    def test_when_traces_began(self, archive: Archive):
        queries = archive.queries

        assert queries.last_start() == 40
        assert queries.last_start(before_ns=30) == 20
        assert queries.last_start(before_ns=10) is None
        assert queries.last_of(Wanted(items=[("region", "eu")], until_ns=40)) == 20
        assert queries.last_of(Wanted(items=[("agent", "nobody")])) is None
        assert queries.time_of(ids("b", "d")) == Time(since_ns=20, until_ns=31)
        assert queries.time_of(ids("no")) == Time(since_ns=0, until_ns=0)

    def test_lifts_count_the_traces_of_a_time_that_touch_the_same(self, archive: Archive):
        found = archive.queries.lifts("b", Time(since_ns=10, until_ns=40))

        assert found == [
            ItemHealth(kind="agent", name="x", traces=3, failing=2),
            ItemHealth(kind="agent", name="y", traces=5, failing=1),
            ItemHealth(kind="kv_key", name="k", traces=1, failing=1),
            ItemHealth(kind="region", name="eu", traces=2, failing=2),
            ItemHealth(kind="region", name="us", traces=1, failing=1),
        ]

    def test_a_group_is_touched_by_who_touches_all_of_it(self, archive: Archive):
        groups = [[("agent", "x")], [("agent", "x"), ("region", "eu")], [("agent", "nobody")], []]

        found = archive.queries.touching(groups, ids("a", "b", "d"))
        assert found == [{"a", "b"}, {"b"}, set(), set()]
        near = Time(since_ns=0, until_ns=15)
        assert archive.queries.touching(groups, ids("a", "b", "d"), near=near) == found

    def test_traces_are_split_by_a_group_once_another_is_taken_out(self, archive: Archive):
        found = archive.queries.splits(
            [[("agent", "x")], [("agent", "nobody")]],
            without=[("region", "us")],
            channels=["latency"],
            time=ALL_TIME,
        )

        assert found == [
            Split(failed_with=1, passed_with=1, failed_without=0, passed_without=5),
            Split(failed_with=0, passed_with=0, failed_without=1, passed_without=6),
        ]

    def test_the_exposed_are_summed_up(self, archive: Archive):
        found = archive.queries.exposed([("agent", "y")], ALL_TIME, names_max=1)
        nobody = archive.queries.exposed([("agent", "nobody")], ALL_TIME, names_max=1)

        assert found == {
            "traces": 5.0,
            "failing": 1.0,
            "last_ns": 30,
            "task": [],
            "agent": ["x"],
            "region": ["eu"],
            "kv_key": ["k"],
        }
        assert (nobody["traces"], nobody["last_ns"], nobody["agent"]) == (0, None, [])

    def test_the_healthy_trace_of_the_same_task_that_is_nearest(self, archive: Archive):
        named = pa.array(["c", "b", "no"])
        rows = archive.queries.traces(named).to_pylist()
        assert [row["trace_id"] for row in rows] == ["b", "c"]
        assert [archive.queries.healthy_like(row) for row in rows] == ["a", None]

        nowhere = Time(since_ns=-2, until_ns=-1)
        assert archive.queries.traces(named, near=nowhere).to_pylist() == rows

    def test_an_incident_is_read_as_it_was_stored_last(self, archive: Archive):
        archive.save_incidents("run", [{"incident_id": "i", "trace_ids": ["a"]}])
        assert archive.incident("i")["trace_ids"] == ["a"]
        archive.save_incidents("run", [{"incident_id": "i", "trace_ids": ["a", "b"]}])
        assert archive.incident("i")["trace_ids"] == ["a", "b"]
        archive.save_incidents("run", [])
        with pytest.raises(UnknownName):
            archive.incident("i")

    def test_heads_of_incidents_are_those_stored_last(self, archive: Archive):
        def ids_and_counts() -> list[tuple[str, int]]:
            heads = archive.queries.incident_heads()
            assert all("trace_ids" not in head for head in heads)
            return [(head["incident_id"], head["trace_count"]) for head in heads]

        assert ids_and_counts() == []
        archive.save_incidents("run", [{"incident_id": "i", "trace_ids": ["a", "b"]}])
        assert ids_and_counts() == [("i", 2)]
        assert (archive.queries.incidents_of("a"), archive.queries.incidents_of("c")) == (["i"], [])
        archive.save_incidents("run", [{"incident_id": "j", "trace_ids": []}])
        assert ids_and_counts() == [("j", 0)]

    def test_one_document_is_found_by_its_id(self, archive: Archive):
        archive.replace_documents("kind", {"one": {"at": 1}, "two": {}})

        assert archive.document("kind", "one") == {"at": 1}
        assert archive.document("kind", "three") is None
        assert archive.document("other", "one") is None
