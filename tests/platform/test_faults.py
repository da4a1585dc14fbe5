"""Each fault's ground truth names what is really there."""

import pytest

from examples.agent_platform.conditions import matching
from examples.agent_platform.faults import FAULTS, World, described, make, truth_document
from examples.agent_platform.topology import AGENTS, KINDS, MODELS, REGIONS, TENANTS, shared_keys

SEEDS = range(12)
HOOKS = "127.0.0.1:4567"
WORLD = World(hooks=HOOKS, generations={agent.name: 4 for agent in AGENTS})
PLACES = {"model", "keeper", "network", "webhook", "memory", "collector", "input"}
NAMES = {
    "agent": {agent.name for agent in AGENTS},
    "kv_key": set(shared_keys()),
    "region": set(REGIONS),
    "model_version": {f"{model}@3" for model in MODELS},
    "endpoint": {f"{HOOKS}/hooks/{tenant}" for tenant in TENANTS},
    "task": set(KINDS),
    "service": {agent.kind for agent in AGENTS},
}
HARMLESS = {"decoy", "dead-collector"}

every = pytest.mark.parametrize("name", sorted(FAULTS))


@every
def test_what_is_to_blame_exists(name):
    for seed in SEEDS:
        for cause in make(name, seed, WORLD).truth.causes:
            for item in cause:
                kind, _, named = item.partition(":")
                assert named in NAMES[kind]


@every
def test_the_same_seed_gives_the_same_fault_and_others_hit_something_else(name):
    faults = [make(name, seed, WORLD) for seed in SEEDS]

    assert faults == [make(name, seed, WORLD) for seed in SEEDS]
    assert len({repr(fault) for fault in faults}) > 1


@every
def test_rules_stand_at_places_that_the_platform_asks_of(name):
    for seed in SEEDS:
        assert {rule["at"] for rule in make(name, seed, WORLD).rules} <= PLACES


@every
def test_whatever_does_harm_has_a_cause_and_a_lever_except_what_no_strategy_knows(name):
    truth = make(name, 0, WORLD).truth

    assert bool(truth.causes) == (name not in HARMLESS)
    assert bool(truth.actions) == bool(truth.level) == (name not in HARMLESS | {"unknown"})


@every
def test_it_is_described_and_its_truth_is_json(name):
    assert described()[name].endswith((".", ","))
    assert truth_document(make(name, 0, WORLD))["symptom"] == make(name, 0, WORLD).truth.symptom


def test_two_faults_are_two_and_hit_different_things():
    for seed in SEEDS:
        first, second = make("two-faults", seed, WORLD).truth.causes
        assert first[0].startswith("model_version:")
        assert second[0].startswith("kv_key:")


def test_drift_ends_with_the_process_that_drifts():
    fault = make("drifting-agents", 0, WORLD)
    (kind,) = {name.rpartition("-")[0].split("-")[0] for name in _drifting(fault)}

    assert {agent.name for agent in AGENTS if agent.kind == kind} == set(_drifting(fault))
    name = _drifting(fault)[0]
    assert matching(fault.rules, "memory", {"agent": name, "generation": 4})
    assert matching(fault.rules, "memory", {"agent": name, "generation": 5}) is None


def _drifting(fault):
    return [rule["where"]["agent"] for rule in fault.rules]
