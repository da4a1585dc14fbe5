import numpy as np
import pyarrow as pa
import pytest

from graphmind.analysis.find import find
from graphmind.analysis.window import NEVER, items_before_symptom, window_from_facts
from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES, Facts


def rows_of(schema, rows):
    return pa.Table.from_pylist(
        [{name: row.get(name) for name in schema.names} for row in rows], schema=schema
    )


def facts(traces, symptoms=(), items=()):
    return Facts(
        traces=rows_of(TRACES, traces),
        symptoms=rows_of(SYMPTOMS, symptoms),
        items=rows_of(ITEMS, items),
        accesses=rows_of(ACCESSES, []),
    )


def trace(name, start_ns=0, **more):
    return {"trace_id": name, "start_ns": start_ns, "weight": 1.0, **more}


def item(trace_id, kind, name, first_ns=0):
    return {"trace_id": trace_id, "kind": kind, "name": name, "first_ns": first_ns}


def symptom(trace_id, channel, began_ns):
    return {"trace_id": trace_id, "kind": "error", "channel": channel, "began_ns": began_ns}


def touched(window, incidence):
    return [
        {window.item_names[c] for c in incidence.columns_of(np.array([row]))}
        for row in range(window.n)
    ]


def test_items_are_kept_once_with_their_earliest_touch():
    window = window_from_facts(
        facts(
            [trace("a", 1), trace("b", 2)],
            items=[
                item("b", "tool", "search", 9),
                item("a", "agent", "planner", 7),
                item("a", "agent", "planner", 5),
                item("a", "tool", "search", 6),
                item("elsewhere", "tool", "search", 6),
            ],
        )
    )

    assert (window.item_kinds, window.item_names) == (("agent", "tool"), ("planner", "search"))
    assert window.items.starts.tolist() == [0, 2, 3]
    assert window.items.columns.tolist() == [0, 1, 1]
    assert window.touched_ns.tolist() == [5, 6, 9]


def test_only_items_touched_before_the_earliest_symptom_of_the_channel_count():
    window = window_from_facts(
        facts(
            [trace("a"), trace("b")],
            symptoms=[
                symptom("a", "error", 30),
                symptom("a", "error", 20),
                symptom("a", "latency", 40),
            ],
            items=[
                item("a", "agent", "first", 10),
                item("a", "agent", "same", 20),
                item("a", "agent", "fallback", 35),
                item("b", "agent", "fallback", 99),
            ],
        )
    )

    assert touched(window, items_before_symptom(window, "error")) == [
        {"first", "same"},
        {"fallback"},
    ]
    assert touched(window, items_before_symptom(window, "latency")) == [
        {"first", "same", "fallback"},
        {"fallback"},
    ]


def test_missing_spans_are_no_symptom_of_any_channel():
    window = window_from_facts(facts([trace("a")], symptoms=[symptom("a", None, 3)]))

    assert window.failing == {}


def test_a_symptom_without_a_time_cuts_no_item():
    window = window_from_facts(
        facts([trace("a")], [symptom("a", "error", None)], [item("a", "tool", "t", 10**18)])
    )

    assert window.failing["error"].tolist() == [True]
    assert window.failing_ns["error"][0] < NEVER
    assert touched(window, items_before_symptom(window, "error")) == [{"t"}]


def test_traces_without_a_unit_are_their_own_and_attempts_share_one():
    window = window_from_facts(
        facts([trace("a", unit="j"), trace("b"), trace("c", unit="j"), trace("d")])
    )

    assert window.unit[0] == window.unit[2]
    assert len(set(window.unit.tolist())) == 3


def test_the_stratum_is_the_task_where_tasks_repeat():
    window = window_from_facts(facts([trace(str(n), task="xy"[n % 2]) for n in range(6)]))

    assert window.stratum.tolist() == [0, 1] * 3


@pytest.mark.parametrize("task", [lambda _: None, str], ids=["missing", "unique"])
def test_the_stratum_is_derived_from_items_where_the_task_says_nothing(task):
    names = [f"t{n:03}" for n in range(60)]
    window = window_from_facts(
        facts(
            [trace(name, task=task(name)) for name in names],
            items=[
                item(name, "agent", agent)
                for n, name in enumerate(names)
                for agent in (f"of-{n % 3}", f"too-{n % 3}")
            ],
        )
    )

    groups = [set(window.stratum[n::3].tolist()) for n in range(3)]
    assert [len(group) for group in groups] == [1, 1, 1]
    assert len(set.union(*groups)) == 3


def test_descriptors_are_minus_one_where_nothing_is_recorded():
    window = window_from_facts(
        facts([trace("a", error_code="timeout"), trace("b"), trace("c", error_code="refused")])
    )

    assert [d.codes.tolist() for d in window.descriptors] == [[1, -1, 0], [-1, -1, -1]]
    assert [d.power for d in window.descriptors] == [1.0, 0.5]


def test_only_traces_whose_result_was_judged_show_their_quality():
    window = window_from_facts(
        facts([trace("a", evaluated=True), trace("b", evaluated=False), trace("c")])
    )

    assert {c: flags.tolist() for c, flags in window.observable.items()} == {
        "quality": [True, False, False]
    }


def test_an_empty_window_has_no_findings():
    found = find(window_from_facts(facts([])))

    assert (found.findings, found.unexplained.tolist(), found.untestable_items) == ((), [], 0)
