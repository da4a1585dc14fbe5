"""What is normal: durations, sizes and repetitions of healthy traces of the same kind."""

from dataclasses import dataclass

import numpy as np

from graphmind.settings import Settings
from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.grouped import Floats, Robust, group_quantile, robust
from graphmind.telemetry.outline import Outline
from graphmind.telemetry.tree import Bools, Ints

_LEAST_NS = 1_000.0
"""Durations below a microsecond count as one: clocks do not tell them apart."""


@dataclass(frozen=True, kw_only=True)
class Peers:
    """Baselines of operations (service and span name) and of tasks, from healthy traces only."""

    span_time: Robust
    """ln of the self time in ns, by operation."""
    span_total: Robust
    """ln of the whole duration in ns, by operation."""
    trace_time: Robust
    """ln of the duration in ns, by task."""
    work: Floats
    """ln of each trace's self times over what its operations usually take; NaN where unknown."""
    trace_work: Robust
    """The same of healthy traces, by task."""
    span_count: Floats
    """Median number of spans, by task; NaN with too few traces."""


def peers(
    operation: Ints, columns: Columns, traces: Outline, healthy: Bools, settings: Settings
) -> Peers:
    """Measure what is normal; ``healthy`` says which traces may speak."""
    count = int(operation.max(initial=-1)) + 1
    least = settings.baseline_traces
    rows = np.flatnonzero(healthy[columns.trace] & columns.ended)
    strata = int(traces.stratum.max(initial=-1)) + 1
    own = np.flatnonzero(healthy)
    sizes = group_quantile(traces.spans[own].astype(float), traces.stratum[own], strata, 0.5)
    sizes[np.bincount(traces.stratum[own], minlength=strata) < least] = np.nan
    span_time = robust(log_ns(columns.self_ns[rows]), operation[rows], count, least=least)
    work = _work(columns, np.exp(span_time.median[operation]), traces.count)
    worked = own[~np.isnan(work[own])]
    return Peers(
        span_time=span_time,
        work=work,
        trace_work=robust(work[worked], traces.stratum[worked], strata, least=least),
        span_total=robust(
            log_ns((columns.end - columns.start)[rows]), operation[rows], count, least=least
        ),
        trace_time=robust(
            log_ns((traces.end - traces.start)[own]), traces.stratum[own], strata, least=least
        ),
        span_count=sizes,
    )


def _work(columns: Columns, usual_ns: Floats, count: int) -> Floats:
    """Return ln(self times / usual self times) of each trace, over spans with a baseline.

    Steps differ from trace to trace of one task; against what each step usually takes, a trace's
    duration varies much less than against other traces.
    """
    rows = np.flatnonzero(~np.isnan(usual_ns))
    actual = np.bincount(columns.trace[rows], columns.self_ns[rows], count)
    usual = np.bincount(columns.trace[rows], usual_ns[rows], count)
    work = np.full(count, np.nan)
    some = usual > 0
    work[some] = log_ns(actual[some]) - log_ns(usual[some])
    return work


def log_ns(durations: Ints | Floats) -> Floats:
    """Return the logarithm of durations in ns."""
    logs: Floats = np.log(np.maximum(durations, _LEAST_NS))
    return logs
