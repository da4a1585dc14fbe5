"""Assembled spans and log statements become periods; order and names do not matter."""

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.localisation.period import Period, halves, period_from_spans
from graphmind.analysis.localisation.ranking import Ranking, localise
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.resolve import resolve
from graphmind.telemetry.spans import STATUS_ERROR, spans_from_rows
from tests.analysis.localisation.sketch import Span, period, random_period, said


def read(spans: list[dict[str, Any]], statements: list[dict[str, Any]] | None = None) -> Period:
    assembled = assemble(pa.Table.from_batches([resolve(spans_from_rows(spans))]))
    return period_from_spans(
        assembled, None if statements is None else pa.Table.from_pylist(statements)
    )


def span(span_id: str, parent: str | None, **columns: Any) -> dict[str, Any]:
    given_service = columns.pop("service", None)
    return {
        "trace_id": "t",
        "span_id": span_id,
        "parent_span_id": parent,
        "name": "op",
        "start_ns": 0,
        "end_ns": 10,
        "resource": {"service.name": given_service} if given_service else {},
    } | columns


def failure_of(found: Period, row: int) -> str | None:
    code = int(found.failure[row])
    return None if code < 0 else found.failures[code]


def statement(span_id: str, site: str, at_ns: int | None = 5) -> dict[str, Any]:
    return {"trace_id": "t", "span_id": span_id, "at_ns": at_ns, "level": "INFO", "site": site}


def test_a_span_without_a_service_belongs_to_that_of_its_ancestor():
    found = read([span("1", None, service="front"), span("2", "1"), span("3", "2")])

    assert [found.services[code] for code in found.service] == ["front"] * 3


def test_a_trace_that_names_no_service_is_unnamed():
    assert read([span("1", None)]).services == ("unnamed",)


def test_a_span_not_ended_runs_to_the_last_time_of_its_trace():
    found = read([span("1", None, end_ns=90), span("2", "1", start_ns=20, end_ns=None)])

    assert found.end_ns.tolist() == [90, 90]
    assert [failure_of(found, row) for row in (0, 1)] == [None, "not ended"]


def test_a_span_fails_with_its_code():
    error = {"status": STATUS_ERROR}
    found = read(
        [span("1", None, **error), span("2", "1", attributes={"error.type": "timeout"}, **error)]
    )

    assert [failure_of(found, row) for row in (0, 1)] == ["_OTHER", "timeout"]


def test_statements_are_joined_to_their_spans_and_strangers_left_out():
    spans = [span("1", None), span("2", "1", start_ns=3)]
    found = read(spans, [statement("2", "b"), statement("9", "c"), statement("1", "a", None)])

    assert said(found) == [(1, 5, "INFO b"), (0, 0, "INFO a")]


def test_a_trace_without_statements_is_silent_not_unknown():
    silent = pa.Table.from_pylist([statement("1", "a")]).slice(1)
    assembled = assemble(pa.Table.from_batches([resolve(spans_from_rows([span("1", None)]))]))

    assert period_from_spans(assembled).statements is None
    assert said(period_from_spans(assembled, silent)) == []


def test_a_period_is_halved_by_the_start_of_its_traces():
    traces = [
        Span(f"s{n}:op", 0, 1, (Span("b:op", 0, 1),), ((0.5, f"INFO {n}"),)) for n in range(5)
    ]

    early, late = halves(period(traces))

    assert (early.traces, late.traces) == (2, 3)
    assert [late.services[code] for code in late.service] == ["s2", "b", "s3", "b", "s4", "b"]
    assert late.parent.tolist() == [-1, 0, -1, 2, -1, 4]
    assert [(span, text) for span, _, text in said(late)] == [
        (0, "INFO 2"),
        (2, "INFO 3"),
        (4, "INFO 4"),
    ]


def rows_of(drawn: Period, rename: dict[str, str]) -> tuple[list[Any], list[Any]]:
    """Write a period out as spans and statements."""
    spans = [
        span(
            f"{row:04x}",
            f"{drawn.parent[row]:04x}" if drawn.parent[row] >= 0 else None,
            trace_id=f"{drawn.trace[row]:04x}",
            name=drawn.operations[drawn.operation[row]],
            service=rename[drawn.services[drawn.service[row]]],
            # Distinct times: which of two simultaneous calls came first, the name decides.
            start_ns=int(drawn.start_ns[row]) * 1000 + row + 1,
            end_ns=int(drawn.end_ns[row]) * 1000 + row + 1,
        )
        for row in range(len(drawn.trace))
    ]
    statements = [
        statement(f"{row:04x}", text, at * 1000 + n) | {"trace_id": f"{drawn.trace[row]:04x}"}
        for n, (row, at, text) in enumerate(said(drawn))
    ]
    return spans, statements


def scores(ranking: Ranking, rename: dict[str, str]) -> dict[str, tuple[float, float]]:
    names = {new: old for old, new in rename.items()}
    return {
        names[each.service]: (round(each.time, 6), round(each.behaviour, 6))
        for each in ranking.suspects
    }


@given(st.integers(0, 10_000), st.permutations([f"s{n}" for n in range(5)]))
@settings(max_examples=5, deadline=None)
def test_order_of_rows_and_names_of_services_change_nothing(seed, names):
    as_is = {name: name for name in names}
    other = {f"s{n}": f"x{name}" for n, name in enumerate(names)}
    drawn = [random_period(seed + n, slow="" if n else "s2") for n in range(3)]
    shuffle = np.random.default_rng(seed).permutation

    plain = [read(*rows_of(each, as_is)) for each in drawn]
    mixed = [
        read(*([rows[n] for n in shuffle(len(rows))] for rows in rows_of(each, other)))
        for each in drawn
    ]

    assert scores(localise(plain[0], plain[1:]), as_is) == scores(
        localise(mixed[0], mixed[1:]), other
    )
