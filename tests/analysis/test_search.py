import numpy as np

from graphmind.analysis.find import find
from tests.analysis.planted import window_of

AGENTS, MODULES = 20, 4


def modular_window(strength_by_agent, *, n=4000, seed=0):
    """Traces that call one agent each; agents belong to modules, five to each."""
    random = np.random.default_rng(seed)
    agent = random.integers(0, AGENTS, n)
    strength = np.array([strength_by_agent.get(number, 0.01) for number in range(AGENTS)])
    failing = random.random(n) < strength[agent]
    touches = np.stack([agent, AGENTS + agent // (AGENTS // MODULES)], axis=1)
    return window_of(touches, failing, kinds=["agent"] * AGENTS + ["module"] * MODULES)


def causes(window):
    return {cause.items for finding in find(window).findings for cause in finding.causes}


def test_two_failing_agents_of_a_module_are_two_causes():
    assert causes(modular_window({0: 0.6, 1: 0.7})) == {(0,), (1,)}


def test_a_failing_module_is_one_cause():
    assert causes(modular_window(dict.fromkeys(range(5), 0.6))) == {(AGENTS,)}


def test_a_failing_agent_is_not_its_module():
    assert causes(modular_window({0: 0.6})) == {(0,)}


def test_a_pair_that_fails_while_something_stronger_fails_elsewhere_is_found():
    """Over the whole window neither side of the pair fails more often than others."""
    random = np.random.default_rng(3)
    n = 6000
    row, agent, model = np.arange(n), random.integers(0, 6, n), random.integers(0, 6, n)
    outage = (agent == 0) & (row > 600) & (row < 3000) & (random.random(n) < 0.9)
    pair = (agent == 1) & (model == 1) & (row > 3600) & (row < 4800) & (random.random(n) < 0.7)
    window = window_of(
        np.stack([agent, 6 + model], axis=1),
        outage | pair | (random.random(n) < 0.02),
        kinds=["agent"] * 6 + ["model_version"] * 6,
    )

    assert causes(window) == {(0,), (1, 7)}


def test_what_hits_everybody_for_a_while_is_no_items_doing():
    random = np.random.default_rng(4)
    n = 4000
    row, agent = np.arange(n), random.integers(0, 8, n)
    storm = (row > 1000) & (row < 1300) & (random.random(n) < 0.6)
    window = window_of(agent[:, None], storm | (random.random(n) < 0.02), kinds=["agent"] * 8)

    assert causes(window) == set()


def test_a_cause_does_not_interact_with_the_module_where_it_shows():
    """The agent fails at a module that a tenth of its traces never reach."""
    random = np.random.default_rng(6)
    n = 6000
    agent, reached = random.integers(0, 6, n), random.random(n) < 0.85
    failing = ((agent == 0) & reached & (random.random(n) < 0.9)) | (random.random(n) < 0.02)
    window = window_of(
        np.stack([agent, np.where(reached, 6, 7)], axis=1),
        failing,
        kinds=["agent"] * 6 + ["module"] * 2,
    )

    assert causes(window) == {(0,)}
