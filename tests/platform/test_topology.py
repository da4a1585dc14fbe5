"""Who runs where, and what tasks use."""

from collections import Counter
from random import Random

from examples.agent_platform.topology import AGENTS, KINDS, MODELS, TENANTS, needs_of, shared_keys


def test_seventeen_agents_in_two_regions_and_every_class_in_both():
    kinds = {(agent.kind, agent.region) for agent in AGENTS}

    assert len(AGENTS) == len({agent.name for agent in AGENTS}) == 17
    assert {region for _, region in kinds} == {"eu", "us"}
    assert all((kind, region) in kinds for kind, _ in kinds for region in ("eu", "us"))


def test_no_model_is_used_by_one_class_alone_and_no_class_uses_one_model():
    random = Random(1)
    drawn = [needs_of(random.choice(KINDS), random.choice(TENANTS), random) for _ in range(3_000)]
    pairs = {(needs.executor, needs.model) for needs in drawn}

    assert {model for _, model in pairs} == set(MODELS)
    assert min(Counter(model for _, model in pairs).values()) >= 2
    assert min(Counter(executor for executor, _ in pairs).values()) >= 2


def test_tasks_read_only_keys_that_are_there():
    random = Random(2)
    read = {
        key
        for _ in range(3_000)
        for key in needs_of(random.choice(KINDS), random.choice(TENANTS), random).reads
    }

    assert read == set(shared_keys())
