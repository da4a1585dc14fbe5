"""Fault-free reference periods, kept and refreshed by the product itself.

A localisation is as good as what it compares with: several periods, of several days and hours,
none with an incident in it (with one period only, Acc@1 fell from .87 to .70; localisation.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive
from graphmind.incidents.incident import Incident
from graphmind.telemetry.facts import Facts

KIND: Final = "reference_period"
PERIOD_NS: Final = 300 * 1_000_000_000
"""Length of a period (chosen: long enough for a few hundred traces, short enough to be clean)."""
TRACES_MIN: Final = 50
TRACES_MAX: Final = 400
"""Traces of a period (chosen: the wobble between periods of 70 is still large)."""
PERIODS_PER_MODE: Final = 3
MODES_HOURS: Final = 6
"""A day has four modes of six hours, and working days differ from weekends (chosen)."""


@dataclass(frozen=True, kw_only=True)
class ReferencePeriod:
    """Some traces of a time without incident."""

    from_ns: int
    until_ns: int
    mode: str
    """Working day or weekend, and part of the day: ``working day 06``."""
    trace_ids: tuple[str, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "ReferencePeriod":
        """Read one back."""
        return cls(**{**document, "trace_ids": tuple(document["trace_ids"])})


def refresh_references(
    archive: Archive, facts: Facts, incidents: Sequence[Incident]
) -> list[ReferencePeriod]:
    """Add the clean periods of a window to those kept, drop the oldest of a mode; return all.

    A kept period in which an incident has been found since is dropped too.
    """
    known = {str(period.from_ns): period for period in known_references(archive)}
    dirty = {trace_id for incident in incidents for trace_id in incident.trace_ids}
    clean = {key: period for key, period in known.items() if dirty.isdisjoint(period.trace_ids)}
    clean |= {str(period.from_ns): period for period in clean_periods(facts, incidents)}
    kept = _latest_by_mode(clean)
    if kept != known:
        archive.replace_documents(
            KIND, {key: asdict(period) for key, period in kept.items()}, without=known
        )
    return sorted(kept.values(), key=lambda period: period.from_ns)


def known_references(archive: Archive) -> list[ReferencePeriod]:
    """Return the periods kept, oldest first."""
    periods = map(ReferencePeriod.of, archive.documents(KIND).values())
    return sorted(periods, key=lambda period: period.from_ns)


def clean_periods(facts: Facts, incidents: Sequence[Incident]) -> list[ReferencePeriod]:
    """Return the periods of a window in which no trace of an incident began."""
    start = facts.traces["start_ns"].to_numpy()
    slot = start // PERIOD_NS
    dirty = pa.array(sorted({i for incident in incidents for i in incident.trace_ids}), pa.string())
    spoilt = pc.is_in(facts.traces["trace_id"], value_set=dirty).to_numpy()
    slots, counts = np.unique(slot, return_counts=True)
    usable = slots[(counts >= TRACES_MIN) & ~np.isin(slots, slot[spoilt])]
    return [_period(facts, int(number), np.flatnonzero(slot == number)) for number in usable]


def choose_references(
    periods: Iterable[ReferencePeriod], incident: Incident, most: int
) -> tuple[ReferencePeriod, ...]:
    """Return the periods to compare an incident with: of its mode first, then the nearest."""
    onset_ns = incident.onset_ms * 1_000_000
    mode = _mode(onset_ns)
    ranked = sorted(periods, key=lambda p: (p.mode != mode, abs(p.from_ns - onset_ns), p.from_ns))
    return tuple(sorted(ranked[:most], key=lambda period: period.from_ns))


def _period(facts: Facts, number: int, rows: np.ndarray) -> ReferencePeriod:
    ids = facts.traces["trace_id"].take(pa.array(rows)).to_pylist()
    step = -(-len(ids) // TRACES_MAX)
    return ReferencePeriod(
        from_ns=number * PERIOD_NS,
        until_ns=(number + 1) * PERIOD_NS,
        mode=_mode(number * PERIOD_NS),
        trace_ids=tuple(ids[::step]),
    )


def _mode(at_ns: int) -> str:
    at = datetime.fromtimestamp(at_ns / 1e9, UTC)
    day = "weekend" if at.weekday() >= 5 else "working day"
    return f"{day} {at.hour // MODES_HOURS * MODES_HOURS:02}"


def _latest_by_mode(periods: Mapping[str, ReferencePeriod]) -> dict[str, ReferencePeriod]:
    kept: dict[str, ReferencePeriod] = {}
    of_mode: dict[str, int] = {}
    for key, period in sorted(periods.items(), key=lambda pair: -pair[1].from_ns):
        of_mode[period.mode] = of_mode.get(period.mode, 0) + 1
        if of_mode[period.mode] <= PERIODS_PER_MODE:
            kept[key] = period
    return dict(sorted(kept.items()))
