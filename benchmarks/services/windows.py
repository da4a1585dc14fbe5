"""Fault-free periods and a window of one simulated platform, as the product reads them."""

import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import pyarrow as pa
from graphmind_loaders import otlp_json

from benchmarks.services.faults import Fault
from graphmind.analysis.localisation.period import Period, period_from_spans
from graphmind.simulation.otlp import request_lines
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.simulation.window import Trace
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolve import resolve

SHARES = {"slow": (1.0, 0.3), "fail": (0.3, 0.1), "silent": (0.3, 0.1)}
"""Shares of the calls that meet a fault, by kind."""
CALLS_MIN = 0.4
"""Operations with fewer calls per trace are not broken alone: 0.1 of them is next to nothing."""


def simulate_periods(seed: int, traces: int, periods: int) -> list[tuple[Trace, ...]]:
    """Run one platform for a while and cut its life into periods of as many traces."""
    scenario = Scenario(seed=seed, traces=traces * periods, quiet=True, minutes=60.0 * periods)
    finished = sorted(simulate(scenario).traces(), key=lambda trace: trace.spans[0].start_ns)
    return [tuple(finished[n * traces : (n + 1) * traces]) for n in range(periods)]


def read_period(traces: Sequence[Trace], seed: int) -> Period:
    """Write traces as OTLP JSON lines and read them as the product does."""
    lines = b"".join(request_lines(traces, Scenario(seed=seed)))
    batches = [resolve(batch) for batch in otlp_json.read(io.BytesIO(lines), Rejections())]
    return period_from_spans(assemble(pa.Table.from_batches(batches)))


def list_faults(window: Sequence[Trace]) -> Iterator[Fault]:
    """Yield a fault of every kind for each service, and for each of its frequent operations."""
    calls = Counter((span.process.service, span.name) for trace in window for span in trace.spans)
    frequent = {place for place, count in calls.items() if count >= CALLS_MIN * len(window)}
    roots = {(trace.spans[0].process.service, trace.spans[0].name) for trace in window}
    for service, operation in sorted({(service, "") for service, _ in calls} | (frequent - roots)):
        for kind, shares in SHARES.items():
            if kind != "silent" or (not operation and service in _awaited(window)):
                for share in shares:
                    yield Fault(kind=kind, service=service, operation=operation, share=share)


def _awaited(window: Sequence[Trace]) -> set[str]:
    """Services that spans which do nothing else call: their silence shows in a span of its own."""
    below: dict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for trace in window:
        by_id = {span.span_id: span for span in trace.spans}
        for span in trace.spans:
            if caller := by_id.get(span.parent_span_id):
                place = caller.process.service, caller.name
                below[place][span.process.service, span.name] += 1
    return {
        service
        for (caller, _), called in below.items()
        for service, _ in called
        if len(called) == 1 and service != caller
    }
