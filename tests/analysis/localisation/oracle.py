"""The design's executable reference, for comparison; tests skip where it is absent."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.nezha.reference import DESIGN, load_reference
from benchmarks.public.folder import DATA
from graphmind.analysis.localisation.period import Period


def load() -> Any:
    """Import the reference, or skip the test."""
    if not DESIGN.exists():
        pytest.skip("the design's reference_localise.py does not lie beside the checkout")
    return load_reference(DATA, Path())


def reference_time(window: Period, references: list[Period]) -> dict[str, tuple[float, str]]:
    """Score and part of each service in the time channel, on the same spans."""
    module = load()
    scores, evidence = module.time_channel(
        module.time_units(_traces(window)),
        [module.time_units(_traces(period)) for period in references],
        window.traces,
        module.DEF,
    )
    return {
        service: (score, evidence[service]["part"])
        for service, score in scores.items()
        if evidence.get(service)
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
