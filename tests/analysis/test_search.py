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
