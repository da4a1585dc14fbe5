"""The fleet: how traces fare over time, by module, and by agent, model version or region."""

from collections.abc import Iterable, Mapping

from graphmind.archive.port import Archive
from graphmind.jobs.panels.view import MS_NS, Row, View, share

GROUPS_MAX = 100
"""Items of a kind that are shown (chosen)."""


def pace(archive: Archive, view: View) -> list[Row]:
    """Return by step how many traces began and failed, and how long they took."""
    return [
        {
            "time": row["at_ns"] // MS_NS,
            "traces": row["traces"],
            "failing": row["failing"],
            "failing_share": share(row["failing"], row["traces"]),
            "complete_ratio": share(row["complete"], row["traces"]),
            "sampled_share": share(row["kept"], row["traces"]),
            "spans": row["spans"],
            "p50_ms": _ms(row["p50_ns"]),
            "p95_ms": _ms(row["p95_ns"]),
        }
        for row in archive.tallies.pace(view.stretch()).to_pylist()
    ]


def outcomes(archive: Archive, view: View) -> list[Row]:
    """Return by step how many traces ended how."""
    return [
        {"time": row["at_ns"] // MS_NS, "outcome": row["outcome"], "traces": row["traces"]}
        for row in archive.tallies.outcomes(view.stretch()).to_pylist()
    ]


def heat(archive: Archive, view: View) -> list[Row]:
    """Return module by minute how many traces ran there and went wrong there (S30)."""
    return [
        {
            "time": row["at_ns"] // MS_NS,
            "module": row["name"],
            "traces": row["traces"],
            "failing": row["failing"],
            "failing_share": share(row["failing"], row["traces"]),
        }
        for row in archive.tallies.modules(view.stretch()).to_pylist()
    ]


def groups(archive: Archive, view: View, kind: str) -> list[Row]:
    """Return the items of a kind with how their traces fare; most failing traces first.

    ``incidents`` counts those that are open and name the item as a cause.
    """
    named = _named(archive.incidents(), kind)
    return [
        {
            "name": row["name"],
            "traces": row["traces"],
            "failing": row["failing"],
            "failing_share": share(row["failing"], row["traces"]),
            "complete_ratio": share(row["complete"], row["traces"]),
            "sampled_share": share(row["kept"], row["traces"]),
            "p95_ms": _ms(row["p95_ns"]),
            "last": row["last_ns"] // MS_NS,
            "incidents": named.get(row["name"], 0),
        }
        for row in archive.tallies.groups(view.stretch(), kind, groups_max=GROUPS_MAX).to_pylist()
    ]


def _named(incidents: Iterable[Mapping[str, object]], kind: str) -> dict[str, int]:
    """Count the open incidents that name each item of a kind in their first cause."""
    counts: dict[str, int] = {}
    for incident in incidents:
        match incident:
            case {"state": str(state), "causes": [{"all_of": [*items]}, *_]} if state != "closed":
                for item in items:
                    if item["kind"] == kind:
                        counts[item["name"]] = counts.get(item["name"], 0) + 1
    return counts


def _ms(duration_ns: float | None) -> float | None:
    return None if duration_ns is None else duration_ns / MS_NS
