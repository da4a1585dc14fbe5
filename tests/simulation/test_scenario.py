import pytest

from graphmind.errors import SettingsError
from graphmind.simulation.incidents import HIDDEN
from graphmind.simulation.program import NEW_KEY
from graphmind.simulation.run import NEXT_VERSION, VERSION
from graphmind.simulation.sampling import keep
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.spans import STATUS_ERROR


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


def spans_of(**changes):
    simulation = simulate(Scenario(seed=3, traces=1500, incidents=2, **changes))
    return [*simulation.traces()]


def test_a_hidden_incident_strikes_runs_that_no_attribute_tells_apart():
    simulation = simulate(Scenario(seed=3, traces=2000, incidents=0, hidden=1))
    [hidden] = simulation.incidents
    struck = [trace for trace in simulation.traces() if trace.struck]

    assert hidden.kind == HIDDEN
    assert len(struck) >= 20
    rack = hidden.all_of[0][1]
    assert not any(rack in str(span.attributes.values()) for t in struck for span in t.spans)


def test_a_tail_sampler_keeps_errors_and_states_the_probability():
    scenario = Scenario(seed=3, traces=1500, incidents=2, healthy_share=0.1)
    everything = [*simulate(scenario).traces()]
    kept = [*keep(simulate(scenario).traces(), scenario)]

    failed = {t.trace_id for t in everything if any(s.status == STATUS_ERROR for s in t.spans)}
    healthy = [t for t in kept if t.trace_id not in failed]
    assert failed <= {t.trace_id for t in kept}
    assert 0.05 < len(healthy) / (len(everything) - len(failed)) < 0.15
    assert {s.attributes["sampling.probability"] for t in healthy for s in t.spans} == {0.1}


def test_decoys_are_a_deploy_and_a_key_that_all_read():
    spans = [span for trace in spans_of(decoys=True) for span in trace.spans]

    assert {VERSION, NEXT_VERSION} == {s.process.version for s in spans}
    assert sum(s.attributes.get("graphmind.kv.key") == NEW_KEY for s in spans) > 100


def test_a_confounded_rollout_serves_one_region():
    simulation = simulate(Scenario(seed=3, traces=1500, incidents=2, confounded=True))

    assert any(rollout.region for rollout in simulation.rollouts)


def test_effects_run_inside_the_failed_call_after_its_exception():
    failed = [
        span
        for trace in spans_of(effects=True, kinds=("tool_error",))
        for span in trace.spans
        if span.raised_ns is not None
    ]

    assert failed
    assert all(span.end_ns and span.raised_ns < span.end_ns for span in failed)


def test_a_restless_window_fails_more():
    calm, restless = (
        sum(trace.failed for trace in simulate(scenario).traces())
        for scenario in (
            Scenario(seed=3, traces=2000, quiet=True),
            Scenario(seed=3, traces=2000, quiet=True, restless=True),
        )
    )

    assert restless > 1.2 * calm
