"""What separates two cohorts of traces, by the same statistics as shared causes."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
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

COHORT_MAX: Final = 1_000_000
"""Ids of a cohort that are looked up; of more an even choice (chosen)."""
LISTED_MAX: Final = 100_000
"""Ids of a cohort that are listed; of more an even choice (chosen)."""
READ_MAX: Final = (4_000, 8_000)
"""Traces of the first and the second cohort whose facts are read: of more an even choice, each of
which stands for those left out. Chosen: two seconds of work; a share of the first is then told to
1.6 percent (95 %). What a trace that was not read wrote is not followed to its readers."""

SEARCHED: Final[dict[str, Any]] = {"causes_max": 5, "top": 4, "top_in_parts": 0, "beam": 2}
"""How wide causes are searched for: a cohort is no event, so no part of its time is looked at by
itself. Measured on 18,000 traces with six and three: a sixth of the time, and the causes surest by
all traces; with four and two and 12,000 traces two fifths of that."""


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


def compare(
    archive: Archive,
    settings: Settings,
    a: Wanted,
    b: Wanted | None,
    *,
    read_max: tuple[int, int] = READ_MAX,
) -> Comparison:
    """Hold two cohorts against each other; without ``b`` the first against all else of its time.

    Counts estimate all traces of a cohort, however many are read. Raises QueryRefused where the
    first holds no trace.
    """
    first = archive.queries.ids(a, most=COHORT_MAX)
    if not len(first):
        raise QueryRefused("No archived trace is in cohort a: give other ids, or a wider filter.")
    second = archive.queries.ids(_others(archive, first) if b is None else b, most=COHORT_MAX)
    common = pc.is_in(second, value_set=first)
    chosen = _Chosen.of((first, second.filter(pc.invert(common))), read_max)
    facts = chosen.read(archive)
    starts, ids = facts.traces["start_ns"], facts.traces["trace_id"]
    member = pc.is_in(ids, value_set=chosen.first).combine_chunks().to_numpy(zero_copy_only=False)
    window = window_from_facts(facts)
    window = replace(window, weight=window.weight * np.where(member, *chosen.stands_for))
    searched = {"alpha": settings.alpha, "failures_min": settings.min_excess, **SEARCHED}
    found = separate(window, member, CauseOptions(**searched))
    return Comparison(
        a_traces=round(float(window.weight[member].sum()), 4),
        b_traces=round(float(window.weight[~member].sum()), 4),
        overlap=0 if b is None else int(pc.sum(common).as_py() or 0),
        unknown=_unknown(a, first) + (0 if b is None else _unknown(b, second)),
        since_ms=pc.min(starts).as_py() // MS_NS,
        until_ms=pc.max(starts).as_py() // MS_NS,
        tested=found.tested,
        separating=[_told(window, each) for each in found.items],
    )


def ids_of(archive: Archive, wanted: Wanted) -> list[str]:
    """Return the ids of the traces wanted, oldest first; of too many an even choice."""
    ids: list[str] = archive.queries.ids(wanted, most=LISTED_MAX).to_pylist()
    return ids


def _others(archive: Archive, first: pa.Array) -> Wanted:
    """Want everything of the time of a cohort, at least an hour of it."""
    time = archive.queries.time_of(first)
    margin = max(0, HOUR_NS - (time.until_ns - time.since_ns)) // 2
    return Wanted(since_ns=time.since_ns - margin, until_ns=time.until_ns + margin)


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    """The traces of two cohorts that are read."""

    first: pa.Array
    second: pa.Array
    stands_for: tuple[float, float]
    """How many traces of its cohort each stands for."""

    @classmethod
    def of(cls, cohorts: tuple[pa.Array, pa.Array], read_max: tuple[int, int]) -> "_Chosen":
        """Choose evenly in time: the ids come oldest first."""
        first, second = (_evenly(*each) for each in zip(cohorts, read_max, strict=True))
        stands_for = len(cohorts[0]) / len(first), len(cohorts[1]) / max(len(second), 1)
        return cls(first=first, second=second, stands_for=stands_for)

    def read(self, archive: Archive) -> Facts:
        """Return the facts of both, with who of them wrote what they read."""
        both = pa.concat_arrays([self.first, self.second])
        return with_lineage(archive.facts(Selection(trace_ids=both)), self.first)


def _evenly(ids: pa.Array, most: int) -> pa.Array:
    """Return at most so many, at even distances."""
    if len(ids) <= most:
        return ids
    return ids.take(pa.array(np.arange(most) * len(ids) // most))


def _unknown(wanted: Wanted, known: pa.Array) -> int:
    """Count the ids given of which nothing is archived."""
    if wanted.trace_ids is None:
        return 0
    given = pc.unique(wanted.trace_ids)
    return len(given) - int(pc.sum(pc.is_in(given, value_set=known)).as_py() or 0)


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
