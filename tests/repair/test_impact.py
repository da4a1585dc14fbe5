import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.graph.embedded import open_embedded
from graphmind.repair.impact import (
    Intent,
    Rows,
    Scope,
    ask_impact,
    expected_gain,
    impact_of,
    scope_of,
)
from graphmind.repair.model import Call, Impact
from graphmind.repair.strategies.actions import LEVEL_OF
from tests.graph.planted import planted
from tests.incidents.windows import incident

BLAMED = incident(("model_version", "m@2"), ("region", "eu")).document()
UNTIL_MS = 10_000


def intent(action, target, level=None, **params):
    return Intent(
        level=level or LEVEL_OF[action], call=Call(action=action, target=target, params=params)
    )


SWITCH = intent("switch_model_version", "m")
RESTART = intent("restart", "shop/router")


def row(task, **counts):
    return {"task": task, "traces": 0.0, "failing": 0.0, "unfinished": 0.0} | {
        "snapshots": 0.0,
        "unsaved": 0.0,
        **counts,
    }


def agent(name, *, hot):
    return {"kind": "Agent", "name": name, "traces": 1.0, "share": 1.0, "hot_restart": hot}


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    store = open_embedded(tmp_path_factory.mktemp("graph") / "g")
    store.ensure_schema()
    store.upsert(planted())
    yield store
    store.close()


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([SWITCH], Scope(names=("m@2",))),
        ([SWITCH, RESTART], Scope(names=("m@2", "shop/router"))),
        ([intent("degrade", "class:sender", to="x")], Scope(names=("sender",))),
        ([intent("drain", "eu")], Scope(names=("eu",))),
        ([intent("quarantine_key", "redis:cart")], Scope(names=("redis:cart",))),
        ([intent("redispatch", "CLUSTER")], Scope(names=("inc-1",))),
        ([SWITCH, intent("log_recovery", "CLUSTER")], Scope(names=("m@2",))),
        ([intent("notify", "CLUSTER")], Scope(names=())),
        ([intent("switch_model_version", "m", region="eu")], Scope(names=("m@2",), also="eu")),
        (
            [intent("switch_model_version", "m", region="eu"), RESTART],
            Scope(names=("m@2", "shop/router")),
        ),
    ],
)
def test_whom_steps_hit(steps, expected):
    assert scope_of(steps, BLAMED) == expected


def test_the_graph_says_what_a_switch_and_a_restart_would_hit(graph):
    steps = [SWITCH, RESTART]
    rows = ask_impact(graph.read, scope_of([SWITCH], BLAMED), from_ms=0, until_ms=UNTIL_MS)

    assert impact_of(rows, steps, BLAMED) == Impact(
        traces=6,
        unfinished=1,
        tasks=("checkout", "search"),
        agents=("shop/router", "shop/writer"),
        regions=("eu", "us"),
        share=round(6 / 9, 4),
        hot_restart=True,
        snapshots=1,
        context_lost=(),
        expected_gain=420.3,
    )


def test_a_window_and_a_conjunction_narrow_it(graph):
    scope = Scope(names=("m@2",), also="eu")

    all_day = ask_impact(graph.read, scope, from_ms=0, until_ms=UNTIL_MS)
    late = ask_impact(graph.read, scope, from_ms=2_000, until_ms=UNTIL_MS)

    assert impact_of(all_day, [SWITCH], BLAMED).traces == 2
    assert impact_of(late, [SWITCH], BLAMED).traces == 1


def test_what_nobody_touches_is_hit_by_nobody(graph):
    rows = ask_impact(graph.read, Scope(names=("nobody",)), from_ms=0, until_ms=UNTIL_MS)
    nothing = ask_impact(graph.read, Scope(names=()), from_ms=0, until_ms=UNTIL_MS)

    assert impact_of(rows, [SWITCH], BLAMED).share == 0.0
    assert impact_of(nothing, [], BLAMED).traces == 0
    assert rows.traffic == nothing.traffic


@pytest.mark.parametrize(
    ("steps", "users", "hot"),
    [
        ([SWITCH], [], None),
        ([RESTART], [agent("shop/router", hot=True)], True),
        ([RESTART], [agent("shop/router", hot=False)], False),
        ([RESTART], [agent("shop/router", hot=None)], False),
        ([RESTART, intent("restart", "b")], [agent("shop/router", hot=True)], False),
    ],
)
def test_agents_restart_hot_only_where_it_is_known_of_all(steps, users, hot):
    rows = Rows(scope=(), users=users, traffic=())

    assert impact_of(rows, steps, BLAMED).hot_restart is hot


@pytest.mark.parametrize(
    ("steps", "hot", "lost"),
    [
        ([SWITCH], True, ()),
        ([RESTART], True, ()),
        ([RESTART], False, ("chat",)),
        ([intent("disable", "shop/router")], True, ("chat",)),
        ([intent("degrade", "shop/router")], False, ()),
    ],
)
def test_context_is_lost_of_work_without_a_snapshot_where_a_step_ends_it(steps, hot, lost):
    scope = [row("chat", unfinished=2.0, unsaved=1.0), row("saved", unfinished=1.0)]
    rows = Rows(scope=scope, users=[agent("shop/router", hot=hot)], traffic=())

    assert impact_of(rows, steps, BLAMED).context_lost == lost


def test_the_gain_is_what_the_cause_adds_in_an_hour():
    assert expected_gain(incident().document()) == 0.0
    cause = {"failed_with": 80.0, "risk_ratio": 8.0, "onset_ms": 0, "until_ms": 7_200_000}
    assert expected_gain({"causes": [cause]}) == 35.0
    assert expected_gain({"causes": [cause | {"until_ms": 0}]}) == 80 * 7 / 8 * 60


COUNTS = st.floats(0, 1e6)
ROWS = st.lists(st.builds(row, st.text(max_size=3), traces=COUNTS, unfinished=COUNTS), max_size=5)


@given(ROWS, ROWS)
def test_more_traces_never_make_a_smaller_impact(some, more):
    traffic = [row("all", traces=1e7)]
    small = impact_of(Rows(scope=some, users=(), traffic=traffic), [SWITCH], BLAMED)
    large = impact_of(Rows(scope=[*some, *more], users=(), traffic=traffic), [SWITCH], BLAMED)

    assert large.traces >= small.traces
    assert large.share >= small.share
    assert 0 <= large.share <= 1
