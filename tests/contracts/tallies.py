"""What every store of tallies must do. Subclass ``TalliesContract`` and open an empty archive."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pyarrow as pa
import pytest

from graphmind.archive.port import Archive
from graphmind.archive.tallies import LABELS, Stretch
from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES, Facts

STEP = 60
ALL = Stretch(from_ns=0, until_ns=1_000, step_ns=STEP)


def trace(trace_id: str, start_ns: int, outcome: str, **rest: Any) -> dict[str, Any]:
    usual = {"weight": 1.0, "duration_ns": 100, "complete": True, "span_count": 2}
    return {"trace_id": trace_id, "start_ns": start_ns, "outcome": outcome, **usual, **rest}


PLANTED = (
    trace("a", 10, "ok", weight=20.0),
    trace("b", 20, "failed", error_code="E1", fault_module="Rpc", fault_path="r > x"),
    trace("c", 70, "failed", error_code="E1", fault_module="Rpc", fault_path="r > x"),
    trace("d", 80, "slow", fault_module="Router", fault_path="r", duration_ns=900, complete=False),
    trace("e", 999, "incomplete", complete=False),
    trace("late", 1_000, "failed", error_code="E9"),
)
TOUCHED = (
    *[(id_, "module", "Rpc") for id_ in "abcd"],
    *[("d", "module", "Router"), ("late", "module", "Rpc")],
    *[("a", "region", "eu"), ("b", "region", "eu"), ("c", "region", "us"), ("d", "region", "us")],
)


def planted() -> Facts:
    items = [{"trace_id": t, "kind": kind, "name": name} for t, kind, name in TOUCHED]
    wrong = [("b", "error", "Rpc"), ("b", "slow", "Rpc"), ("c", "error", "Rpc")]
    symptoms: list[dict[str, Any]] = [
        {"trace_id": t, "kind": kind, "channel": "error", "module": module}
        for t, kind, module in (*wrong, ("d", "slow", "Router"))
    ]
    symptoms.append({"trace_id": "a", "kind": "missing", "channel": None, "module": "Rpc"})
    return Facts(
        traces=pa.Table.from_pylist(list(PLANTED), schema=TRACES),
        symptoms=pa.Table.from_pylist(symptoms, schema=SYMPTOMS),
        items=pa.Table.from_pylist(items, schema=ITEMS),
        accesses=ACCESSES.empty_table(),
    )


def crowd(traces: list[dict[str, Any]]) -> Facts:
    """Traces of one agent."""
    items = [{"trace_id": row["trace_id"], "kind": "agent", "name": "crew"} for row in traces]
    return Facts(
        traces=pa.Table.from_pylist(traces, schema=TRACES),
        symptoms=SYMPTOMS.empty_table(),
        items=pa.Table.from_pylist(items, schema=ITEMS),
        accesses=ACCESSES.empty_table(),
    )


def rows(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in table.to_pylist()]


class TalliesContract:
    """The promises of ``graphmind.archive.tallies``, one test each."""

    def open_empty(self) -> AbstractContextManager[Archive]:
        raise NotImplementedError

    @pytest.fixture
    def archive(self) -> Iterator[Archive]:
        with self.open_empty() as archive:
            archive.store_facts(planted())
            yield archive

    def test_pace_counts_weights_by_step(self, archive: Archive):
        found = archive.tallies.pace(ALL)

        assert rows(found, "at_ns", "traces", "failing", "complete", "kept", "spans") == [
            (0, 21.0, 1.0, 21.0, 2, 4),
            (60, 2.0, 2.0, 1.0, 2, 4),
            (960, 1.0, 0.0, 0.0, 1, 2),
        ]
        assert rows(found, "p50_ns", "p95_ns")[1] == (500.0, pytest.approx(860.0))

    def test_outcomes_are_counted_by_step(self, archive: Archive):
        found = archive.tallies.outcomes(ALL)

        assert rows(found, "at_ns", "outcome", "traces") == [
            (0, "failed", 1.0),
            (0, "ok", 20.0),
            (60, "failed", 1.0),
            (60, "slow", 1.0),
            (960, "incomplete", 1.0),
        ]

    def test_a_trace_fails_in_the_module_that_shows_its_symptom_once(self, archive: Archive):
        found = archive.tallies.modules(ALL)

        assert rows(found, "at_ns", "name", "traces", "failing") == [
            (0, "Rpc", 21.0, 1.0),
            (60, "Router", 1.0, 1.0),
            (60, "Rpc", 2.0, 1.0),
        ]

    def test_groups_come_with_most_failing_first_and_are_bounded(self, archive: Archive):
        found = archive.tallies.groups(ALL, "region", groups_max=5)
        first = archive.tallies.groups(ALL, "region", groups_max=1)

        assert rows(found, "name", "traces", "failing", "complete", "kept", "last_ns") == [
            ("us", 2.0, 2.0, 1.0, 2, 80),
            ("eu", 21.0, 1.0, 21.0, 2, 20),
        ]
        assert rows(first, "name") == [("us",)]

    def test_complete_traces_are_drawn_by_item_within_bounds(self, archive: Archive):
        found = archive.tallies.sampled(ALL, "region", groups_max=9, traces_max=9)
        one = archive.tallies.sampled(ALL, "module", groups_max=1, traces_max=1)

        drawn = rows(found, "name", "trace_id", "start_ns")
        assert {("eu", "a", 10), ("us", "c", 70)} <= set(drawn)
        assert set(drawn) <= {("eu", "a", 10), ("eu", "b", 20), ("us", "c", 70)}
        assert rows(one, "name") == [("Rpc",)]

        named = archive.tallies.sampled(ALL, "region", groups_max=9, traces_max=9, name="eu")
        own = [row for row in drawn if row[0] == "eu"]
        assert rows(named, "name", "trace_id", "start_ns") == own

    def test_a_draw_stands_for_the_traces_by_their_weights(self):
        kept = [trace(f"h{n}", 5, "ok", weight=10.0) for n in range(400)]
        rare = [trace(f"f{n}", 5, "failed") for n in range(400)]
        with self.open_empty() as archive:
            archive.store_facts(crowd([*kept, *rare]))
            drawn = archive.tallies.sampled(ALL, "agent", groups_max=9, traces_max=1_000)
            few = archive.tallies.sampled(ALL, "agent", groups_max=9, traces_max=100)

        def failed(found: pa.Table) -> int:
            return sum(each.startswith("f") for each in found["trace_id"].to_pylist())

        assert drawn.num_rows - failed(drawn) == 400  # all of the heaviest
        assert 20 <= failed(drawn) <= 65  # a tenth of the others
        assert few.num_rows == 100
        assert failed(few) <= 25

    def test_weights_of_those_chosen_estimate_all(self, archive: Archive):
        whole = archive.tallies.chosen(ALL, traces_max=9)
        with self.open_empty() as other:
            kept = [trace(f"h{n}", 5, "ok", weight=1.0 + n % 9) for n in range(900)]
            other.store_facts(crowd([*kept, trace("f", 5, "failed")]))
            few = other.tallies.chosen(ALL, traces_max=300)

        assert rows(whole, "trace_id", "failing", "weight") == [
            ("a", False, 20.0),
            *[(each, True, 1.0) for each in "bcd"],
        ]
        assert few.num_rows == 301
        weights = [row["weight"] for row in few.to_pylist() if not row["failing"]]
        assert sum(weights) == pytest.approx(4_500, rel=0.1)

    def test_failing_traces_are_counted_by_place_and_label(self, archive: Archive):
        labels = pa.Table.from_pylist([{"trace_id": "b", "label": "switch"}], schema=LABELS)

        found = archive.tallies.labelled(ALL, "region", labels, otherwise="none")

        assert rows(found, "at_ns", "name", "label", "failing") == [
            (0, "eu", "switch", 1.0),
            (60, "us", "none", 2.0),
        ]

    def test_error_codes_and_faults_come_by_frequency(self, archive: Archive):
        tallies = archive.tallies

        assert rows(tallies.error_codes(ALL), "code", "module", "failing") == [("E1", "Rpc", 2.0)]
        assert rows(tallies.faults(ALL, rows_max=9), "path", "outcome", "failing", "p95_ns") == [
            ("r > x", "failed", 2.0, 100.0),
            ("r", "slow", 1.0, 900.0),
        ]
        assert tallies.faults(ALL, rows_max=1).num_rows == 1

    def test_ids_leave_only_these_traces(self, archive: Archive):
        few = Stretch(from_ns=0, until_ns=2_000, step_ns=STEP, trace_ids=pa.array(["c", "late"]))

        assert rows(archive.tallies.pace(few), "at_ns", "traces") == [(60, 1.0), (960, 1.0)]
        assert rows(archive.tallies.error_codes(few), "code") == [("E1",), ("E9",)]

    def test_incidents_are_counted_by_cause_and_state(self, archive: Archive):
        documents: list[dict[str, object]] = [
            {"incident_id": "1", "state": "opened", "causes": [{"kind": "region"}, {"kind": "x"}]},
            {"incident_id": "2", "state": "closed", "causes": [{"kind": "region"}]},
            {"incident_id": "3", "state": "opened", "causes": [{"kind": "region"}]},
            {"incident_id": "4", "state": "opened", "causes": []},
        ]
        archive.save_incidents("run", documents)

        assert archive.tallies.causes() == {
            ("", "opened"): 1,
            ("region", "closed"): 1,
            ("region", "opened"): 2,
        }

    def test_documents_are_counted_by_a_text_in_them(self, archive: Archive):
        labels = {"1": "hang", "2": "hang", "3": "false_positive"}
        documents = {id_: {"label": label} for id_, label in labels.items()}
        archive.replace_documents("case", documents | {"4": {}})
        archive.replace_documents("other", {"5": {"label": "hang"}})

        assert archive.tallies.words("case", "label") == {"false_positive": 1, "hang": 2}
        assert archive.tallies.words("none", "label") == {}
