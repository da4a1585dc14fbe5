"""What happened, to be written over the time axis of any panel: incidents, repairs, changes."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from graphmind.archive.port import Archive
from graphmind.incidents.changes import Change
from graphmind.jobs.inventory import KIND
from graphmind.jobs.panels.incidents import went_on
from graphmind.jobs.panels.view import Row, View
from graphmind.repair.record import Repair
from graphmind.repair.track_record import verdict_of

KINDS: Final = ("incident", "repair", "change")


def annotations(
    archive: Archive, repairs: Iterable[Repair], view: View, *, kinds: Iterable[str] = KINDS
) -> list[Row]:
    """Return what began meanwhile, by time; what is not over has no end.

    The names are those that Grafana's annotations read.
    """
    wanted = set(kinds)
    found = [
        *(_incident(each) for each in archive.incidents() if "incident" in wanted),
        *(_repair(each) for each in repairs if "repair" in wanted),
        *(_changes(archive) if "change" in wanted else ()),
        *_near(archive.incidents() if "change" in wanted else (), view),
    ]
    shown = {(row["time"], row["title"]): row for row in found if view.holds(row["time"])}
    return [shown[key] for key in sorted(shown)]


def _incident(incident: Mapping[str, Any]) -> Row:
    return {
        "time": incident["onset_ms"],
        "timeEnd": incident.get("closed_ms"),
        "title": f"incident {incident['incident_id']}",
        "text": incident["title"],
        "tags": f"incident,{incident['severity']}",
    }


def _repair(repair: Repair) -> Row:
    outcome = verdict_of(repair) or str(repair.state)
    return {
        "time": repair.started_ms or repair.requested_ms,
        "timeEnd": repair.ended_ms,
        "title": f"repair {repair.repair_id}",
        "text": f"{repair.strategy} on {repair.target}: {outcome}",
        "tags": f"repair,{outcome}",
    }


def _changes(archive: Archive) -> Iterable[Row]:
    """Yield the changes of the inventory."""
    for document in archive.documents(KIND).values():
        change = Change.of(document)
        if change is not None:
            step = f" to {change.after}" if change.after else ""
            yield _change(change.at_ms, change.kind, change.target, f"{change.target}{step}")


def _near(incidents: Iterable[Mapping[str, Any]], view: View) -> Iterable[Row]:
    """Yield the changes that incidents name, which telemetry alone may show."""
    for incident in incidents:
        for change in incident["changes"] if went_on(incident, view) else ():
            yield _change(change["at_ms"], change["kind"], change["target"], change["summary"])


def _change(at_ms: int, kind: str, target: str, text: str) -> Row:
    return {
        "time": at_ms,
        "timeEnd": None,
        "title": f"{kind} {target}",
        "text": text,
        "tags": f"change,{kind}",
    }
