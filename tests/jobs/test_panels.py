import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.errors import SettingsError
from graphmind.jobs.panels.anomalies import anomaly_places
from graphmind.jobs.panels.clusters import board, evolution
from graphmind.jobs.panels.incidents import NODES_MAX, went_on
from graphmind.jobs.panels.repairs import coverage, runs, strategies
from graphmind.jobs.panels.view import MINUTE_MS, STEPS_MAX, View
from graphmind.repair.states import State
from tests.repair.repairs import repair

VIEW = View(from_ms=0, until_ms=100_000, step_ms=60_000)


def tried(repair_id: str, state: State, at_ms: int, **changed):
    times = {"requested_ms": at_ms, "started_ms": at_ms + 10, "executed_ms": at_ms + 20}
    return repair(repair_id, state=state, **times, ended_ms=at_ms + 5_000, **changed)


def incident(incident_id: str = "i1", **changed):
    item = {"kind": "model_version", "name": "m@2"}
    return {
        "incident_id": incident_id,
        "title": f"incident {incident_id}",
        "cluster_id": "c1",
        "state": "closed",
        "onset_ms": 1_000,
        "opened_ms": 3_000,
        "closed_ms": 50_000,
        "trace_ids": ["t1", "t2"],
        "causes": [{"kind": "model_version", "all_of": [item], "until_ms": 40_000}],
        **changed,
    }


@given(st.integers(0, 2**45), st.integers(1, 2**40), st.integers(0, 2**36))
def test_a_view_has_steps_of_whole_minutes_and_not_too_many(begin, length, step):
    view = View.of(from_ms=begin, until_ms=begin + length, step_ms=step, now_ms=0)

    assert view.step_ms % MINUTE_MS == 0
    assert view.step_ms >= max(step, MINUTE_MS)
    assert length / view.step_ms <= STEPS_MAX


def test_a_view_is_the_last_hour_unless_told_otherwise():
    view = View.of(from_ms=None, until_ms=None, step_ms=0, now_ms=7_200_000)

    assert (view.from_ms, view.until_ms) == (3_600_000, 7_200_000)
    with pytest.raises(SettingsError, match="expected `from` before `to`"):
        View.of(from_ms=5, until_ms=5, step_ms=0, now_ms=9)


@pytest.mark.parametrize(
    ("begin", "end", "shown"),
    [(0, 1_000, False), (0, 1_001, True), (50_000, 60_000, True), (50_001, 60_000, False)],
)
def test_an_incident_is_shown_while_it_went_on(begin, end, shown):
    view = View(from_ms=begin, until_ms=end, step_ms=60_000)

    assert went_on(incident(), view) is shown


def test_an_open_live_incident_goes_on():
    late = View(from_ms=10**9, until_ms=10**9 + 1, step_ms=60_000)
    live = incident(state="growing", closed_ms=None, state_since_ms=2_000)

    assert went_on(live, late)


def test_a_second_try_hangs_below_the_first_and_says_why():
    first = tried("r1", State.INEFFECTIVE, 10_000)
    second = tried("r2", State.SUCCEEDED, 20_000, strategy="restart@1")

    nodes, edges = evolution([incident()], [second, first])

    told = {(edge["source"], edge["target"]): edge["mainstat"] for edge in edges}
    assert told == {
        ("cause:model_version:m@2", "i1"): "caused",
        ("i1", "r1"): "first",
        ("r1", "r2"): "after ineffective",
    }
    arcs = {node["id"]: (node["arc__effective"], node["arc__failed"]) for node in nodes}
    assert arcs == {
        "cause:model_version:m@2": (0.5, 0.5),
        "i1": (0.5, 0.5),
        "r1": (0.0, 1.0),
        "r2": (1.0, 0.0),
    }


def test_a_tree_of_many_repairs_keeps_the_newest_within_what_grafana_draws():
    many = [tried(f"r{n}", State.SUCCEEDED, n, incident_id=f"i{n}") for n in range(900)]
    many = [tried("last", State.SUCCEEDED, 10**6, incident_id="i-last"), *many]

    nodes, edges = evolution([], many)

    ids = {node["id"] for node in nodes}
    assert len(ids) == len(nodes) <= NODES_MAX
    assert "last" in ids
    assert "r0" not in ids
    assert {end for edge in edges for end in (edge["source"], edge["target"])} <= ids


def test_the_board_says_what_repairs_did_to_a_cluster():
    repairs = [
        tried("r3", State.VERIFYING, 30_000),
        tried("r2", State.SUCCEEDED, 20_000),
        tried("r1", State.HARMFUL, 10_000),
        tried("r0", State.SUCCEEDED, 10_000, incident_id="elsewhere"),
    ]
    others = [incident("i2", cluster_id="c2", causes=[], onset_ms=2_000)]

    newest, first = board([incident(), *others], repairs, VIEW)

    assert (newest["root_cause"], newest["repair_effect"]) == ("unexplained", "not repaired")
    assert first["repair_effect"] == "effective 1, harmful 1, under way 1"
    assert (first["runs"], first["success_share"], first["median_s"]) == (3, 0.5, 5.0)


def test_repairs_are_told_in_seconds_of_each_stage():
    (row,) = runs([tried("r1", State.SUCCEEDED, 10_000)], {"i1": incident()})

    stages = ("detect_s", "decide_s", "run_s", "verify_s", "loop_s")
    assert tuple(row[name] for name in stages) == (2.0, 0.01, 0.01, 4.98, 14.0)
    assert row["traces"] == 2


def test_a_repair_of_an_incident_that_is_gone_is_told_without_its_times():
    (row,) = runs([tried("r1", State.SUCCEEDED, 10_000)], {})

    assert row["detect_s"] is None
    assert row["loop_s"] is None


def test_strategies_count_only_what_ran():
    waiting = repair("r9", state=State.AWAITING_APPROVAL)

    (row,) = strategies([waiting, tried("r1", State.INCONCLUSIVE, 10_000)])

    assert (row["runs"], row["inconclusive"], row["success_share"]) == (1, 1, None)


def test_coverage_counts_incidents_not_repairs():
    repairs = [tried("r1", State.INEFFECTIVE, 10_000), tried("r2", State.SUCCEEDED, 20_000)]
    bare = incident("i2", causes=[])

    rows = coverage(repairs, [incident(), bare], VIEW)

    assert [(row["root_cause"], row["planned"], row["effective"]) for row in rows] == [
        ("model_version", 1, 1),
        ("unexplained", 0, 0),
    ]


def test_places_are_summed_with_their_worst_moment():
    cells = [
        {"time": time, "place": "eu", "strategy": "s", "failing": failing}
        for time, failing in ((0, 2.0), (60, 5.0), (120, 1.0))
    ]

    (row,) = anomaly_places(cells)

    assert (row["failing"], row["worst"], row["worst_failing"]) == (8.0, 60, 5.0)
