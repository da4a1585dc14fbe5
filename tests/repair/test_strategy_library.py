"""The library against the faults of the reference platform, each by its ground truth."""

from importlib.resources import files
from typing import Any

import pytest

from graphmind.repair.alternatives import Alternatives
from graphmind.repair.connectors import (
    haproxy,
    model_gateway,
    model_registry,
    runtime_controller,
    state_store,
)
from graphmind.repair.connectors.config import Opener, Section
from graphmind.repair.planner import draft
from graphmind.repair.strategies.loading import shipped
from graphmind.repair.track_record import Records
from graphmind.repair.trigger import NO_MATCH, choose, signs_of
from tests.incidents.windows import incident

NOWHERE = "http://127.0.0.1:9"
SECTIONS: dict[str, tuple[Opener, str, dict[str, Any]]] = {
    "controller": (runtime_controller.open_connector, "runtime_controller", {"url": NOWHERE}),
    "state": (state_store.open_connector, "state_store", {"url": "redis://127.0.0.1:9/0"}),
    "registry": (model_registry.open_connector, "model_registry", {"url": NOWHERE}),
    "regions": (
        haproxy.open_connector,
        "haproxy",
        {"socket": "unix:/nowhere/socket", "regions": {"eu": ["regions/eu"], "us": ["regions/us"]}},
    ),
    "gateway": (model_gateway.open_connector, "gateway", {"url": NOWHERE}),
}
"""The control planes of the reference platform, as its file names them; none is asked."""
KNOWN = Alternatives(model_version="planner@2", region="us")
FAULTS = {
    "hanging-model": ([("model_version", "planner@3")], "slow"),
    "hanging-model, unended": ([("model_version", "planner@3")], "hang"),
    "wrong-answers": ([("model_version", "planner@3")], "wrong"),
    "failing-model": ([("model_version", "planner@3")], "error"),
    "poisoned-key": ([("kv_key", "policy:billing")], "error"),
    "poisoned-key, by its writer": ([("written_by_agent", "keeper-eu")], "error"),
    "bad-version-in-region": ([("model_version", "planner@3"), ("region", "eu")], "error"),
    "bad-version-in-region, slow": ([("region", "eu"), ("model_version", "planner@3")], "slow"),
    "region-loss": ([("region", "eu")], "error"),
    "webhook-storm": ([("endpoint", "/hooks/acorn")], "storm"),
    "drifting-agents": ([("agent", "writer-eu")], "slow"),
    "drifting-agents, as a class": ([("service", "writer")], "slow"),
    "wrong-agent": ([("agent", "writer-eu")], "wrong"),
    "forking-agent": ([("agent", "router-eu")], "fork"),
    "dead-collector": ([], "missing"),
    "hanging step": ([("module", "StateKeeper")], "hang"),
    "cut off": ([("module", "StateKeeper")], "short"),
    "failing tool": ([("tool", "search")], "error"),
    "wrong step": ([("module", "StateKeeper")], "wrong"),
    "lost instance": ([("instance", "writer-7")], "error"),
}
CHOSEN = {
    "hanging-model": ("executor_restart_fallback", "model", "switch_model_version planner"),
    "hanging-model, unended": (
        "executor_restart_fallback",
        "model",
        "switch_model_version planner",
    ),
    "wrong-answers": ("model_wrong_answers", "model", "switch_model_version planner"),
    "failing-model": ("model_version_fails", "model", "switch_model_version planner"),
    "poisoned-key": ("poisoned_key_quarantine", "key", "quarantine_key policy:billing"),
    "poisoned-key, by its writer": ("poisoned_key_quarantine", "key", "quarantine_key policy:b"),
    "bad-version-in-region": ("regional_version_switch", "model", "switch_model_version planner"),
    "bad-version-in-region, slow": ("regional_version_switch", "model", "switch_model_version pl"),
    "region-loss": ("region_drain", "region", "drain eu"),
    "webhook-storm": ("webhook_storm", "agent", "degrade class:sender"),
    "drifting-agents": ("agent_restart", "agent", "restart writer-eu"),
    "drifting-agents, as a class": ("agent_class_restart", "agent", "restart class:writer"),
    "wrong-agent": ("agent_degrade", "agent", "degrade writer-eu"),
    "forking-agent": ("agent_fork_stop", "agent", "disable router-eu"),
    "dead-collector": ("collector_down", "trace", "notify CLUSTER_ERROR_X"),
    "hanging step": ("trace_partial_rollback", "trace", "reset_span CLUSTER_ERROR_X"),
    "cut off": ("trace_rebuild", "trace", "rebuild_trace CLUSTER_ERROR_X"),
    "failing tool": ("trace_step_skip", "trace", "skip_step CLUSTER_ERROR_X"),
    "wrong step": ("trace_state_revert", "trace", "revert_state CLUSTER_ERROR_X"),
    "lost instance": ("trace_redispatch", "trace", "redispatch CLUSTER_ERROR_X"),
}
"""Strategy, its level and its first call."""


@pytest.fixture(scope="module")
def platform():
    opened = {
        name: opener(Section(name=name, kind=kind, live=True, options=options))
        for name, (opener, kind, options) in SECTIONS.items()
    }
    yield opened
    for connector in opened.values():
        connector.close()


def chosen(items, symptom):
    found = incident(*items, symptom=symptom, written=["policy:billing"]).document()
    return found, choose(signs_of(found, metrics={}), shipped(), Records())


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_strategy_of_the_right_level(fault, platform):
    name, level, first = CHOSEN[fault]
    found, choice = chosen(*FAULTS[fault])
    best = choice.matches[0].strategy

    calls = draft(best, found, KNOWN, platform).calls

    assert (best.strategy_id, best.repair_level) == (name, level)
    assert f"{calls[0].call.action} {calls[0].call.target}".startswith(first)


def test_every_shipped_strategy_can_be_planned_for_some_fault(platform):
    matched = set()
    for fault in FAULTS.values():
        found, choice = chosen(*fault)
        for match in choice.matches:
            drafted = draft(match.strategy, found, KNOWN, platform)
            # What is left out is so because the incident names none, not because it cannot be.
            assert all("this incident names none" in warning for warning in drafted.warnings)
            matched.add(match.strategy.strategy_id)

    assert matched == {each.strategy_id for each in shipped()}


@pytest.mark.parametrize("symptom", ["error", "slow", "hang", "wrong", "short", "storm", "loop"])
@pytest.mark.parametrize("items", [[], [("task", "billing.answer")]])
def test_what_no_lever_mends_ends_in_no_automatic_repair_with_its_evidence(items, symptom):
    _, choice = chosen(items, symptom)

    assert choice.matches == ()
    assert choice.summary.startswith(NO_MATCH)
    assert choice.evidence["symptom"] == symptom
    assert all(miss.reasons for miss in choice.others)


def test_a_dead_collector_is_told_of_and_nothing_is_repaired():
    _, choice = chosen(*FAULTS["dead-collector"])

    assert [match.strategy.strategy_id for match in choice.matches] == ["collector_down"]
    assert not choice.matches[0].strategy.repairs


def test_the_case_of_s22_restarts_switches_resets_and_sends_new_work_elsewhere(platform):
    items = [("model_version", "planner@3"), ("region", "eu")]
    found = incident(*items, symptom="hang").document()
    found["effects"] = [{"kind": "agent", "name": "analyst-eu-1"}]
    (s22,) = (each for each in shipped() if each.strategy_id == "executor_restart_fallback")

    calls = draft(s22, found, KNOWN, platform).calls

    assert [(each.call.action, each.call.target, each.connector) for each in calls] == [
        ("switch_model_version", "planner", "registry"),
        ("reset_model_context", "planner", "controller"),
        ("restart", "analyst-eu-1", "controller"),
        ("drain", "eu", "regions"),
        ("redispatch", "CLUSTER_ERROR_X", "controller"),
        ("mark_trace", "CLUSTER_ERROR_X", "controller"),
        ("log_recovery", "CLUSTER_ERROR_X", "controller"),
    ]
    assert calls[0].call.params == {"to": "2"}
    assert calls[4].call.params == {"traces": ["t1", "t2"], "strategy": s22.key}


def test_the_library_is_part_of_the_package():
    folder = files("graphmind.repair.strategies").joinpath("library")

    assert len([each for each in folder.iterdir() if each.name.endswith(".yaml")]) == len(shipped())
