"""The lineage of incidents that bad values cause, kept so that the graph always shows it whole."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from graphmind.archive.port import Archive
from graphmind.jobs.lineage import lineage_of_incident

KIND: Final = "lineage"
CARRIERS: Final = frozenset(
    ("kv_key", "written_by_agent", "written_by_trace", "fed_by_agent", "fed_by_trace")
)
"""Kinds of item by which a value spreads."""

TRACES_MAX: Final = 50_000
"""Traces read for a lineage that is kept (chosen): a server follows one after the other."""

Document = Mapping[str, Any]


def refresh_lineages(
    archive: Archive, fresh: Sequence[Document], current: Sequence[Document]
) -> list[dict[str, Any]]:
    """Follow the bad values of ``fresh`` incidents, which are stored; forget those not current.

    Returns the lineages of all current incidents that have one, by incident id.
    """
    followed = {
        incident["incident_id"]: _followed(archive, incident["incident_id"])
        for incident in fresh
        if _is_carried(incident)
    }
    known = {incident["incident_id"] for incident in current}
    again = {incident["incident_id"] for incident in fresh}
    stored = archive.documents(KIND)
    kept = {name: one for name, one in stored.items() if name in known and name not in again}
    archive.replace_documents(KIND, followed, without=stored.keys() - kept.keys())
    return [lineage for _, lineage in sorted((kept | followed).items())]


def _is_carried(incident: Document) -> bool:
    return any(
        item["kind"] in CARRIERS
        for cause in incident["causes"]
        for items in (cause["all_of"], *cause["tied"])
        for item in items
    )


def _followed(archive: Archive, incident_id: str) -> dict[str, Any]:
    lineage = lineage_of_incident(archive, incident_id, traces_max=TRACES_MAX)
    return {"contaminated": lineage.document()["contaminated"]}
