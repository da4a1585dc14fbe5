"""The archive's facts answer as the graph does, and the larger of each number counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.repair.impact import Rows, Scope, impact_of
from graphmind.repair.reach import joined, reach_of
from tests.incidents.windows import facts, incident
from tests.repair.test_impact import SWITCH, agent, intent, row

BLAMED = incident(("model_version", "m@2")).document() | {"trace_ids": ["t1", "t9"]}
SNAPSHOT = "redis:agent_state_snapshot:checkout:route"
FACTS = facts(
    [
        {"trace_id": "t1", "task": "checkout", "outcome": "hung", "complete": False},
        {"trace_id": "t2", "task": "checkout", "outcome": "hung", "complete": False},
        {"trace_id": "t3", "task": "search", "outcome": "ok", "complete": True, "weight": 4.0},
        {"trace_id": "t4", "task": None, "outcome": "ok", "complete": True},
    ],
    items=[
        ("t1", "model_version", "m@2"),
        ("t1", "agent", "router"),
        ("t1", "region", "eu"),
        ("t2", "model_version", "m@2"),
        ("t2", "agent", "router"),
        ("t2", "region", "us"),
        ("t3", "model_version", "m@2"),
        ("t3", "region", "eu"),
        ("t4", "model_version", "m@1"),
        ("t4", "module", "m@2"),
    ],
    accesses=[("t1", SNAPSHOT, "write", "router"), ("t2", SNAPSHOT, "read", "router")],
)


def by(rows, *names):
    return {tuple(each[name] for name in names): each for each in rows}


def test_who_touches_the_target_is_hit_and_weighs_what_it_stands_for():
    rows = reach_of(FACTS, Scope(names=("m@2",)), BLAMED)

    assert by(rows.scope, "task") == {
        ("checkout",): row(
            "checkout", traces=2.0, failing=2.0, unfinished=2.0, snapshots=1.0, unsaved=1.0
        ),
        ("search",): row("search", traces=4.0),
    }
    assert sum(each["traces"] for each in rows.traffic) == 7.0
    assert set(by(rows.users, "kind", "name")) == {
        ("Agent", "router"),
        ("Region", "eu"),
        ("Region", "us"),
    }


@pytest.mark.parametrize(
    ("scope", "traces"),
    [
        (Scope(names=("m@2",), also="eu"), 5.0),
        (Scope(names=("inc-1",)), 1.0),
        (Scope(names=("nobody",)), 0.0),
        (Scope(names=()), 0.0),
    ],
)
def test_a_scope_narrows_it(scope, traces):
    assert sum(each["traces"] for each in reach_of(FACTS, scope, BLAMED).scope) == traces


def test_a_graph_that_holds_nothing_yet_hides_no_impact():
    nothing = Rows(scope=(), users=(), traffic=())
    found = impact_of(
        joined(nothing, reach_of(FACTS, Scope(names=("m@2",)), BLAMED)), [SWITCH], BLAMED
    )

    assert (found.traces, found.share) == (6, round(6 / 7, 4))
    assert found.tasks == ("checkout", "search")


def test_what_only_the_graph_knows_is_kept():
    graph = Rows(scope=[row("checkout", traces=9.0)], users=[agent("router", hot=True)], traffic=())
    both = joined(graph, reach_of(FACTS, Scope(names=("m@2",)), BLAMED))
    restart = [intent("restart", "router")]

    assert impact_of(both, restart, BLAMED).hot_restart is True
    assert by(both.scope, "task")["checkout",]["traces"] == 9.0
    assert by(both.scope, "task")["checkout",]["unsaved"] == 1.0


ROWS = st.lists(
    st.builds(row, st.sampled_from("abc"), traces=st.floats(0, 1e6)),
    max_size=3,
    unique_by=lambda each: each["task"],
)


@given(ROWS, ROWS)
def test_neither_store_makes_the_other_smaller(some, others):
    one, two = (Rows(scope=each, users=(), traffic=()) for each in (some, others))
    both = by(joined(one, two).scope, "task")

    assert both == by(joined(two, one).scope, "task")
    for each in (*some, *others):
        assert both[each["task"],]["traces"] >= each["traces"]
