"""Incidents as they stood at a moment (S44), by their history and the starts of their traces.

Causes, effects and severity are those known now: what an analysis thought then is not kept.
"""

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from graphmind.archive.port import Archive
from graphmind.archive.queries import Time, Wanted
from graphmind.errors import UnknownName
from graphmind.incidents.lifecycle import CLOSED

MS_NS: Final = 1_000_000
HOUR_MS: Final = 3_600_000
ALL: Final = 2**31
"""More than any list of ids."""
Document = dict[str, Any]


def ns(at_ms: int) -> int:
    """Return a time in ns, cut to what 64 bits hold."""
    return max(-(2**63), min(at_ms * MS_NS, 2**63 - 1))


def opened_ms(incident: Mapping[str, Any]) -> int:
    """Return when somebody could first know of an incident."""
    history = incident.get("history") or ()
    return int(history[0]["at_ms"] if history else incident["opened_ms"])


def head_as_of(head: Mapping[str, Any], as_of_ms: int | None) -> Document | None:
    """Return an incident without its traces as it stood; None where it had not been opened.

    ``trace_count`` is that of its history; it has none where no live server watched it.
    """
    if as_of_ms is None:
        return dict(head)
    if opened_ms(head) > as_of_ms:
        return None
    history = [entry for entry in head.get("history") or () if entry["at_ms"] <= as_of_ms]
    document = dict(head) | {"history": history}
    document["changes"] = [each for each in head.get("changes", ()) if each["at_ms"] <= as_of_ms]
    if history:
        document |= {
            "state": history[-1]["state"],
            "state_since_ms": history[-1]["at_ms"],
            "trace_count": history[-1]["trace_count"],
        }
    for name in ("closed_ms", "alerted_ms"):
        if (head.get(name) or 0) > as_of_ms:
            document[name] = None
    document["eligible_for_repair"] = bool(document.get("alerted_ms"))
    if document["state"] != CLOSED:
        document["merged_into"] = None
    return document


def incident_as_of(archive: Archive, incident_id: str, as_of_ms: int | None) -> Document:
    """Return an incident with the traces that had begun. Raises UnknownName."""
    incident: Document = archive.incident(incident_id)
    if as_of_ms is None:
        return incident
    stood = head_as_of(incident, as_of_ms)
    if stood is None:
        raise UnknownName(
            f"incident {incident_id} had not been opened at {as_of_ms}: it was at "
            f"{opened_ms(incident)}"
        )
    own = pa.array(incident["trace_ids"], pa.string())
    later = Wanted(trace_ids=own, since_ns=ns(as_of_ms + 1), near=near(incident))
    begun_later = set(archive.queries.ids(later, most=ALL).to_pylist())
    for name in ("trace_ids", "examples", "survivors"):
        stood[name] = [each for each in stood[name] if each not in begun_later]
    return stood


def near(incident: Mapping[str, Any]) -> Time:
    """Return the time in which the traces of an incident are looked for first."""
    return Time(
        since_ns=ns(incident["onset_ms"] - HOUR_MS), until_ns=ns(until_ms(incident) + HOUR_MS)
    )


def until_ms(incident: Mapping[str, Any], as_of_ms: int | None = None) -> int:
    """Return when an incident last failed, as far as is known."""
    known = incident.get("last_failing_ms")
    times = [known] if known else [cause["until_ms"] for cause in incident["causes"]]
    onset: int = incident["onset_ms"]
    last: int = max([onset, *times])
    return last if as_of_ms is None else min(last, max(as_of_ms, onset))
