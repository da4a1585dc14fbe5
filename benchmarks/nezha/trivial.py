"""What anyone would try first: the service with the most new errors, or the most new time."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from benchmarks.nezha.loading import Trial
from graphmind.analysis.localisation.exclusive import exclusive_ns
from graphmind.analysis.localisation.period import Period


def error_surplus(trial: Trial) -> dict[str, float]:
    """Score services by ERROR statements per trace, beyond the mean of the references."""
    return _surplus(trial, _errors)


def time_surplus(trial: Trial) -> dict[str, float]:
    """Score services by exclusive time per trace, beyond the mean of the references."""
    return _surplus(trial, _time)


def _surplus(trial: Trial, measure: Callable[[Period], Counter[str]]) -> dict[str, float]:
    now = measure(trial.window)
    before = [measure(period) for period in trial.references]
    return {
        service: now[service] - float(np.mean([period[service] for period in before]))
        for service in {*now, *(name for period in before for name in period)}
    }


def _errors(period: Period) -> Counter[str]:
    if not period.statements:
        return Counter()
    error = np.array([level == "ERROR" for level, _ in period.statements.names])
    spans = period.statements.span[error[period.statements.name]]
    return _per_trace(period, np.bincount(spans, minlength=len(period.trace)))


def _time(period: Period) -> Counter[str]:
    return _per_trace(period, exclusive_ns(period))


def _per_trace(period: Period, amount: np.ndarray) -> Counter[str]:
    totals = np.bincount(period.service, amount, len(period.services)) / period.traces
    return Counter(dict(zip(period.services, totals.tolist(), strict=True)))
