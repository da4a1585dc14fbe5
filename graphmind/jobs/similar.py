"""Whether an incident was seen before, and which past ones it resembles."""

from dataclasses import asdict, dataclass
from typing import Any

from graphmind.archive.port import Archive
from graphmind.errors import UnknownName
from graphmind.jobs.library import open_library, take_entries
from graphmind.matching.library import Library
from graphmind.matching.record import Fingerprint
from graphmind.matching.verdict import MATCHES_SHOWN, Verdict, recognise


@dataclass(frozen=True, kw_only=True)
class Similar:
    """An incident beside the past ones."""

    incident_id: str
    fingerprint: Fingerprint
    verdict: Verdict

    def document(self) -> dict[str, Any]:
        """Return the answer as JSON-ready names and values."""
        document: dict[str, Any] = asdict(self)
        return document


def similar(
    archive: Archive,
    incident_id: str,
    limit: int = MATCHES_SHOWN,
    *,
    library: Library | None = None,
) -> Similar:
    """Compare an incident with the library, by default as the archive keeps it now.

    Raises UnknownName for an incident that the archive does not know, or whose traces it no
    longer holds.
    """
    incident: dict[str, Any] = archive.incident(incident_id)
    entries = take_entries(archive, [incident])
    if not entries:
        raise UnknownName(
            f"no trace of incident {incident_id} is left to take its fingerprint from. "
            "Load its spans again"
        )
    [entry] = entries
    known = open_library(archive) if library is None else library
    return Similar(
        incident_id=incident_id,
        fingerprint=entry.fingerprint,
        verdict=recognise(known, entry, incident["trace_ids"], limit),
    )
