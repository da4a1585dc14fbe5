"""What separates two cohorts of traces, by the same statistics as shared causes."""

from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.cohorts import Separation, separate
from graphmind.analysis.options import CauseOptions
from graphmind.analysis.window import Window, window_from_facts
from graphmind.archive.port import Archive, Selection
from graphmind.archive.queries import Wanted
from graphmind.errors import QueryRefused
from graphmind.jobs.reading.past import MS_NS
from graphmind.jobs.settle import HOUR_NS
from graphmind.jobs.window import with_lineage
from graphmind.settings import Settings
from graphmind.telemetry.facts import Facts

COHORT_MAX: Final = 100_000
"""Traces of a cohort that are read; of more an even choice (chosen: seconds of work)."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What separates two cohorts, the surest first."""

    a_traces: float
    b_traces: float
    overlap: int
    unknown: int
    since_ms: int | None
    until_ms: int | None
    tested: int
    separating: list[dict[str, Any]]


def compare(archive: Archive, settings: Settings, a: Wanted, b: Wanted | None) -> Comparison:
    """Hold two cohorts against each other; without ``b`` the first against all else of its time.

    Raises QueryRefused where the first holds no trace.
    """
    first = archive.queries.ids(a, most=COHORT_MAX)
    if not len(first):
        raise QueryRefused("No archived trace is in cohort a: give other ids, or a wider filter.")
    second = archive.queries.ids(_others(archive, first) if b is None else b, most=COHORT_MAX)
    facts = _read(archive, first, second)
    starts, ids = facts.traces["start_ns"], facts.traces["trace_id"]
    member = pc.is_in(ids, value_set=first).combine_chunks().to_numpy(zero_copy_only=False)
    window = window_from_facts(facts)
    options = CauseOptions(alpha=settings.alpha, failures_min=settings.min_excess)
    found = separate(window, member, options)
    return Comparison(
        a_traces=float(window.weight[member].sum()),
        b_traces=float(window.weight[~member].sum()),
        overlap=0 if b is None else int(pc.sum(pc.is_in(second, value_set=first)).as_py() or 0),
        unknown=_unknown(a, ids) + (0 if b is None else _unknown(b, ids)),
        since_ms=pc.min(starts).as_py() // MS_NS,
        until_ms=pc.max(starts).as_py() // MS_NS,
        tested=found.tested,
        separating=[_told(window, each) for each in found.items],
    )


def ids_of(archive: Archive, wanted: Wanted) -> list[str]:
    """Return the ids of the traces wanted, oldest first; of too many an even choice."""
    ids: list[str] = archive.queries.ids(wanted, most=COHORT_MAX).to_pylist()
    return ids


def _others(archive: Archive, first: pa.Array) -> Wanted:
    """Want everything of the time of a cohort, at least an hour of it."""
    time = archive.queries.time_of(first)
    margin = max(0, HOUR_NS - (time.until_ns - time.since_ns)) // 2
    return Wanted(since_ns=time.since_ns - margin, until_ns=time.until_ns + margin)


def _read(archive: Archive, first: pa.Array, second: pa.Array) -> Facts:
    """Return the facts of both cohorts, each trace once, with who wrote what they read."""
    both = pc.unique(pa.concat_arrays([first, second]))
    return with_lineage(archive.facts(Selection(trace_ids=both)), first)


def _unknown(wanted: Wanted, known: pa.ChunkedArray) -> int:
    """Count the ids given of which nothing is archived."""
    if wanted.trace_ids is None:
        return 0
    given = pc.unique(wanted.trace_ids)
    return len(given) - int(pc.sum(pc.is_in(given, value_set=known.combine_chunks())).as_py() or 0)


def _told(window: Window, each: Separation) -> dict[str, Any]:
    counts = each.counts
    a_with = counts.failed_with if counts.failed_with > 0.5 else 0.0
    return {
        "kind": window.item_kinds[each.item],
        "name": window.item_names[each.item],
        "a_with": round(a_with, 4),
        "a_total": round(counts.failed_total, 4),
        "b_with": round(counts.passed_with, 4),
        "b_total": round(counts.passed_total, 4),
        "a_share": round(a_with / counts.failed_total, 4),
        "b_share": round(counts.passed_with / counts.passed_total, 4),
        "risk_ratio": round(each.ratio, 4),
        "risk_ratio_low": round(each.low, 4),
        "risk_ratio_high": round(each.high, 4),
        "q_value": float(f"{each.q_value:.3g}"),
        "confidence": round(each.confidence, 4),
        "is_cause": each.is_cause,
        "tied": [f"{window.item_kinds[i]}:{window.item_names[i]}" for i in each.tied],
    }
