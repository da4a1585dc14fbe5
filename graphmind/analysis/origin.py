"""Where the failures of a finding sit in their traces: the root module and the root span."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from graphmind.analysis.incidence import Integers


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The module in which most of the traces went wrong, and one span that shows it."""

    module: str
    share: float
    """Of the traces, by weight."""
    path: str
    """Most frequent way from the root to the failing span in that module; may be empty."""
    trace_id: str
    """First trace that failed by that path."""
    span_id: str
    """Its failing span."""


def find_origin(traces: pa.Table, rows: Integers) -> Origin | None:
    """Locate the failures of some rows of TRACES; None if no trace says where it went wrong.

    Ties go to the first name.
    """
    wanted = ("trace_id", "start_ns", "weight", "fault_module", "fault_path", "fault_span_id")
    failed = traces.select(wanted).take(rows).to_pylist()
    located = [trace for trace in failed if trace["fault_module"]]
    if not located:
        return None
    module, weight = _heaviest((t["fault_module"], t["weight"]) for t in located)
    inside = [trace for trace in located if trace["fault_module"] == module]
    path, _ = _heaviest((t["fault_path"] or "", t["weight"]) for t in inside)
    typical = (trace for trace in inside if (trace["fault_path"] or "") == path)
    first = min(typical, key=lambda trace: (trace["start_ns"], trace["trace_id"]))
    return Origin(
        module=module,
        share=weight / sum(trace["weight"] for trace in failed),
        path=path,
        trace_id=first["trace_id"],
        span_id=first["fault_span_id"],
    )


def _heaviest(named: Iterable[tuple[str, float]]) -> tuple[str, float]:
    """Name with the most weight, and the weight."""
    total: dict[str, float] = defaultdict(float)
    for name, weight in named:
        total[name] += weight
    return min(total.items(), key=lambda entry: (-entry[1], entry[0]))
