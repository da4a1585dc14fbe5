"""Which past incidents the incidents of an analysis resemble, as part of their documents."""

from collections.abc import Sequence
from typing import Any

from graphmind.archive.port import Archive
from graphmind.jobs.library import KIND, remember
from graphmind.matching.record import Entry, entry_of
from graphmind.matching.verdict import NEW, Match, Verdict


def with_resemblance(archive: Archive, incidents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Remember stored incidents, and say of each whether it was seen before."""
    verdicts = remember(archive, incidents)
    kept = archive.documents(KIND)
    return [each | {"seen": _seen(each["incident_id"], verdicts, kept)} for each in incidents]


def _seen(
    incident_id: str, verdicts: dict[str, Verdict], kept: dict[str, dict[str, Any]]
) -> dict[str, Any] | None:
    """Return the verdict; None where no trace was left to take a fingerprint of."""
    if incident_id not in verdicts:
        return None
    verdict = verdicts[incident_id]
    return {
        "verdict": verdict.verdict,
        "fingerprint": _fingerprint(entry_of(kept[incident_id])),
        "matches": [_match(match) for match in verdict.matches if match.verdict != NEW],
    }


def _fingerprint(entry: Entry) -> dict[str, Any]:
    signature = entry.fingerprint.signature
    return {
        "hash": entry.fingerprint.hash,
        "structure": entry.fingerprint.failing_path,
        "metric_signature": list(signature.metrics),
        "log_signature": list(signature.log_signature),
        "root_cause": entry.fingerprint.cause_class,
    }


def _match(match: Match) -> dict[str, Any]:
    return {
        "incident_id": match.incident_id,
        "score": round(match.score, 4),
        "title": match.case.title,
        "root_cause": match.case.root_cause,
        "corroborated": match.corroborated,
    }
