import orjson
import pyarrow.compute as pc
import pytest

from graphmind.archive.port import Selection
from graphmind.jobs.settle import settle
from graphmind.simulation.scenario import Scenario
from graphmind.telemetry.rejections import Rejections
from tests.serving.streams import START_NS, Clock, Live, ticks

ALL = Selection()
QUIET = Scenario(
    seed=3, traces=1200, quiet=True, minutes=2, late=0.0, duplicated=0.0, lost=0.0, task_kinds=8
)


def request(*spans: dict) -> bytes:
    return orjson.dumps(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": [named("service.name", "shop")]},
                    "scopeSpans": [{"scope": {"name": "s"}, "spans": list(spans)}],
                }
            ]
        }
    )


def named(key: str, value: str) -> dict:
    return {"key": key, "value": {"stringValue": value}}


def sent(trace: int, number: int, start_s: float, end_s: float | None, **more) -> dict:
    """One span as OTLP; times in seconds after the start."""
    span = {
        "traceId": f"{trace:032x}",
        "spanId": f"{trace:08x}{number:08x}",
        "name": f"step {number}",
        "startTimeUnixNano": str(START_NS + int(start_s * 1e9)),
        "status": {},
        **more,
    }
    if end_s is not None:
        span["endTimeUnixNano"] = str(START_NS + int(end_s * 1e9))
    return span


def test_a_trace_settles_once_its_root_ended_and_it_was_quiet():
    live = Live()
    live.clock.ns += int(1e9)
    live.arrive(request(sent(1, 1, 0, 1)))

    assert live.settle().facts.traces.num_rows == 0
    live.clock.ns += int(2e9)
    assert live.settle().facts.traces["outcome"].to_pylist() == ["ok"]
    assert live.settle().facts.traces.num_rows == 0


def test_a_model_call_that_has_not_ended_is_a_hang_once_it_passes_its_limit():
    live = Live()
    parent = f"{1:08x}{1:08x}"
    model = [named("gen_ai.request.model", "m"), named("gen_ai.response.model", "m@2")]
    live.clock.ns = START_NS + int(1e9)
    live.arrive(request(sent(1, 2, 0.5, None, parentSpanId=parent, attributes=model)))
    live.clock.ns = START_NS + int(10.4e9)
    assert live.settle().facts.traces.num_rows == 0

    live.clock.ns = START_NS + int(10.6e9)
    (outcome,) = live.settle().facts.traces["outcome"].to_pylist()

    assert outcome == "hung"
    symptoms = live.archive.facts(ALL).symptoms.to_pylist()
    assert [(one["kind"], one["began_ns"]) for one in symptoms] == [
        ("hang", START_NS + int(10.5e9))
    ]


def test_a_hang_that_ends_after_all_is_settled_anew():
    live = Live()
    live.clock.ns = START_NS + int(1e9)
    live.arrive(request(sent(1, 1, 0, None, attributes=[named("gen_ai.request.model", "m")])))
    live.clock.ns = START_NS + int(11e9)
    assert live.settle().facts.traces["outcome"].to_pylist() == ["hung"]
    live.clock.ns = START_NS + int(12e9)
    live.arrive(request(sent(1, 1, 0, 11.9, attributes=[named("gen_ai.request.model", "m")])))
    live.clock.ns = START_NS + int(15e9)
    live.settle()

    facts = live.archive.facts(ALL)
    assert facts.traces["duration_ns"].to_pylist() == [int(11.9e9)]


def test_an_open_trace_is_looked_at_again_with_growing_pauses():
    live = Live()
    live.arrive(request(sent(1, 1, 0, None)))
    looked_at = []
    for second in range(60):
        live.clock.ns = START_NS + int(second * 1e9)
        if live.settle().facts.traces.num_rows:
            looked_at.append(second)

    assert looked_at == [10, 15, 25, 45]


@pytest.fixture(scope="module")
def played():
    live = Live()
    list(live.play(QUIET, until_s=140))
    return live


def test_a_stream_settles_to_nearly_what_the_whole_hour_would(played):
    lived = outcomes(played)
    settle_all(played)

    whole = outcomes(played)
    same = sum(lived[name] == whole[name] for name in lived)
    assert len(lived) >= 0.98 * len(whole)
    assert same >= 0.97 * len(lived)


def test_a_restart_remembers_what_is_normal(played):
    again = Live(archive=played.archive, clock=Clock(ns=played.clock.ns))

    assert again.settler.recall() >= 300


def test_spans_in_any_order_give_the_same_outcomes():
    scenario = QUIET
    forward, late = Live(), Live()
    list(forward.play(scenario, until_s=40))
    requests = [r for at, r in ticks(scenario) if at <= START_NS + int(40e9)]
    late.clock.ns = forward.clock.ns
    for one in reversed(requests):
        late.arrive(one)
    late.clock.ns += int(20e9)
    late.settle()
    forward.clock.ns += int(20e9)
    forward.settle()

    assert outcomes(late).keys() == outcomes(forward).keys()


def outcomes(live: Live) -> dict[str, str]:
    traces = live.archive.facts(ALL).traces
    return dict(zip(traces["trace_id"].to_pylist(), traces["outcome"].to_pylist(), strict=True))


def settle_all(live: Live) -> None:
    every = live.archive.starts(ALL)["trace_id"].combine_chunks()
    assert len(every)
    with live.archive._file.cursor() as cursor:
        cursor.execute("INSERT INTO live_extents FROM past_extents")
        cursor.execute("DELETE FROM past_extents")
        cursor.execute("UPDATE live_extents SET settled = false")
    settle(live.archive, live.settings, Rejections())
    assert pc.count(live.archive.facts(ALL).traces["trace_id"]).as_py() == len(every)
