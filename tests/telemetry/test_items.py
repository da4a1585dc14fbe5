"""What a trace touched, and when first."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from graphmind.telemetry.facts import ITEM_KINDS
from graphmind.telemetry.items import DESCENDANTS_MIN, FAILING_MIN, SPAN_KINDS, inherited
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
    lineage = {f"{how}_by_{who}" for how in ("written", "fed") for who in ("agent", "trace")}

    assert set(SPAN_KINDS) | {"task"} | lineage == set(ITEM_KINDS)
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


def access(
    span_id: str, op: str, start: float, end: float, *, trace: str, agent: str, key: str = "cart"
):
    attributes = {"graphmind.kv.key": key, "graphmind.kv.op": op, "gen_ai.agent.name": agent}
    return span(span_id, start, end, trace=trace, attributes=attributes)


def test_a_read_brings_in_who_wrote_the_value():
    rows = [
        access("w", "write", 0, 10, trace="writer", agent="clerk"),
        access("r", "read", 20, 25, trace="reader", agent="planner"),
    ]

    assert written(rows) == {
        ("reader", "written_by_agent", "clerk", 20),
        ("reader", "written_by_trace", "writer", 20),
    }


READERS = [f"reader{n}" for n in range(DESCENDANTS_MIN)]


def written(rows: list[Row], *, failing: Sequence[str] = READERS) -> set[tuple[str, str, str, int]]:
    return {
        (row["trace_id"], row["kind"], row["name"], (row["first_ns"] - at(0)) // 1_000_000)
        for row in inherited(facts(rows).accesses, pa.array(failing, pa.string())).to_pylist()
    }


def relayed(*, readers: int) -> list[Row]:
    """One trace writes, another passes it on, some read what was passed on."""
    passes_on = {"trace": "middle", "agent": "clerk"}
    rows = [
        access("w", "write", 0, 10, trace="source", agent="scribe"),
        access("in", "read", 20, 25, key="cart", **passes_on),
        access("out", "write", 30, 40, key="order", **passes_on),
    ]
    return rows + [
        access("r", "read", 50 + n, 60, key="order", trace=reader, agent="planner")
        for n, reader in enumerate(READERS[:readers])
    ]


def test_a_value_from_afar_brings_in_who_wrote_it_first():
    found = written(relayed(readers=DESCENDANTS_MIN - 1))

    assert ("reader0", "fed_by_trace", "source", 50) in found
    assert ("reader0", "fed_by_agent", "scribe", 50) in found
    assert ("middle", "fed_by_trace", "source", 20) in found


def test_who_fed_too_few_traces_to_be_named_is_left_out():
    kinds = {kind for _, kind, _, _ in written(relayed(readers=DESCENDANTS_MIN - 2))}

    assert kinds == {"written_by_agent", "written_by_trace"}


@pytest.mark.parametrize(("failing", "told"), [(FAILING_MIN, True), (FAILING_MIN - 1, False)])
def test_who_fed_too_few_failing_traces_to_be_a_cause_is_left_out(failing, told):
    found = written(relayed(readers=DESCENDANTS_MIN), failing=READERS[:failing])

    assert (("reader7", "fed_by_trace", "source", 57) in found) == told


def test_who_was_only_read_directly_is_told_once():
    found = written(relayed(readers=DESCENDANTS_MIN))

    assert not {
        row for row in found if row[1].startswith("fed_by") and row[2] in ("middle", "clerk")
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
