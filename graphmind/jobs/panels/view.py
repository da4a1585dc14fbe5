"""The stretch of time that a panel shows."""

from dataclasses import dataclass
from typing import Any, Final, Self

import pyarrow as pa

from graphmind.archive.port import Archive
from graphmind.archive.tallies import Stretch
from graphmind.errors import SettingsError

Row = dict[str, Any]
"""One flat row of an answer: the API's body of the panel says which names it has."""

MS_NS: Final = 1_000_000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
STEPS_MAX: Final = 240
"""Steps of a picture: with 20 modules Grafana then draws 4,800 cells (chosen)."""


@dataclass(frozen=True, kw_only=True)
class View:
    """``from_ms <= time < until_ms`` in steps of whole minutes."""

    from_ms: int
    until_ms: int
    step_ms: int

    @classmethod
    def of(cls, *, from_ms: int | None, until_ms: int | None, step_ms: int, now_ms: int) -> Self:
        """Return what is asked for: the last hour where nothing is said, and STEPS_MAX steps.

        Raises SettingsError where the time ends before it begins.
        """
        until = now_ms if until_ms is None else until_ms
        begin = until - HOUR_MS if from_ms is None else from_ms
        if begin >= until:
            raise SettingsError(f"expected `from` before `to`, got {begin} and {until}")
        least = max(step_ms, -(-(until - begin) // STEPS_MAX), 1)
        return cls(from_ms=begin, until_ms=until, step_ms=-(-least // MINUTE_MS) * MINUTE_MS)

    def stretch(self, trace_ids: pa.Array | None = None) -> Stretch:
        """Return it as the archive counts over it."""
        return Stretch(
            from_ns=self.from_ms * MS_NS,
            until_ns=self.until_ms * MS_NS,
            step_ns=self.step_ms * MS_NS,
            trace_ids=trace_ids,
        )

    def holds(self, at_ms: int) -> bool:
        """Whether a moment lies in it."""
        return self.from_ms <= at_ms < self.until_ms

    def meets(self, first_ms: int, last_ms: int) -> bool:
        """Whether something that went on from first to last was there meanwhile."""
        return first_ms < self.until_ms and last_ms >= self.from_ms


def traces_of(archive: Archive, incident_id: str) -> pa.Array | None:
    """Return the ids of an incident's traces; None, which is all traces, for the empty id.

    Raises UnknownName.
    """
    if not incident_id:
        return None
    ids: list[str] = archive.incident(incident_id)["trace_ids"]  # type: ignore[assignment]  # JSON
    return pa.array(ids, pa.string())


def share(part: float, whole: float) -> float | None:
    """Return a part of a whole; None of nothing."""
    return part / whole if whole else None
