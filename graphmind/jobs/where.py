"""Where incidents sit: their traces beside fault-free periods, service by service."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.localisation.options import LocalisationOptions
from graphmind.analysis.localisation.period import Period, period_from_spans
from graphmind.analysis.localisation.ranking import (
    Reference,
    profile_of,
    rank_services,
    reference_of,
)
from graphmind.archive.port import Archive, Selection
from graphmind.incidents.incident import Incident
from graphmind.incidents.where import where_of
from graphmind.jobs.references import TRACES_MAX, ReferencePeriod, choose_references
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.facts import Facts

INCIDENTS_MAX: Final = 20
"""Incidents located, the strongest: bounds the time of an analysis (chosen)."""
REFERENCES_MAX: Final = 4
HEALTHY_MIN: Final = 20
"""Fewer healthy traces of the window are nothing to compare with (chosen)."""


def locate(
    archive: Archive,
    incidents: Sequence[Incident],
    facts: Facts,
    periods: Sequence[ReferencePeriod],
) -> list[Incident]:
    """Say of each incident in which service its traces depart from fault-free periods.

    Without two such periods the healthy traces of the window stand in: they ran beside the fault,
    but were not hit by it.
    """
    options = LocalisationOptions()

    @cache
    def reference(chosen: tuple[ReferencePeriod, ...]) -> Reference | None:
        ids = [period.trace_ids for period in chosen] or [_healthy(facts)]
        measured = [period for some in ids if (period := _period(archive, some)).traces]
        return reference_of(measured, options) if measured else None

    located = []
    for incident in incidents[:INCIDENTS_MAX]:
        chosen = choose_references(periods, incident, REFERENCES_MAX)
        chosen = chosen if len(chosen) > 1 else ()
        compared = reference(chosen)
        window = _period(archive, _spread(incident.trace_ids))
        where = None
        if compared and window.traces:
            ranking = rank_services(profile_of(window), compared, options)
            where = where_of(ranking, len(chosen))
        located.append(replace(incident, where=where))
    return [*located, *incidents[INCIDENTS_MAX:]]


def _period(archive: Archive, trace_ids: Sequence[str]) -> Period:
    ids = pa.array(sorted(trace_ids), pa.string())
    return period_from_spans(assemble(archive.bare_spans(Selection(trace_ids=ids))))


def _healthy(facts: Facts) -> tuple[str, ...]:
    healthy = facts.traces.filter(pc.equal(facts.traces["outcome"], "ok"))
    ids = tuple(healthy["trace_id"].to_pylist())
    return _spread(ids) if len(ids) >= HEALTHY_MIN else ()


def _spread(trace_ids: Sequence[str]) -> tuple[str, ...]:
    """Return at most as many as a period has, evenly spread."""
    return tuple(trace_ids[:: max(1, -(-len(trace_ids) // TRACES_MAX))])
