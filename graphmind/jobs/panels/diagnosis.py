"""The diagnosis panel (S20): timeline, error codes, where traces went wrong, metric trend."""

import pyarrow.compute as pc

from graphmind.archive.port import Archive
from graphmind.archive.signals import Between
from graphmind.jobs.diagnose import diagnose
from graphmind.jobs.panels.view import MS_NS, Row, View, share, traces_of
from graphmind.jobs.stores import Stores
from graphmind.settings import Settings

FAULTS_MAX = 200
"""Places where traces went wrong that are told apart (chosen)."""
POINTS_MAX = 20_000
"""Points of a trend that are drawn, the newest (chosen)."""


def timeline(stores: Stores, settings: Settings, trace_id: str) -> list[Row]:
    """Return the spans of a trace as they began, its log lines between them; none for no id.

    Raises UnknownName.
    """
    if not trace_id:
        return []
    found = diagnose(stores, settings, trace_id=trace_id)["timeline"]
    names = ("source", "depth", "failed", "text", "service", "agent", "module")
    return [
        {
            "time": entry["at_ms"],
            **{name: entry.get(name) for name in names},
            "error_code": entry.get("error_code"),
            "duration_ms": entry.get("duration_ms"),
        }
        for entry in found
    ]


def error_codes(archive: Archive, view: View, incident_id: str) -> list[Row]:
    """Return error codes of failing traces, most frequent first: of an incident, or of all."""
    stretch = view.stretch(traces_of(archive, incident_id))
    return [
        {"code": row["code"], "module": row["module"], "failing": row["failing"]}
        for row in archive.tallies.error_codes(stretch).to_pylist()
    ]


def distribution(archive: Archive, view: View, incident_id: str) -> list[Row]:
    """Return how failing traces spread over the nodes where they went wrong, most first."""
    stretch = view.stretch(traces_of(archive, incident_id))
    rows = archive.tallies.faults(stretch, rows_max=FAULTS_MAX).to_pylist()
    total = sum(row["failing"] for row in rows)
    return [
        {
            "root_node": row["module"],
            "path": row["path"],
            "outcome": row["outcome"],
            "failing": row["failing"],
            "share": share(row["failing"], total),
            "p95_ms": None if row["p95_ns"] is None else row["p95_ns"] / MS_NS,
        }
        for row in rows
    ]


def metric_names(archive: Archive, view: View) -> list[Row]:
    """Return the names of the signals that were measured meanwhile, as a list to choose from."""
    names = pc.unique(archive.signals.points(_between(view))["name"]).to_pylist()
    return [{"__text": name, "__value": name} for name in sorted(names)]


def metric_trend(archive: Archive, view: View, name: str) -> list[Row]:
    """Return the points of a signal by time, one series for each set of labels; none for no name.

    Exemplars, which name a trace, are left out.
    """
    if not name:
        return []
    points = archive.signals.points(_between(view), names=[name])
    plain = points.filter(pc.is_null(points["trace_id"])).sort_by(
        [("time_ns", "ascending"), ("labels", "ascending")]
    )
    return [
        {"time": row["time_ns"] // MS_NS, "series": _series(row), "value": row["value"]}
        for row in plain.slice(max(plain.num_rows - POINTS_MAX, 0)).to_pylist()
    ]


def _series(row: Row) -> str:
    """Name a series by what its labels say of the platform, else by all of them."""
    known = [row[name] for name in ("agent", "module", "service", "model_version", "region")]
    return " / ".join(part for part in known if part) or row["labels"] or row["name"]


def _between(view: View) -> Between:
    return Between(from_ns=view.from_ms * MS_NS, until_ns=view.until_ms * MS_NS)
