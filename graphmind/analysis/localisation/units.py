"""The cost of each unit of work, call by call: a service's own work, or its wait for another."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from graphmind.analysis.incidence import Floats, sum_by
from graphmind.analysis.localisation.exclusive import exclusive_ns
from graphmind.analysis.localisation.period import Period
from graphmind.telemetry.tree import Ints

NS_PER_MS = 1e6


class Unit(NamedTuple):
    """Work of a service in an operation (``self``), or the way to another service (``edge``).

    The time of an edge is that of a client span while nothing of the callee runs: network,
    queue, connection. Its operation is that of the callee.
    """

    caller: str
    callee: str
    """The caller itself for its own work."""
    operation: str

    @property
    def is_edge(self) -> bool:
        """Whether the time is spent between two services."""
        return self.caller != self.callee


@dataclass(frozen=True, kw_only=True)
class UnitCosts:
    """Exclusive time of every call of a period."""

    traces: int
    units: tuple[Unit, ...]
    unit: Ints
    """(calls,), index into ``units``."""
    trace: Ints
    """(calls,)."""
    cost_ms: Floats
    """(calls,)."""

    def calls(self) -> Ints:
        """Number of calls of each unit."""
        return np.bincount(self.unit, minlength=len(self.units))

    def mean_ms(self) -> Floats:
        """Mean cost of a call of each unit."""
        return sum_by(self.unit, self.cost_ms, len(self.units)) / self.calls()


def unit_costs(period: Period) -> UnitCosts:
    """Attribute the time of a period to its units."""
    target = np.where(period.waits(), period.first_child(), np.arange(len(period.trace)))
    services, operations = len(period.services), len(period.operations)
    code = period.service * services + period.service[target]
    code = code * operations + period.operation[target]
    codes, unit = np.unique(code, return_inverse=True)
    ends, operation = np.divmod(codes, max(operations, 1))
    return UnitCosts(
        traces=period.traces,
        units=tuple(
            Unit(
                period.services[end // services],
                period.services[end % services],
                period.operations[name],
            )
            for end, name in zip(ends.tolist(), operation.tolist(), strict=True)
        ),
        unit=unit,
        trace=period.trace,
        cost_ms=exclusive_ns(period) / NS_PER_MS,
    )
