"""The published alerts as incidents."""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphmind.analysis.localisation.alerts import METRIC, Alert, Incident

OUTSIDE = "-1"
"""The caller of a call from outside."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """An injected fault."""

    culprit: str
    fault: str
    incident: Incident


def read_cases(folder: Path) -> list[Case]:
    """Read the cases of a system, in the order of its table of labels."""
    metrics, logs, traces, nodes = (
        _load(folder / f"{name}.json.gz") for name in ("metrics", "logs", "traces", "nodes")
    )
    with (folder / "label.csv").open() as stream:
        return [
            Case(
                culprit=row["instance"],
                fault=row["anomaly_type"].strip("[]"),
                incident=Incident(
                    alerts=frozenset(
                        _alerts(*(found.get(row["index"], []) for found in (metrics, logs, traces)))
                    ),
                    instances=frozenset(nodes[row["index"]]),
                ),
            )
            for row in csv.DictReader(stream)
        ]


def _load(path: Path) -> Any:
    with gzip.open(path) as stream:
        return json.load(stream)


def _alerts(
    metrics: list[list[str]], logs: list[list[str]], traces: list[list[str]]
) -> Iterator[Alert]:
    for instance, *_, name, direction in metrics:
        yield Alert(instance, METRIC, f"{name} {direction}")
    for instance, template in logs:
        yield Alert(instance, "log", "", str(template))
    for caller, callee, operation, kind in traces:
        yield Alert(callee, "call", f"called {kind}", f"{caller} {operation}")
        if caller not in (callee, OUTSIDE):
            yield Alert(caller, "call", f"calls {kind}")
