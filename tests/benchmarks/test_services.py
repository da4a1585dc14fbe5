"""Faults acted out on simulated traces, and the localisation that names them."""

from random import Random

import pytest

from benchmarks.services.faults import DELAY_NS, Fault, break_traces
from benchmarks.services.windows import list_faults, read_period, simulate_periods
from graphmind.analysis.localisation.ranking import localise
from graphmind.simulation.window import Trace
from graphmind.telemetry.spans import STATUS_ERROR

FAILS = Fault(kind="fail", service="tool-server", operation="", share=1.0)
SLOW = Fault(kind="slow", service="agent-runtime", operation="ModelExecutor", share=1.0)
SILENT = Fault(kind="silent", service="inference", operation="", share=1.0)


@pytest.fixture(scope="module")
def periods() -> list[tuple[Trace, ...]]:
    return simulate_periods(7, 120, 3)


def broken(fault: Fault, traces: tuple[Trace, ...]) -> list[Trace]:
    return list(break_traces(fault, traces, Random(1)))


def test_a_failed_call_fails_its_trace_and_ends_it(periods):
    for before, after in zip(periods[0], broken(FAILS, periods[0]), strict=True):
        struck = next((s for s in before.spans if s.process.service == "tool-server"), None)
        if struck is None:
            assert after == before
        else:
            assert after.spans[0].status == STATUS_ERROR
            assert all(span.start_ns <= (struck.end_ns or 0) for span in after.spans)


def test_a_slow_call_makes_its_trace_longer_by_the_delay(periods):
    for before, after in zip(periods[0], broken(SLOW, periods[0]), strict=True):
        calls = sum(s.name == "ModelExecutor" and s.end_ns is not None for s in before.spans)
        longer = (after.spans[0].end_ns or 0) - (before.spans[0].end_ns or 0)
        assert DELAY_NS * min(calls, 1) <= longer <= DELAY_NS * calls


def test_a_silent_service_leaves_no_span(periods):
    after = broken(SILENT, periods[0])

    left = sum(span.process.service == "inference" for trace in after for span in trace.spans)
    assert left < 0.5 * sum(
        span.process.service == "inference" for trace in periods[0] for span in trace.spans
    )


def test_every_service_is_broken_in_turn(periods):
    services = {span.process.service for trace in periods[0] for span in trace.spans}

    faults = list(list_faults(periods[0]))

    assert {fault.service for fault in faults} == services
    assert {fault.service for fault in faults if fault.kind == "silent"} == {"inference"}


@pytest.mark.parametrize("fault", [FAILS, SLOW, SILENT], ids=str)
def test_the_broken_service_is_named_first(periods, fault):
    *usual, window = periods
    references = [read_period(traces, 7) for traces in usual]

    ranking = localise(read_period(broken(fault, window), 7), references)

    assert not ranking.weak
    assert ranking.suspects[0].service == fault.service
    assert fault.operation in ("", ranking.suspects[0].operation)
