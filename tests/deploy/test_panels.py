"""What panels say of the planted platform, whose cause and repair are known."""

import pytest

from tests.deploy.conftest import Shown
from tests.deploy.planted import CHANGED_MS_BEFORE, SIGNAL

CAUSE = "model_version:planner@3"


def test_traces_add_up_over_steps_outcomes_and_places(planted: Shown):
    pace = planted.rows("pace")
    outcomes = planted.rows("outcomes")
    places = planted.rows("anomalies/places", place="region")
    cells = planted.rows("anomalies", place="region")

    failing = sum(row["failing"] for row in pace)
    assert sum(row["traces"] for row in pace) == sum(row["traces"] for row in outcomes)
    assert failing == sum(row["traces"] for row in outcomes if row["outcome"] != "ok")
    # Each trace runs in one region.
    assert sum(row["failing"] for row in places) == failing
    assert sum(row["failing"] for row in cells) == failing


def test_the_map_names_the_strategy_that_answered(planted: Shown):
    places = planted.rows("anomalies/places", place="model_version")

    first = places[0]
    assert (first["place"], first["strategy"]) == ("planner@3", planted.repair.strategy)
    assert first["failing"] == len(planted.incident["trace_ids"])
    assert {row["strategy"] for row in places} >= {planted.repair.strategy, "no incident"}


def test_the_heat_map_shows_where_it_hurts(planted: Shown):
    heat = planted.rows("heat")

    by_module: dict[str, float] = {}
    for row in heat:
        by_module[row["module"]] = by_module.get(row["module"], 0.0) + row["failing"]
    assert max(by_module, key=lambda module: by_module[module]) == "InferenceRPC"


def test_groups_name_the_version_that_fails(planted: Shown):
    first, *others = planted.rows("groups", kind="model_version")

    assert first["name"] == "planner@3"
    assert first["failing_share"] > 0.3
    assert all(row["failing_share"] < 0.05 for row in others)


def test_the_incident_is_told_with_its_cause_and_its_repair(planted: Shown):
    (row,) = planted.rows("incidents")
    causes = planted.rows("incident/causes", incident=planted.repair.incident_id)
    names = planted.rows("incidents/names")

    assert row["incident_id"] == planted.repair.incident_id
    assert row["root_cause"] == "model_version"
    assert (row["repair_state"], row["strategy"]) == ("succeeded", planted.repair.strategy)
    assert causes[0]["label"].endswith("planner@3")
    assert causes[0]["failed_share"] > 0.8
    assert names == [{"__text": row["title"], "__value": row["incident_id"]}]


def test_the_repair_is_told_in_stages_that_add_up(planted: Shown):
    (row,) = planted.rows("repairs")

    assert (row["verdict"], row["operator"]) == ("effective", planted.repair.operator)
    assert row["loop_s"] >= row["verify_s"] > 0
    assert row["run_s"] >= 0
    onset, repair = planted.incident["onset_ms"], planted.repair
    assert repair.ended_ms is not None
    assert row["loop_s"] == pytest.approx((repair.ended_ms - onset) / 1000)


def test_strategies_and_coverage_count_it(planted: Shown):
    (strategy,) = planted.rows("repairs/strategies")
    (coverage,) = planted.rows("repairs/coverage")

    assert (strategy["strategy"], strategy["runs"]) == (planted.repair.strategy, 1)
    assert strategy["success_share"] == 1.0
    assert coverage == {
        "root_cause": "model_version",
        "incidents": 1,
        "planned": 1,
        "effective": 1,
        "coverage": 1.0,
    }


def test_figures_stand_before_and_after(planted: Shown):
    rate = next(r for r in planted.rows("repairs/figures") if r["figure"] == "failure_rate")

    assert rate["before"] > 0.3
    assert rate["after"] < 0.05
    assert rate["back"] is True


def test_the_cluster_board_leads_from_cause_to_effect(planted: Shown):
    (row,) = planted.rows("clusters")

    assert row["root_cause"] == CAUSE
    assert row["cluster_id"] == planted.repair.cluster_id
    assert row["repair_effect"] == "effective 1"


def test_the_tree_hangs_the_repair_below_its_incident_and_cause(planted: Shown):
    nodes = {row["id"]: row for row in planted.rows("evolution/nodes")}
    edges = [(row["source"], row["target"]) for row in planted.rows("evolution/edges")]
    incident, repair = planted.repair.incident_id, planted.repair.repair_id

    assert set(nodes) == {f"cause:{CAUSE}", incident, repair}
    assert edges == [(f"cause:{CAUSE}", incident), (incident, repair)]
    assert nodes[repair]["arc__effective"] == 1.0
    assert nodes[repair]["mainstat"] == "effective"
    assert planted.rows("evolution/nodes", cluster="another") == []
    assert len(planted.rows("evolution/nodes", cluster=" ")) == 3


def test_annotations_mark_incident_repair_and_change_in_order(planted: Shown):
    rows = planted.rows("annotations")
    only = planted.rows("annotations", kinds="change")

    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    kinds = {row["tags"].split(",")[0] for row in rows}
    assert kinds == {"incident", "repair", "change"}
    assert {row["tags"].split(",")[0] for row in only} == {"change"}
    stated = next(row for row in only if row["title"] == "deploy planner")
    assert stated["time"] == planted.incident["onset_ms"] - CHANGED_MS_BEFORE


def test_a_signal_is_drawn_as_it_was_measured(planted: Shown):
    assert planted.rows("diagnosis/metrics/names") == [{"__text": SIGNAL, "__value": SIGNAL}]
    points = planted.rows("diagnosis/metrics", name=SIGNAL)

    assert [row["value"] for row in points] == [6.0, 7.0, 8.0, 9.0, 10.0]
    assert {row["series"] for row in points} == {"router"}


def test_failing_traces_are_told_by_the_node_at_the_root(planted: Shown):
    rows = planted.rows("diagnosis/distribution", incident=planted.repair.incident_id)

    assert rows[0]["root_node"] == "InferenceRPC"
    assert sum(row["share"] for row in rows) == pytest.approx(1.0)
