"""What a trace touched, and when first."""

import pytest

from graphmind.telemetry.facts import ITEM_KINDS
from graphmind.telemetry.items import SPAN_KINDS, inherited
from tests.builders import Row, at, facts, span

# What each kind of item is read from.
SOURCES = {
    "agent": {"gen_ai.agent.name": "planner"},
    "instance": {"host.name": "h1"},
    "model_version": {"gen_ai.response.model": "m-1"},
    "model_requested": {"gen_ai.request.model": "m", "gen_ai.response.model": "m-1"},
    "prompt_version": {"gen_ai.prompt.name": "p", "gen_ai.prompt.version": "3"},
    "tool": {"gen_ai.tool.name": "search"},
    "module": {"code.function.name": "shop.pay"},
    "region": {"cloud.region": "eu"},
    "endpoint": {"http.route": "/pay"},
    "kv_key": {"graphmind.kv.key": "cart"},
}
NAMES = {
    "agent": "planner",
    "instance": "h1",
    "model_version": "m-1",
    "model_requested": "m",
    "prompt_version": "p@3",
    "tool": "search",
    "module": "shop.pay",
    "region": "eu",
    "endpoint": "/pay",
    "kv_key": "cart",
}


def touched(*rows: Row) -> set[tuple[str, str, str, int]]:
    """(trace, kind, name, ms of the first touch)."""
    return {
        (row["trace_id"], row["kind"], row["name"], (row["first_ns"] - at(0)) // 1_000_000)
        for row in facts(rows).items.to_pylist()
    }


def names(kind: str, *rows: Row) -> dict[str, int]:
    return {name: first for _, of, name, first in touched(*rows) if of == kind}


@pytest.mark.parametrize("kind", SOURCES)
def test_an_attribute_names_an_item(kind):
    rows = [span("root", 0, 90), span("step", 7, 20, parent="root", attributes=SOURCES[kind])]

    assert names(kind, *rows)[NAMES[kind]] == 7


def test_every_kind_a_span_names_is_in_the_schema():
    assert set(SPAN_KINDS) | {"task", "written_by_agent", "written_by_trace"} == set(ITEM_KINDS)
    assert set(SOURCES) | {"service"} == set(SPAN_KINDS)


def test_the_service_and_the_task_are_items():
    rows = [span("checkout", 5, 90, service="shop")]

    assert names("service", *rows) == {"shop": 5}
    assert names("task", *rows) == {"checkout": 5}


def test_an_item_is_touched_once_a_trace_at_its_earliest():
    region = {"cloud.region": "eu"}
    rows = [
        span("root", 0, 90),
        span("late", 50, 60, parent="root", attributes=region),
        span("early", 7, 20, parent="root", attributes=region),
    ]

    assert names("region", *rows) == {"eu": 7}


def test_each_trace_touches_for_itself():
    rows = [span("root", start, start + 5, trace=trace) for trace, start in (("t", 0), ("u", 40))]

    assert {row for row in touched(*rows) if row[1] == "service"} == {
        ("t", "service", "shop", 0),
        ("u", "service", "shop", 40),
    }


def test_a_service_is_no_agent():
    assert names("agent", span("root")) == {}


def test_an_inherited_agent_is_touched_by_the_span_that_names_it():
    rows = [span("root", 3, 90, attributes=SOURCES["agent"]), span("step", 9, parent="root")]

    assert names("agent", *rows) == {"planner": 3}


def access(span_id: str, op: str, start: float, end: float, *, trace: str, agent: str, **more):
    return span(
        span_id,
        start,
        end,
        trace=trace,
        attributes={"graphmind.kv.key": "cart", "graphmind.kv.op": op, "gen_ai.agent.name": agent},
        **more,
    )


def test_a_read_brings_in_who_wrote_the_value():
    rows = [
        access("w", "write", 0, 10, trace="writer", agent="clerk"),
        access("r", "read", 20, 25, trace="reader", agent="planner"),
    ]

    assert written(rows) == {
        ("reader", "written_by_agent", "clerk", 20),
        ("reader", "written_by_trace", "writer", 20),
    }


def written(rows: list[Row]) -> set[tuple[str, str, str, int]]:
    return {
        (row["trace_id"], row["kind"], row["name"], (row["first_ns"] - at(0)) // 1_000_000)
        for row in inherited(facts(rows).accesses).to_pylist()
    }


def test_reading_twice_counts_from_the_first_time():
    rows = [
        access("w", "write", 0, 10, trace="writer", agent="clerk"),
        access("r1", "read", 20, 25, trace="reader", agent="planner"),
        access("r2", "read", 30, 35, trace="reader", agent="planner"),
    ]

    assert ("reader", "written_by_trace", "writer", 20) in written(rows)
    assert len(written(rows)) == 2


def test_a_model_that_answers_under_the_name_requested_is_one_item():
    same = {"gen_ai.request.model": "m", "gen_ai.response.model": "m"}
    rows = [span("root", 0, 90), span("step", 7, 20, parent="root", attributes=same)]

    assert (names("model_version", *rows), names("model_requested", *rows)) == ({"m": 7}, {})
