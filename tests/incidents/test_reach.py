import pytest

from graphmind.incidents.incident import Reach
from graphmind.incidents.reach import reach_of
from tests.incidents.windows import facts, incident

WINDOW = facts(
    ["t1", "t2", "t3", "t4"],
    items=[
        ("t1", "agent", "a"),
        ("t1", "region", "eu"),
        ("t1", "task", "chat"),
        ("t2", "agent", "a"),
        ("t2", "agent", "b"),
        ("t2", "region", "us"),
        ("t2", "task", "search"),
        ("t3", "agent", "b"),
        ("t3", "written_by_agent", "a"),
        ("t4", "written_by_trace", "t1"),
        ("t4", "kv_key", "k1"),
    ],
    accesses=[
        ("t1", "k2", "write", "a"),
        ("t1", "k1", "write", "b"),
        ("t2", "k3", "write", "a"),
        ("t2", "k2", "write", "a"),
        ("t2", "k4", "read", "a"),
    ],
    symptoms=[("t1", "error"), ("t1", "slow"), ("t2", "missing")],
)


def reach(*items):
    return reach_of(incident(*items).causes[0], WINDOW)


def test_a_cause_reaches_all_that_traces_touch_which_touch_it():
    assert reach(("agent", "a")) == Reach(
        traces=2,
        failing=1,
        last_ms=2000,
        tasks=("chat", "search"),
        agents=("a", "b"),
        regions=("eu", "us"),
        written_keys=(),
    )


def test_a_conjunction_reaches_only_traces_that_touch_all_of_it():
    assert reach(("agent", "a"), ("region", "us")) == Reach(
        traces=1,
        failing=0,
        last_ms=2000,
        tasks=("search",),
        agents=("a", "b"),
        regions=("us",),
        written_keys=(),
    )


def test_a_sampled_trace_counts_as_the_traces_it_stands_for():
    window = facts(
        [{"trace_id": "t1", "weight": 10.0}, {"trace_id": "t2"}],
        items=[("t1", "agent", "a"), ("t2", "agent", "a")],
        symptoms=[("t2", "error")],
    )
    own = reach_of(incident(("agent", "a")).causes[0], window)

    assert (own.traces, own.failing) == (11, 1)


def test_a_name_of_another_kind_is_not_touched():
    assert reach(("region", "a")).traces == 0


@pytest.mark.parametrize(
    ("item", "keys"),
    [
        (("kv_key", "k1"), ("k1",)),
        (("written_by_agent", "a"), ("k2", "k3")),
        (("written_by_trace", "t1"), ("k1", "k2")),
        (("fed_by_agent", "a"), ("k2", "k3")),
        (("fed_by_trace", "t1"), ("k1", "k2")),
        (("agent", "a"), ()),
    ],
)
def test_the_keys_reached_are_those_that_the_cause_is_or_wrote(item, keys):
    assert reach(item).written_keys == keys
