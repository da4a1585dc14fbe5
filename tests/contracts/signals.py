"""What every store of signals must do. Subclass ``SignalsContract`` and open an empty one."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.archive.signals import Between, Kept, Signals
from graphmind.telemetry.logs import LINES, LOGGED
from graphmind.telemetry.metrics import POINTS

DAY_NS = 86_400_000_000_000
TIMES = st.sampled_from([0, 1, 2, DAY_NS, 30 * DAY_NS, 2**62, -5])


def line(line_id: str, time_ns: int = 0, **rest: Any) -> dict[str, Any]:
    return {"line_id": line_id, "time_ns": time_ns, "severity": 9, "body": line_id, **rest}


def point(name: str, time_ns: int = 0, value: float = 1.0, **rest: Any) -> dict[str, Any]:
    return {"name": name, "time_ns": time_ns, "value": value, "labels": "{}", **rest}


def lines(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=LINES)


def points(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=POINTS)


def ids(table: pa.Table) -> list[str]:
    found: list[str] = table["line_id"].to_pylist()
    return found


class SignalsContract:
    """The promises of ``graphmind.archive.signals``, one test each."""

    def open_empty(self) -> AbstractContextManager[Signals]:
        raise NotImplementedError

    @pytest.fixture
    def signals(self) -> Iterator[Signals]:
        with self.open_empty() as signals:
            yield signals

    def test_lines_come_back_as_they_were_by_time(self, signals: Signals):
        full = line(
            *("b", 5),
            trace_id="t",
            span_id="s",
            service="shop",
            agent="planner",
            module="pay",
            region="eu",
            task_id="job-1",
            error_code="timeout",
            exception_type="ValueError",
            fallback=True,
            pattern="took <NUM> s",
        )
        rows = [full, line("a", 5, severity=None, body=None), line("c", 1)]
        signals.append_lines([lines(*rows[:2]), lines(rows[2])])

        assert signals.lines().equals(pa.table(lines(rows[2], rows[1], rows[0])))

    def test_the_same_line_twice_is_one_line(self, signals: Signals):
        first = signals.append_lines([lines(line("a"), line("a"), line("b", 3))])
        again = signals.append_lines([lines(line("b", 3), line("c", 2))])

        assert (first, again) == (Kept(new=2, duplicate=1), Kept(new=1, duplicate=1))
        assert ids(signals.lines()) == ["a", "c", "b"]

    def test_appending_nothing_changes_nothing(self, signals: Signals):
        assert signals.append_lines([]) == Kept(new=0, duplicate=0)
        assert signals.append_points([points()]) == Kept(new=0, duplicate=0)
        assert signals.lines().equals(LINES.empty_table())
        assert signals.points().equals(POINTS.empty_table())

    def test_nothing_of_an_append_that_fails_is_kept(self, signals: Signals):
        def broken() -> Iterator[pa.RecordBatch]:
            yield lines(line("a"))
            raise OSError("the source broke")

        with pytest.raises(OSError, match="the source broke"):
            signals.append_lines(broken())
        assert signals.counts() == {"lines": 0, "points": 0}

    @settings(max_examples=15, deadline=None)
    @given(
        drawn=st.lists(st.tuples(st.sampled_from("abcdefgh"), TIMES), max_size=25),
        cut=st.integers(0, 25),
    )
    def test_each_line_is_there_once_however_it_came(self, drawn: list[tuple[str, int]], cut: int):
        rows = [line(f"{name}{time}", time) for name, time in drawn]
        with self.open_empty() as signals:
            kept = [signals.append_lines([lines(*part)]) for part in (rows[:cut], rows[cut:], rows)]

            wanted = {(row["time_ns"], row["line_id"]) for row in rows}
            assert ids(signals.lines()) == [line_id for _, line_id in sorted(wanted)]
            assert sum(each.new for each in kept) == len(wanted)
            assert sum(each.duplicate for each in kept) == 2 * len(rows) - len(wanted)

    def test_lines_are_selected_by_trace_and_time(self, signals: Signals):
        signals.append_lines(
            [
                lines(
                    line("a", 1, trace_id="t", service="shop"),
                    line("b", 2, trace_id="u", service="shop"),
                    line("c", 3, service="shop"),
                    line("d", 4, trace_id="t", service="bank"),
                )
            ]
        )

        assert ids(signals.lines(trace_ids=pa.array(["t"]))) == ["a", "d"]
        assert ids(signals.lines(trace_ids=pa.array([], pa.string()))) == []
        assert ids(signals.lines(Between(from_ns=2, until_ns=4))) == ["b", "c"]

    def test_lines_of_no_trace_are_selected_by_service_each_in_its_time(self, signals: Signals):
        signals.append_lines(
            [
                lines(
                    line("a", 1, service="shop"),
                    line("b", 2, trace_id="t", service="shop"),
                    line("c", 3, service="shop"),
                    line("d", 4, service="shop"),
                    line("e", 4, service="bank"),
                    line("f", 5, service="bank"),
                    line("g", 4, service="post"),
                    line("h", 4),
                )
            ]
        )
        within = {"shop": Between(until_ns=5), "bank": Between(from_ns=5, until_ns=6)}

        assert ids(signals.untraced_lines(within, most=9)) == ["a", "c", "d", "f"]
        assert ids(signals.untraced_lines(within, most=2)) == ["a", "c", "f"]
        assert ids(signals.untraced_lines({}, most=9)) == []

    def test_patterns_are_told_by_trace_with_their_times(self, signals: Signals):
        rows = [
            line("a", 1, trace_id="t", pattern="p"),
            line("b", 5, trace_id="t", pattern="p"),
            line("c", 9, trace_id="t", pattern="p"),
            line("d", 2, trace_id="t", pattern="o"),
            line("e", 2, trace_id="t"),
            line("f", 2, trace_id="u", pattern="p"),
        ]
        signals.append_lines([lines(*rows)])
        found = signals.logged(Between(until_ns=9), pa.array(["t"]))

        assert found.schema.equals(LOGGED)
        assert [tuple(row.values()) for row in found.to_pylist()] == [
            ("t", "o", 2, 2),
            ("t", "p", 1, 5),
        ]

    def test_a_point_is_known_by_name_labels_time_and_exemplar(self, signals: Signals):
        rows = [
            point("p95", 1),
            point("p95", 2),
            point("p95", 1, labels='{"agent":"a"}'),
            point("p95", 1, trace_id="t"),
            point("retries", 1),
        ]
        first = signals.append_points([points(*rows)])
        again = signals.append_points([points(*({**row, "value": 7.0} for row in rows))])

        assert (first, again) == (Kept(new=5, duplicate=0), Kept(new=0, duplicate=5))
        assert set(signals.points()["value"].to_pylist()) == {1.0}

    def test_of_one_point_twice_in_an_append_the_first_stays(self, signals: Signals):
        signals.append_points([points(point("p95", 1, 4.0), point("p95", 1, 5.0))])

        assert signals.points()["value"].to_pylist() == [4.0]

    def test_points_are_selected_by_name_place_exemplar_and_time(self, signals: Signals):
        rows = [
            point("p95", 1, 1.0, agent="a", module="m"),
            point("p95", 2, 2.0, agent="a", module="n"),
            point("retries", 3, 3.0, agent="b", module="m"),
            point("p95", 4, 4.0, trace_id="t"),
        ]
        signals.append_points([points(*rows)])

        def values(*when: Between, **which: Any) -> list[float]:
            found: list[float] = signals.points(*when, **which)["value"].to_pylist()
            return found

        assert values() == [1.0, 2.0, 4.0, 3.0]
        assert values(names=["retries"]) == [3.0]
        assert values(names=[]) == []
        assert values(prefix="ret") == [3.0]
        assert values(agent="a", module="m") == [1.0]
        assert values(trace_ids=pa.array(["t"])) == [4.0]
        assert values(Between(from_ns=2, until_ns=4)) == [2.0, 3.0]

    def test_pruning_deletes_what_is_older(self, signals: Signals):
        signals.append_lines([lines(line("a", 1), line("b", 2))])
        signals.append_points([points(point("p95", 1), point("p95", 3))])

        assert signals.prune(2) == 2
        assert ids(signals.lines()) == ["b"]
        assert signals.counts() == {"lines": 1, "points": 1}
