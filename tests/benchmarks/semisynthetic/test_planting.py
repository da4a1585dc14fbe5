import json

import numpy as np
import pytest

from benchmarks.nezha.cases import SYSTEMS
from benchmarks.public.folder import DATA
from benchmarks.semisynthetic import load_runs
from benchmarks.semisynthetic.lines import request_lines
from benchmarks.semisynthetic.planting import ATTACHED, BASE_RATE, plant
from benchmarks.semisynthetic.runs import FALLBACK, Run
from benchmarks.semisynthetic.traces import Span, Trace, read_traces
from graphmind.settings import Settings

MS = 1_000_000


def span(number, parent, *, start_ms, end_ms, pod="shop-7d-x1"):
    return Span(
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        pod=pod,
        name=f"call {number}",
        start_ns=start_ms * MS,
        end_ns=end_ms * MS,
    )


def one_trace(number=1):
    """Root 0-9 ms; its first call 1-4 ms has a call of its own at 2-3 ms, its second is 5-8 ms."""
    return Trace(
        trace_id=f"{number:032x}",
        spans=(
            span(1, None, start_ms=0, end_ms=9),
            span(2, 1, start_ms=1, end_ms=4, pod="cart-5f-a2"),
            span(3, 2, start_ms=2, end_ms=3, pod="cart-5f-a2"),
            span(4, 1, start_ms=5, end_ms=8, pod="mail-99-b3"),
        ),
    )


def ids(*numbers):
    return {f"{number:016x}" for number in numbers}


def test_a_failure_reaches_all_that_wait_for_it_and_ends_the_run():
    run = Run(one_trace())
    run.fail(1, "TimeoutError", turns=False)

    assert run.codes == dict.fromkeys(ids(1, 2), "TimeoutError")
    assert {call.span_id for call in run.calls} == ids(1, 2, 3)


def test_the_fallback_comes_after_the_failure():
    run = Run(one_trace())
    run.fail(2, "TimeoutError", turns=True)
    [fallback] = [call for call in run.calls if call.name == FALLBACK]

    assert fallback.start_ns > run.trace.spans[2].end_ns
    assert run.attributes[fallback.span_id] == [("tool", FALLBACK)]


def test_a_call_carries_one_item_of_a_kind():
    run = Run(one_trace())
    run.carry(("agent", "first"), 1)
    run.carry(("agent", "second"), 1)

    assert run.attributes[run.calls[1].span_id] == [("agent", "second")]
    assert ("agent", "first") not in run.places


def test_pods_are_carried_by_the_call_that_ran_there_first():
    assert Run(one_trace()).places == {
        ("instance", "shop-7d-x1"): 0,
        ("instance", "cart-5f-a2"): 1,
        ("instance", "mail-99-b3"): 3,
    }


@pytest.mark.parametrize("seed", range(12))
def test_every_broken_trace_touched_its_cause_before_it_failed(seed):
    runs, faults = plant([one_trace(number) for number in range(400)], seed, faults=3)
    run_of = {run.trace.trace_id: run for run in runs}

    for fault in faults:
        for trace_id in fault.trace_ids:
            run = run_of[trace_id]
            last = max(run.places[item] for item in fault.items)
            assert run.trace.spans[last].span_id in run.codes


def test_too_few_traces_for_a_fault_are_refused():
    with pytest.raises(ValueError, match="take 300 or more"):
        plant([one_trace(number) for number in range(50)], 1, faults=1)


def test_a_quiet_window_only_fails_of_its_own_accord():
    runs, faults = plant([one_trace(number) for number in range(4000)], 1, faults=0)

    assert faults == []
    assert np.mean([run.failed for run in runs]) == pytest.approx(BASE_RATE, abs=0.006)


def test_every_trace_carries_every_attribute():
    runs, _ = plant([one_trace(number) for number in range(50)], 1, faults=0)
    kinds = {attached.kind for attached in ATTACHED}

    for run in runs:
        assert {kind for own in run.attributes.values() for kind, _ in own} >= kinds


def test_a_run_is_told_in_the_words_of_instrumentations():
    run = Run(one_trace())
    run.carry(("kv_key", "plan"), 2)
    run.fail(2, "TimeoutError", turns=False)

    [line] = request_lines([run])

    spans = {
        span["spanId"]: span
        for resource in json.loads(line)["resourceSpans"]
        for span in resource["scopeSpans"][0]["spans"]
    }
    failed = spans[f"{3:016x}"]
    assert set(spans) == ids(1, 2, 3)
    assert failed["status"] == {"code": 2}
    assert failed["events"][0]["attributes"][0]["value"] == {"stringValue": "TimeoutError"}
    assert [each["key"] for each in failed["attributes"]] == [
        "graphmind.kv.key",
        "graphmind.kv.op",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_planted_failures_are_the_only_errors_after_loading(system, tmp_path):
    if not (DATA / system).is_dir():
        pytest.skip(f"no folder {system} in shared/data beside the checkout")
    runs, _ = plant(read_traces(DATA / system)[:600], 1, faults=3)

    facts = load_runs(runs, tmp_path / "spans.jsonl", Settings(data_dir=tmp_path / "store"))

    assert facts.traces.num_rows == 600
    assert set(facts.symptoms["trace_id"].to_pylist()) == {
        run.trace.trace_id for run in runs if run.failed
    }
