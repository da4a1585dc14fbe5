"""Which change came shortly before an incident: a deploy, a release, or something first seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphmind.incidents.incident import Incident, Item, NearChange

BEFORE_MS: Final = 24 * 3_600_000
"""A change longer ago is not shown (chosen: a day covers a nightly release)."""
CLOCK_MS: Final = 60_000
"""A change may be stamped this much after the first failure: clocks differ (chosen)."""
CHANGES_MAX: Final = 3
FIRST_SEEN: Final = "first seen"


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that was changed, as the inventory or the telemetry tells it."""

    kind: str
    target: str
    at_ms: int
    author: str | None = None
    before: str | None = None
    after: str | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Change | None":
        """Read one from an inventory record; None where it does not say what changed and when."""
        if document.get("at_ms") is None or not document.get("target"):
            return None
        return cls(
            kind=document.get("kind") or "change",
            target=document["target"],
            at_ms=document["at_ms"],
            author=document.get("author"),
            before=document.get("from_"),
            after=document.get("to"),
        )


def first_seen(
    touches: Mapping[tuple[str, str], int], archive_start_ns: int | None
) -> list[Change]:
    """Return what telemetry shows as new: items (kind, name) first touched well into the archive.

    What was there from the start of the archive may be as old as the platform.
    """
    if archive_start_ns is None:
        return []
    return [
        Change(kind=FIRST_SEEN, target=name, at_ms=at_ns // 1_000_000)
        for (_, name), at_ns in sorted(touches.items())
        if at_ns - archive_start_ns > CLOCK_MS * 1_000_000
    ]


def nearest_changes(incident: Incident, changes: Iterable[Change]) -> tuple[NearChange, ...]:
    """Return the changes before the onset: those of a cause first, then the nearest in time."""
    items = [item for cause in incident.causes for item in cause.all_of]
    near = [
        NearChange(
            kind=change.kind,
            target=change.target,
            at_ms=change.at_ms,
            before_onset_ms=incident.onset_ms - change.at_ms,
            of_cause=any(_changes(change, item) for item in items),
            author=change.author,
            summary=_summary(change),
        )
        for change in changes
        if -CLOCK_MS <= incident.onset_ms - change.at_ms <= BEFORE_MS
    ]
    near.sort(key=lambda c: (not c.of_cause, abs(c.before_onset_ms), c.target, c.kind))
    return tuple(near[:CHANGES_MAX])


def _changes(change: Change, item: Item) -> bool:
    """Whether a change is of the thing, or made the version that the thing is."""
    family, _, version = item.name.partition("@")
    return change.target == item.name or bool(
        version and change.target == family and change.after in (None, version, item.name)
    )


def _summary(change: Change) -> str:
    if change.kind == FIRST_SEEN:
        return f"{change.target} first seen in telemetry"
    step = f" from {change.before}" if change.before else ""
    step += f" to {change.after}" if change.after else ""
    return f"{change.kind} of {change.target}{step}"
