"""The incidents stored, newest first, filtered and page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphmind.archive.port import Archive

Place = tuple[int, str]
"""Where an incident stands in the list: its onset and its id."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which incidents; what is None does not filter."""

    symptom: str | None = None
    severity: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    """Onset: ``since_ms <= onset < until_ms``."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some incidents in order, and the place of the last of them if more follow."""

    items: list[dict[str, Any]]
    last: Place | None


def list_incidents(archive: Archive, wanted: Filter, *, after: Place | None, limit: int) -> Page:
    """Return incidents that stand after a place: newest onset first, then by id.

    The place is of the incident, not a number of rows, so that incidents which come or go between
    two pages neither repeat nor hide another one.
    """
    documents: list[dict[str, Any]] = [d for d in archive.incidents() if _is_wanted(d, wanted)]
    documents.sort(key=_rank)
    if after is not None:
        documents = [d for d in documents if _rank(d) > (-after[0], after[1])]
    items = documents[:limit]
    more = len(documents) > limit
    return Page(
        items=items, last=(items[-1]["onset_ms"], items[-1]["incident_id"]) if more else None
    )


def _is_wanted(document: Mapping[str, Any], wanted: Filter) -> bool:
    return (
        wanted.symptom in (None, document["symptom"])
        and wanted.severity in (None, document["severity"])
        and (wanted.since_ms is None or document["onset_ms"] >= wanted.since_ms)
        and (wanted.until_ms is None or document["onset_ms"] < wanted.until_ms)
    )


def _rank(document: Mapping[str, Any]) -> tuple[int, str]:
    return -document["onset_ms"], document["incident_id"]
