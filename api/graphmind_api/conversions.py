"""Bodies from what jobs return, where more than names differ."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from graphmind.archive.queries import Wanted
from graphmind.jobs.reading.asked import graph_query
from graphmind.jobs.reading.past import ns
from graphmind.settings import Settings
from graphmind_api.models import GraphQuery
from graphmind_api.reading_models import Cohort, TraceFilter

ITEM_FIELDS = ("agent", "module", "region", "model_version", "kv_key")
MS_NS = 1_000_000
Row = Mapping[str, Any]


def asked(settings: Settings, name: str, /, **given: Any) -> GraphQuery:
    """Return the question that gives the same from the graph."""
    return GraphQuery.model_validate(graph_query(settings, name, **given), from_attributes=True)


def wanted_of(filter_: TraceFilter) -> Wanted:
    """Return a filter as the archive takes it, its incident left out."""
    items = [(kind, name) for kind in ITEM_FIELDS if (name := getattr(filter_, kind)) is not None]
    return Wanted(
        since_ns=None if filter_.since_ms is None else ns(filter_.since_ms),
        until_ns=None if filter_.until_ms is None else ns(filter_.until_ms),
        symptom=filter_.symptom,
        failing=filter_.failing,
        outcome=filter_.outcome,
        task=filter_.task,
        items=items,
    )


def cohort_of(cohort: Cohort) -> tuple[Wanted, str | None]:
    """Return a cohort as the archive takes it, and the incident that it is of."""
    if cohort.filter is None:
        return Wanted(trace_ids=pa.array(cohort.trace_ids, pa.string())), None
    return wanted_of(cohort.filter), cohort.filter.incident_id


def timed(row: Row) -> dict[str, Any]:
    """Return a trace with the names and units of the API."""
    return {
        **row,
        "task_id": row["unit"],
        "started_ms": row["start_ns"] // MS_NS,
        "duration_ms": row["duration_ns"] / MS_NS,
    }
