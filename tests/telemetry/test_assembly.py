"""Spans in any order, late, twice, orphaned, in cycles or with wrong clocks become trees."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.telemetry.assembly import Columns, assemble
from graphmind.telemetry.facts import ASSEMBLED, RESOLVED
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolve import resolve
from graphmind.telemetry.spans import spans_from_rows
from tests.builders import MS, Row, assembled, at, by_span, resolved, span

SOME = settings(deadline=None, max_examples=50)
IDS = "abcdef"
UUID = "01a201e8-0264-7709-b57e-52bf8cd7c9d6"


def maybe(values):
    return st.none() | values


@st.composite
def any_spans(draw) -> list[Row]:
    """A few spans of a few traces with every kind of damage; each id once a trace."""
    keys = draw(st.lists(st.tuples(st.sampled_from("tuv"), st.sampled_from(IDS)), unique=True))
    rows = []
    for trace, span_id in keys:
        start = draw(maybe(st.integers(0, 50)))
        lasts = draw(maybe(st.integers(0, 30)))
        agent = draw(maybe(st.sampled_from(["planner", "worker"])))
        rows.append(
            span(
                span_id,
                start,
                None if lasts is None else (start or 0) + lasts,
                trace=trace,
                parent=draw(maybe(st.sampled_from(IDS + "z"))),
                service=draw(st.sampled_from(["shop", "bank"])),
                attributes={"gen_ai.agent.name": agent} if agent else {},
                failed=draw(st.booleans()),
            )
        )
    return rows


@SOME
@given(any_spans(), st.data())
def test_order_repetition_and_batches_do_not_matter(rows, data):
    arrived = data.draw(st.permutations(rows + data.draw(st.lists(st.sampled_from(rows or [{}])))))
    if not rows:
        arrived = []
    cut = data.draw(st.integers(0, len(arrived)))
    batches = [resolve(spans_from_rows(part)) for part in (arrived[:cut], arrived[cut:])]

    again = assemble(pa.Table.from_batches(batches))

    assert again.to_pylist() == assembled(rows).to_pylist()


@SOME
@given(any_spans())
def test_whatever_comes_the_result_is_a_forest_of_all_timed_spans(rows):
    timed = {row["trace_id"] for row in rows if row["start_ns"] is not None}

    spans = assembled(rows).to_pylist()

    assert sorted((s["trace_id"], s["span_id"]) for s in spans) == sorted(
        (row["trace_id"], row["span_id"]) for row in rows if row["trace_id"] in timed
    )
    for s in spans:
        above = spans[s["parent_row"]] if s["parent_row"] >= 0 else None
        assert s["depth"] == (above["depth"] + 1 if above else 0)
        if above:
            assert (above["trace_id"], above["span_id"]) == (s["trace_id"], s["parent_span_id"])
        assert 0 <= s["self_ns"] <= (s["end_ns"] or s["start_ns"]) - s["start_ns"]
    order = [(s["trace_row"], s["start_ns"], s["depth"], s["span_id"]) for s in spans]
    assert order == sorted(order)
    assert sum(s["children"] for s in spans) == sum(s["parent_row"] >= 0 for s in spans)


@st.composite
def sequential_tree(draw, start=0, parent=None, depth=0) -> list[Row]:
    """A span whose children run one after another inside it."""
    span_id = f"{parent or 'root'}.{start}"
    rows, now = [], start
    for _ in range(draw(st.integers(0, 3 if depth < 3 else 0))):
        child = draw(sequential_tree(now + draw(st.integers(1, 5)), span_id, depth + 1))
        rows += child
        now = (child[0]["end_ns"] - at(0)) // MS
    return [span(span_id, start, now + draw(st.integers(1, 9)), parent=parent), *rows]


@SOME
@given(sequential_tree())
def test_the_self_times_of_sequential_steps_add_up_to_the_roots_duration(rows):
    root = rows[0]

    assert sum(assembled(rows)["self_ns"].to_pylist()) == root["end_ns"] - root["start_ns"]


def test_time_that_parallel_children_share_is_covered_once():
    rows = [
        span("root", 0, 100),
        span("a", 10, 50, parent="root"),
        span("b", 30, 60, parent="root"),
        span("c", 35, 40, parent="root"),
    ]

    assert by_span(assembled(rows), "self_ns")["root"] == 50 * MS


def test_a_child_that_outlives_its_parent_covers_only_the_parents_time():
    rows = [span("root", 0, 10), span("late", 5, 90, parent="root")]

    assert by_span(assembled(rows), "self_ns") == {"root": 5 * MS, "late": 85 * MS}


def test_spans_are_sorted_by_the_start_of_their_trace():
    rows = [
        span("b", 1, trace="later"),
        span("a", 0, trace="sooner"),
        span("c", 9, trace="sooner", parent="a"),
    ]

    spans = assembled(rows)

    assert spans["span_id"].to_pylist() == ["a", "c", "b"]
    assert spans["trace_row"].to_pylist() == [0, 0, 1]


def test_an_orphan_is_a_top_whose_parent_never_came():
    rows = [span("root"), span("child", parent="root"), span("stray", parent="lost")]

    spans = assembled(rows)

    assert by_span(spans, "orphan") == {"root": False, "child": False, "stray": True}
    assert by_span(spans, "depth") == {"root": 0, "child": 1, "stray": 0}


def test_a_parent_of_another_trace_is_no_parent():
    rows = [span("root", trace="t"), span("child", trace="u", parent="root")]

    assert by_span(assembled(rows), "orphan") == {"root": False, "child": True}


def test_ids_may_repeat_from_trace_to_trace():
    rows = [
        span(name, trace=trace, parent=parent)
        for trace in "tuv"
        for name, parent in (("root", None), ("child", "root"))
    ]

    assert assembled(rows)["parent_row"].to_pylist() == [-1, 0, -1, 2, -1, 4]


def test_a_span_that_is_its_own_parent_is_a_root():
    rejected = Rejections()

    spans = assembled([span("a", parent="a"), span("b", parent="a")], rejected)

    assert by_span(spans, "depth") == {"a": 0, "b": 1}
    assert by_span(spans, "orphan") == {"a": False, "b": False}
    assert rejected.counts == {}


def test_a_cycle_is_cut_at_its_earliest_span_and_counted():
    rejected = Rejections()
    rows = [
        span("a", 3, parent="c"),
        span("b", 1, parent="a"),
        span("c", 2, parent="b"),
        span("below", 5, parent="c"),
    ]

    spans = assembled(rows, rejected)

    assert by_span(spans, "depth") == {"b": 0, "c": 1, "a": 2, "below": 2}
    assert rejected.counts == {"parent cycle cut": 1}


def test_each_of_several_cycles_is_cut():
    rejected = Rejections()
    pairs = [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]

    spans = assembled([span(one, parent=other) for one, other in pairs], rejected)

    assert by_span(spans, "depth") == {"a": 0, "b": 1, "c": 0, "d": 1}
    assert rejected.counts == {"parent cycle cut": 2}


def test_a_trace_may_have_several_roots():
    assert by_span(assembled([span("a"), span("b")]), "orphan") == {"a": False, "b": False}


def test_of_a_span_that_came_twice_the_one_that_ended_counts():
    rows = [span("a", 0, None), span("a", 0, 30), span("a", 0, None)]

    spans = assembled(rows)

    assert spans.num_rows == 1
    assert spans["end_ns"].to_pylist() == [at(30)]


def test_a_span_that_has_not_ended_keeps_no_end():
    spans = assembled([span("a", 5, None)])

    assert (spans["end_ns"].to_pylist(), spans["self_ns"].to_pylist()) == ([None], [0])
    assert Columns.of(spans).end.tolist() == [at(5)]


def test_a_span_without_a_start_takes_that_of_its_nearest_ancestor():
    rows = [
        span("root", 0, 90),
        span("known", 7, 50, parent="root"),
        span("unknown", None, 40, parent="known"),
        span("below", None, 30, parent="unknown"),
    ]

    assert by_span(assembled(rows), "start_ns")["below"] == at(7)


def test_a_top_without_a_start_takes_that_of_the_trace():
    rows = [span("root", None, 90), span("child", 20, 30, parent="root")]

    assert by_span(assembled(rows), "start_ns") == {"root": at(20), "child": at(20)}


def test_a_trace_without_any_time_is_dropped_and_counted():
    rejected = Rejections()
    rows = [span("a", None, None, trace="t"), span("b", None, 5, trace="t"), span("c", trace="u")]

    spans = assembled(rows, rejected)

    assert spans["span_id"].to_pylist() == ["c"]
    assert rejected.counts == {"trace without any time": 2}


def test_a_remote_child_that_starts_before_its_parent_is_centred_in_it():
    rows = [
        span("call", 100, 200, service="shop"),
        span("serve", 20, 60, parent="call", service="bank"),
        span("query", 30, 40, parent="serve", service="bank"),
    ]

    spans = assembled(rows)

    assert by_span(spans, "start_ns") == {"call": at(100), "serve": at(130), "query": at(140)}
    assert by_span(spans, "end_ns")["serve"] == at(170)


def test_a_remote_child_longer_than_its_parent_starts_with_it():
    rows = [
        span("call", 100, 120, service="shop"),
        span("serve", 20, 60, parent="call", service="bank"),
    ]

    assert by_span(assembled(rows), "start_ns")["serve"] == at(100)


def test_a_child_on_the_same_host_is_believed():
    rows = [span("call", 100, 200), span("early", 20, 60, parent="call")]

    assert by_span(assembled(rows), "start_ns")["early"] == at(20)


def test_instances_of_one_service_are_hosts_of_their_own():
    rows = [
        span("call", 100, 200, resource={"host.name": "h1"}),
        span("serve", 20, 60, parent="call", resource={"host.name": "h2"}),
    ]

    assert by_span(assembled(rows), "start_ns")["serve"] == at(130)


def agent_of(rows: list[Row]) -> dict[str, str]:
    return by_span(assembled(rows), "agent")


def test_the_agent_is_inherited_from_the_nearest_ancestor():
    rows = [
        span("root", attributes={"gen_ai.agent.name": "router"}),
        span("step", parent="root", attributes={"gen_ai.agent.name": "planner"}),
        span("chat", parent="step"),
        span("tool", parent="chat"),
        span("other", parent="root"),
    ]

    assert agent_of(rows) == {
        "root": "router",
        "step": "planner",
        "chat": "planner",
        "tool": "planner",
        "other": "router",
    }


def test_an_ancestors_agent_speaks_before_a_copy_in_the_baggage():
    rows = [
        span("root", attributes={"gen_ai.agent.name": "router"}),
        span("chat", parent="root", attributes={"baggage.gen_ai.agent.name": "copied"}),
        span("stray", parent="lost", attributes={"baggage.gen_ai.agent.name": "copied"}),
    ]

    assert agent_of(rows) == {"root": "router", "chat": "router", "stray": "copied"}


def test_the_service_is_the_agent_of_last_resort_and_no_name_of_one():
    spans = assembled([span("root", service="shop")])

    assert (spans["agent"].to_pylist(), spans["agent_named"].to_pylist()) == (["shop"], [False])


def test_a_uuid_in_one_trace_only_names_a_run():
    rows = [span("root", attributes={"gen_ai.agent.id": UUID}), span("chat", parent="root")]

    assert agent_of(rows) == {"root": "shop", "chat": "shop"}


def test_a_uuid_seen_in_two_traces_names_an_agent():
    rows = [span("root", trace=trace, attributes={"gen_ai.agent.id": UUID}) for trace in "tu"]

    assert assembled(rows)["agent"].to_pylist() == [UUID, UUID]


def test_agents_of_one_name_in_two_namespaces_stay_apart():
    def root(trace: str, agent: str, namespace: str) -> Row:
        attributes = {"gen_ai.agent.name": agent}
        return span(
            "root", trace=trace, attributes=attributes, resource={"service.namespace": namespace}
        )

    rows = [root("t", "planner", "shop"), root("u", "planner", "bank"), root("v", "clerk", "bank")]

    assert assembled(rows)["agent"].to_pylist() == ["shop/planner", "bank/planner", "clerk"]


def test_keys_of_one_name_in_two_stores_stay_apart():
    def access(span_id: str, key: str, store: str) -> Row:
        return span(span_id, attributes={"graphmind.kv.key": key, "graphmind.kv.store": store})

    rows = [access("a", "k", "one"), access("b", "k", "two"), access("c", "other", "two")]

    assert by_span(assembled(rows), "kv_key") == {"a": "one/k", "b": "two/k", "c": "other"}


def test_region_and_task_id_are_inherited_too():
    attributes = {"cloud.region": "eu", "graphmind.task.id": "job-7"}
    rows = [span("root", attributes=attributes), span("chat", parent="root")]

    spans = assembled(rows)

    assert by_span(spans, "region")["chat"] == "eu"
    assert by_span(spans, "task_id")["chat"] == "job-7"


def chat(trace: str, requested: str, answered: str | None) -> Row:
    attributes = {"gen_ai.request.model": requested}
    if answered:
        attributes["gen_ai.response.model"] = answered
    return span("chat", trace=trace, attributes=attributes)


def test_a_call_without_an_answer_went_to_the_only_version_that_answers_for_the_name():
    rows = [chat("t", "planner", "planner-v7"), chat("u", "planner", None)]

    assert assembled(rows)["model_version"].to_pylist() == ["planner-v7", "planner-v7"]


def test_where_two_versions_answer_the_version_of_a_silent_call_is_unknown():
    rows = [chat("t", "m", "m-1"), chat("u", "m", "m-2"), chat("v", "m", None)]

    assert assembled(rows)["model_version"].to_pylist() == ["m-1", "m-2", None]


def test_a_model_that_never_says_its_version_is_its_own():
    assert assembled([chat("t", "m", None)])["model_version"].to_pylist() == ["m"]


def test_nothing_assembles_to_nothing():
    empty = assemble(RESOLVED.empty_table())

    assert (empty.num_rows, empty.schema) == (0, ASSEMBLED)


def test_a_chain_of_ten_thousand_spans_is_a_tree_like_any_other():
    parents = [None, *range(9_999)]
    rows = [
        span(str(n), n, 20_000 - n, parent=None if parent is None else str(parent))
        for n, parent in enumerate(parents)
    ]

    columns = Columns.of(assembled(rows))

    assert columns.depth.tolist() == list(range(10_000))
    assert int(columns.self_ns.sum()) == 20_000 * MS


@pytest.mark.slow
def test_a_root_of_two_hundred_thousand_children_is_a_tree_like_any_other():
    children = resolved([span("child", 1, 2, parent="root")])
    crowd = children.take(pa.array(np.zeros(200_000, np.int64)))
    ids = pa.array([str(n) for n in range(200_000)])
    crowd = crowd.set_column(crowd.schema.get_field_index("span_id"), "span_id", ids)

    spans = assemble(pa.concat_tables([resolved([span("root", 0, 9)]), crowd]))

    assert spans["children"][0].as_py() == 200_000
    assert spans["self_ns"][0].as_py() == 8 * MS
