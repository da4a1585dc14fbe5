import pytest

from graphmind.errors import SettingsError
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate


@pytest.mark.parametrize(
    ("name", "value"),
    [("traces", 0), ("base_rate", 0.6), ("regions", 1), ("task_kinds", 31), ("minutes", 0.0)],
)
def test_a_scenario_outside_its_limits_is_refused_by_name(name, value):
    with pytest.raises(SettingsError, match=f"{name} should lie in"):
        Scenario(seed=1, **{name: value})


def test_an_unknown_kind_is_refused_with_the_kinds_there_are():
    with pytest.raises(SettingsError, match=r"kind is called flood\. Known: model_hang"):
        simulate(Scenario(seed=1, traces=200, kinds=("flood",)))


def test_too_few_traces_for_the_incidents_are_refused_with_what_to_change():
    with pytest.raises(SettingsError, match=r"100 traces are too few .* Ask for more traces"):
        simulate(Scenario(seed=1, traces=100, kinds=("tool_error",)))
