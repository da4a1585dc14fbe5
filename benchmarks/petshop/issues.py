"""The published issues: totals per node and interval, in normal operation and during the issue."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from graphmind.analysis.incidence import Floats
from graphmind.analysis.localisation.call_graph import NodeTotals

LOADS = ("low_traffic", "high_traffic")

Series: TypeAlias = Mapping[tuple[str, str, str], Floats]
"""(node, metric, statistic) -> (intervals,), NaN where nothing was reported."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An injected fault and the alarm it raised."""

    name: str
    metric: str
    """latency or availability."""
    alarmed: str
    culprit: str
    callees: Mapping[str, tuple[str, ...]]
    reference: Mapping[str, NodeTotals]
    window: Mapping[str, NodeTotals]


def read_issues(folder: Path, load: str) -> Iterator[Issue]:
    """Read the issues of one kind of load, in the order of their names."""
    callees = _callees(folder / load / "graph.csv")
    usual = _series(folder / load / "noissue" / "metrics.csv.gz")
    for path in sorted((folder / load).glob("*/issue_*/target.json")):
        told = json.loads(path.read_text())
        metric = told["target"]["metric"]
        now = _series(path.with_name("metrics.csv"))
        reference, window = (
            {node: found for node in callees if (found := _totals(each, node, metric))}
            for each in (usual, now)
        )
        yield Issue(
            name=f"{load} {path.parent.name}",
            metric=metric,
            alarmed=told["target"]["node"],
            culprit=told["root_cause"]["node"],
            callees=callees,
            reference=reference,
            window=window,
        )


def _callees(path: Path) -> dict[str, tuple[str, ...]]:
    with path.open() as stream:
        _, *nodes = next(rows := csv.reader(stream))
        return {
            caller: tuple(
                node
                for node, edge in zip(nodes, edges, strict=True)
                if float(edge) and node != caller
            )
            for caller, *edges in rows
        }


def _series(path: Path) -> Series:
    """Read a table with three header rows: node, metric, statistic."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
        rows = csv.reader(stream)
        heads = list(zip(*(next(rows)[1:] for _ in range(3)), strict=True))
        values = [
            [float(cell) if cell else np.nan for cell in row[1:]]
            for row in rows
            if len(row) > len(heads) and any(row[1:])
        ]
    return dict(zip(heads, np.array(values).T, strict=True))


def _totals(series: Series, node: str, metric: str) -> NodeTotals | None:
    """Cost is the time of all requests, or the number that failed."""
    requests = series.get((node, "requests", "Sum"))
    mean = series.get((node, metric, "Average"))
    if requests is None or mean is None:
        return None
    requests = np.nan_to_num(requests)
    each = np.nan_to_num(mean) if metric == "latency" else 1 - np.nan_to_num(mean, nan=100.0) / 100
    return NodeTotals(requests=requests, cost=requests * each)
