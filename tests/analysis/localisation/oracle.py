"""The design's executable reference, for comparison; tests skip where it is absent."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.nezha.cases import DATA
from benchmarks.nezha.reference import DESIGN, load_reference
from graphmind.analysis.localisation.period import Period


def load() -> Any:
    """Import the reference, or skip the test."""
    if not DESIGN.exists():
        pytest.skip("the design's reference_localise.py does not lie beside the checkout")
    return load_reference(DATA, Path())


def reference_scores(window: Period, references: list[Period]) -> dict[str, Any]:
    """Score and time part of each service by the reference, on the same spans and statements."""
    module = load()
    ranked = module.localise(
        _traces(window),
        _logs(window),
        [_traces(period) for period in references],
        [_logs(period) for period in references],
    )
    return {
        service: (score, evidence["time"] and evidence["time"]["part"])
        for service, score, _, evidence in ranked
    }


def _traces(period: Period) -> dict[int, list[tuple[Any, ...]]]:
    traces: dict[int, list[tuple[Any, ...]]] = {n: [] for n in range(period.traces)}
    for row, trace in enumerate(period.trace.tolist()):
        traces[trace].append(
            (
                row,
                int(period.parent[row]),
                period.services[period.service[row]],
                period.operations[period.operation[row]],
                int(period.start_ns[row]) // 1000,
                int(period.end_ns[row]) // 1000,
            )
        )
    return traces


def _logs(period: Period) -> list[tuple[Any, ...]]:
    said = period.statements
    if said is None:
        return []
    return [
        (
            int(period.trace[row]),
            row,
            period.services[period.service[row]],
            *said.names[name],
            at // 1000,
        )
        for row, at, name in zip(
            said.span.tolist(), said.at_ns.tolist(), said.name.tolist(), strict=True
        )
    ]
