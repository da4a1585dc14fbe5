"""The map of anomalies: time x place x strategy (S40)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa

from graphmind.archive.port import Archive
from graphmind.archive.tallies import LABELS
from graphmind.jobs.panels.incidents import newest_repairs
from graphmind.jobs.panels.view import MS_NS, Row, View
from graphmind.repair.record import Repair

NO_REPAIR: Final = "no repair"
"""Stands for a strategy where a trace's incident has no repair."""
NO_INCIDENT: Final = "no incident"
"""... and where a trace is part of no incident."""


def anomaly_map(archive: Archive, repairs: Iterable[Repair], view: View, place: str) -> list[Row]:
    """Return how many traces failed when and where, and which strategy answered their incident.

    ``place`` is a kind of item: region, agent, module, model_version. Sorted by time. A trace that
    touched two places counts in both.
    """
    labels = _strategies(archive.incidents(), newest_repairs(repairs))
    found = archive.tallies.labelled(view.stretch(), place, labels, otherwise=NO_INCIDENT)
    return [
        {
            "time": row["at_ns"] // MS_NS,
            "place": row["name"],
            "strategy": row["label"],
            "failing": row["failing"],
        }
        for row in found.to_pylist()
    ]


def anomaly_places(rows: Iterable[Row]) -> list[Row]:
    """Sum a map up by place and strategy, most failing first, with the worst moment of each."""
    of: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        of[row["place"], row["strategy"]].append(row)
    summed = []
    for (place, strategy), own in of.items():
        worst = max(own, key=lambda row: (row["failing"], row["time"]))
        summed.append(
            {
                "place": place,
                "strategy": strategy,
                "failing": sum(row["failing"] for row in own),
                "worst": worst["time"],
                "worst_failing": worst["failing"],
            }
        )
    return sorted(summed, key=lambda row: (-row["failing"], row["place"], row["strategy"]))


def _strategies(incidents: Iterable[Mapping[str, Any]], newest: Mapping[str, Repair]) -> pa.Table:
    """Return the strategy that answered the incident of each trace; of two incidents a repair."""
    of: dict[str, str] = {}
    for incident in incidents:
        repair = newest.get(incident["incident_id"])
        strategy = repair.strategy if repair else NO_REPAIR
        for trace_id in incident["trace_ids"]:
            if repair or trace_id not in of:
                of[trace_id] = strategy
    columns = [pa.array(list(of), pa.string()), pa.array(list(of.values()), pa.string())]
    return pa.table(columns, schema=LABELS)
