"""The drift of agents in the time shown against as much time before (S43)."""

from graphmind.archive.port import Archive
from graphmind.jobs.drift import HOUR_MS, drift
from graphmind.jobs.panels.view import Row, View


def drifts(archive: Archive, view: View) -> list[Row]:
    """Return the agents, farthest first; ``since`` is None where nothing drifted."""
    hours = (view.until_ms - view.from_ms) / HOUR_MS
    found = drift(archive, until_ms=view.until_ms, hours=hours)
    return [{**row, "since": row["since_ms"]} for row in found]
