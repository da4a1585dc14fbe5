"""What runs because something failed is touched after it, whatever the clock says."""

import pytest

from tests.builders import Row, at, facts, in_trace, span

EXCEPTION = "exception"


def failing_with_handler(*, handler_ms: float = 40, raised_ms: float | None = None) -> list[Row]:
    """Return a trace whose failed step runs a handler before it ends."""
    events = [{"name": EXCEPTION, "time_ns": at(raised_ms)}] if raised_ms else []
    return [
        span("root", 0, 100, failed=True),
        span("step", 10, 90, parent="root", failed=True, service="worker", events=events),
        span("lookup", 20, 25, parent="step", service="store"),
        span("handler", handler_ms, 80, parent="step", service="rescue"),
    ]


def healthy() -> list[Row]:
    return [
        span("root", 0, 100),
        span("step", 10, 90, parent="root", service="worker"),
        span("lookup", 20, 25, parent="step", service="store"),
    ]


def touched_before_the_failure(rows: list[Row]) -> set[str]:
    found = facts(rows)
    trace, began = found.symptoms["trace_id"][0].as_py(), found.symptoms["began_ns"][0].as_py()
    return {
        row["name"]
        for row in found.items.to_pylist()
        if row["kind"] == "service" and row["trace_id"] == trace and row["first_ns"] <= began
    }


def test_what_runs_after_the_exception_is_an_effect():
    assert touched_before_the_failure(failing_with_handler(raised_ms=30)) == {
        "shop",
        "worker",
        "store",
    }


def test_the_symptom_begins_at_the_last_exception():
    rows = failing_with_handler()
    rows[1]["events"] = [{"name": EXCEPTION, "time_ns": at(ms)} for ms in (15, 30)]

    assert facts(rows).symptoms["began_ns"].to_pylist() == [at(30)]


@pytest.mark.parametrize("raised_ms", [5, 95])
def test_an_exception_outside_its_span_says_nothing(raised_ms):
    rows = failing_with_handler(raised_ms=raised_ms)

    assert facts(rows).symptoms["began_ns"].to_pylist() == [at(90)]


def test_what_runs_only_under_failed_spans_is_an_effect_without_an_exception():
    rows = [row for n in range(5) for row in in_trace(f"bad{n}", failing_with_handler())]
    rows += [row for n in range(5) for row in in_trace(f"good{n}", healthy())]

    assert touched_before_the_failure(rows) == {"shop", "worker", "store"}


def test_what_also_runs_where_all_is_well_may_be_the_cause():
    rows = [row for n in range(5) for row in in_trace(f"bad{n}", failing_with_handler())]
    rescued = [*healthy(), span("handler", 40, 80, parent="step", service="rescue")]
    rows += [row for n in range(5) for row in in_trace(f"good{n}", rescued)]

    assert "rescue" in touched_before_the_failure(rows)


def test_what_fails_itself_is_no_effect():
    def fails_below() -> list[Row]:
        return [
            span("root", 0, 100, failed=True),
            span("step", 10, 90, parent="root", failed=True, service="worker"),
        ]

    rows = [row for n in range(9) for row in in_trace(f"bad{n}", fails_below())]

    assert "worker" in touched_before_the_failure(rows)


def test_an_effect_is_touched_after_every_symptom():
    rows = [row for n in range(5) for row in in_trace(f"bad{n}", failing_with_handler())]
    found = facts(rows)

    first = {r["first_ns"] for r in found.items.to_pylist() if r["name"] == "rescue"}
    assert first == {at(90) + 1}
