"""What is normal: durations, sizes and repetitions of healthy traces of the same kind."""

from dataclasses import dataclass

import numpy as np

from graphmind.settings import Settings
from graphmind.telemetry.assembly import Columns
from graphmind.telemetry.grouped import Floats, Robust, group_quantile, robust
from graphmind.telemetry.outline import Outline
from graphmind.telemetry.tree import Bools, Ints

LATE_MAX = 4.0
"""Deviations that one span counts at most (chosen): a pause of one step is no slowness of all."""
_LEAST_NS = 1_000.0
"""Durations below a microsecond count as one: clocks do not tell them apart."""


@dataclass(frozen=True, kw_only=True)
class Peers:
    """Baselines of operations (service and span name) and of tasks, from healthy traces only."""

    span_time: Floats
    """ln of the self time in ns that each span usually takes; NaN where unknown."""
    span_total: Robust
    """ln of the whole duration in ns, by operation."""
    trace_time: Robust
    """ln of the duration in ns, by task."""
    work: Floats
    """ln of each trace's self times over what its operations usually take; NaN where unknown."""
    trace_work: Robust
    """The same of healthy traces, by task."""
    pace: Floats
    """How much slower each trace's spans were than usual, in standard errors; NaN where unknown."""
    trace_pace: Robust
    """The same of healthy traces, by task."""
    span_count: Floats
    """Median number of spans, by task; NaN with too few traces."""


def peers(
    operation: Ints,
    columns: Columns,
    traces: Outline,
    healthy: Bools,
    settings: Settings,
    *,
    variant: Ints,
) -> Peers:
    """Measure what is normal; ``healthy`` says which traces may speak.

    A ``variant`` is an operation with a tool or a model requested: its calls take more alike than
    those of the operation, which stands in where the variant has too few.
    """
    count = int(operation.max(initial=-1)) + 1
    least = settings.baseline_traces
    rows = np.flatnonzero(healthy[columns.trace] & columns.ended)
    strata = int(traces.stratum.max(initial=-1)) + 1
    own = np.flatnonzero(healthy)
    sizes = group_quantile(traces.spans[own].astype(float), traces.stratum[own], strata, 0.5)
    sizes[np.bincount(traces.stratum[own], minlength=strata) < least] = np.nan
    times = log_ns(columns.self_ns)
    variants = int(variant.max(initial=-1)) + 1
    coarse = robust(times[rows], operation[rows], count, least=least)
    fine = robust(times[rows], variant[rows], variants, least=least)
    median = _either(fine.median[variant], coarse.median[operation])
    deviation = _either(fine.deviation[variant], coarse.deviation[operation])
    work = _work(columns, np.exp(median), traces.count)
    pace = _pace((times - median) / deviation, columns.trace, traces.count)

    def by_task(values: Floats) -> Robust:
        known = own[~np.isnan(values[own])]
        return robust(values[known], traces.stratum[known], strata, least=least)

    return Peers(
        span_time=median,
        work=work,
        trace_work=by_task(work),
        pace=pace,
        trace_pace=by_task(pace),
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


def _either(first: Floats, second: Floats) -> Floats:
    return np.where(np.isnan(first), second, first)


def _pace(late: Floats, trace: Ints, count: int) -> Floats:
    """Sum how late the spans of each trace were, in deviations, over the root of their number.

    One long step hides many short ones in the total; what slows a whole place slows them all.
    """
    rows = np.flatnonzero(~np.isnan(late))
    number = np.bincount(trace[rows], minlength=count)
    total = np.bincount(trace[rows], np.clip(late[rows], -LATE_MAX, LATE_MAX), count)
    pace = np.full(count, np.nan)
    some = number > 0
    pace[some] = total[some] / np.sqrt(number[some])
    return pace


def log_ns(durations: Ints | Floats) -> Floats:
    """Return the logarithm of durations in ns."""
    logs: Floats = np.log(np.maximum(durations, _LEAST_NS))
    return logs
