"""From spans to facts: the whole way through this room."""

import pytest

from graphmind.settings import Settings
from graphmind.telemetry.derive import PATH_STEPS_MAX, derive
from graphmind.telemetry.facts import ACCESSES, ITEMS, RESOLVED, SYMPTOMS, TRACES
from graphmind.telemetry.rejections import Rejections
from tests.builders import MS, Row, at, by_trace, facts, in_trace, resolved, span


def of_one(rows: list[Row], column: str) -> object:
    return facts(rows).traces[column][0].as_py()


def test_a_trace_is_told_in_one_row():
    rows = [
        span("checkout", 0, 100, failed=True, attributes={"cloud.region": "eu"}),
        span("charge", 10, 60, parent="checkout", failed=True, attributes={"error.type": "late"}),
    ]

    assert facts(rows).traces.to_pylist() == [
        {
            "trace_id": "t",
            "task": "checkout",
            "unit": "t",
            "start_ns": at(0),
            "duration_ns": 100 * MS,
            "root_span_id": "checkout",
            "root_name": "checkout",
            "root_module": "checkout",
            "span_count": 2,
            "error_span_count": 2,
            "complete": True,
            "evaluated": False,
            "weight": 1.0,
            "outcome": "failed",
            "error_code": "late",
            "fault_span_id": "charge",
            "fault_module": "charge",
            "fault_path": "checkout > charge",
            "recovered": False,
            "fallback_applied": False,
            "continues": [],
        }
    ]


def test_a_healthy_trace_has_no_fault():
    trace = facts([span("root")]).traces.to_pylist()[0]

    faults = ("outcome", "error_code", "fault_span_id", "fault_module", "fault_path")
    assert [trace[name] for name in faults] == ["ok", None, None, None, None]


def test_a_long_path_keeps_its_last_steps():
    rows = [
        span(f"s{n}", n, 99 - n, parent=f"s{n - 1}" if n else None, failed=True) for n in range(30)
    ]

    path = str(of_one(rows, "fault_path")).split(" > ")

    assert path == [f"s{n}" for n in range(30 - PATH_STEPS_MAX, 30)]


@pytest.mark.parametrize(
    ("name", "column"),
    [("graphmind.recovery", "recovered"), ("graphmind.fallback", "fallback_applied")],
)
def test_one_span_is_enough_to_say_so(name, column):
    rows = [span("root"), span("step", parent="root", attributes={name: "true"})]

    assert of_one(rows, column) is True
    assert of_one([span("root")], column) is False


def test_a_sampled_trace_weighs_the_inverse_of_its_probability():
    rows = [span("root"), span("step", parent="root", attributes={"sampling.probability": "0.05"})]

    assert of_one(rows, "weight") == pytest.approx(20)


def test_a_result_that_somebody_judged_is_evaluated():
    assert of_one([span("root", attributes={"user.feedback": "up"})], "evaluated") is True


def test_a_trace_continues_those_it_links_to():
    links = [{"trace_id": trace, "span_id": "x"} for trace in ("u", "s", "u", "t")]

    assert of_one([span("root", links=links)], "continues") == ["s", "u"]


def test_facts_come_in_the_order_in_which_traces_began():
    rows = [span("r", start, start + 1, trace=trace) for trace, start in (("a", 9), ("b", 3))]

    assert facts(rows).traces["trace_id"].to_pylist() == ["b", "a"]


def touched_before_it_failed(handler_start: float) -> set[str]:
    rows = [
        span("root", 0, 100, failed=True),
        span("charge", 10, 60, parent="root", failed=True),
        span("handler", handler_start, 90, parent="root", service="rescue"),
    ]
    found = facts(rows)
    began = found.symptoms["began_ns"][0].as_py()
    return {
        row["name"]
        for row in found.items.to_pylist()
        if row["kind"] == "service" and row["first_ns"] <= began
    }


@pytest.mark.parametrize("start", [60, 61])
def test_what_is_touched_as_or_after_it_went_wrong_is_an_effect(start):
    assert touched_before_it_failed(start) == {"shop"}


def test_what_was_touched_before_it_went_wrong_may_be_the_cause():
    assert touched_before_it_failed(59) == {"shop", "rescue"}


def test_the_failing_step_itself_may_be_the_cause_though_it_took_no_time():
    well = [span("root", 0, 50), span("charge", 10, 20, parent="root")]
    rows = [span("root", 0, 50, failed=True), span("charge", 10, 10, parent="root", failed=True)]

    found = facts(in_trace("t1", rows) + in_trace("t2", well))

    first = {
        row["name"]: row["first_ns"]
        for row in found.items.to_pylist()
        if row["trace_id"] == found.symptoms["trace_id"][0].as_py()
    }
    assert first["charge"] == found.symptoms["began_ns"][0].as_py()


def test_no_spans_give_no_facts():
    found = derive(RESOLVED.empty_table(), Settings())

    assert [table.schema for table in (found.traces, found.symptoms, found.items)] == [
        TRACES,
        SYMPTOMS,
        ITEMS,
    ]
    assert found.accesses.schema == ACCESSES
    assert found.traces.num_rows == 0


def test_spans_without_any_time_are_counted_and_give_no_facts():
    rejected = Rejections()

    found = derive(resolved([span("a", None, None)]), Settings(), rejected)

    assert found.traces.num_rows == 0
    assert rejected.counts == {"trace without any time": 1}


def test_one_open_span_is_a_trace():
    assert by_trace(facts([span("root", 5, None)]).traces, "outcome") == {"t": "incomplete"}


def test_a_failing_chain_of_ten_thousand_spans_is_told_too():
    rows = [
        span(str(n), n, 30_000 - n, parent=str(n - 1) if n else None, failed=True)
        for n in range(10_000)
    ]

    assert of_one(rows, "fault_span_id") == "9999"


def test_a_module_whose_every_span_failed_names_the_failure_and_is_no_item():
    rows = [span("root", 0, 50), span("raise", 10, 20, parent="root", failed=True)]

    modules = {r["name"] for r in facts(rows).items.to_pylist() if r["kind"] == "module"}

    assert modules == {"root"}
