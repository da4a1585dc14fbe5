"""The incidents stored, newest first, filtered and page by page, now or as of a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphmind.archive.port import Archive
from graphmind.jobs.reading.past import head_as_of

Place = tuple[int, str]
"""Where an incident stands in the list: its onset and its id."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which incidents; what is None does not filter."""

    symptom: str | None = None
    severity: str | None = None
    state: str | None = None
    text: str | None = None
    """In its id, title, module, cluster or a cause's name; small and large letters are one."""
    since_ms: int | None = None
    until_ms: int | None = None
    """Onset: ``since_ms <= onset < until_ms``."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some incidents in order, and the place of the last of them if more follow.

    They have ``trace_count`` instead of the ids of their traces.
    """

    items: list[dict[str, Any]]
    last: Place | None


def list_incidents(
    archive: Archive,
    wanted: Filter,
    *,
    after: Place | None,
    limit: int,
    as_of_ms: int | None = None,
) -> Page:
    """Return incidents that stand after a place: newest onset first, then by id.

    The place is of the incident, not a number of rows, so that incidents which come or go between
    two pages neither repeat nor hide another one.
    """
    stood = (head_as_of(head, as_of_ms) for head in archive.queries.incident_heads())
    documents = [d for d in stood if d is not None and _is_wanted(d, wanted)]
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
        and wanted.state in (None, document.get("state"))
        and (wanted.since_ms is None or document["onset_ms"] >= wanted.since_ms)
        and (wanted.until_ms is None or document["onset_ms"] < wanted.until_ms)
        and (not wanted.text or wanted.text.casefold() in _words(document))
    )


def _words(document: Mapping[str, Any]) -> str:
    labels = (cause["label"] for cause in document["causes"])
    told = (document[name] for name in ("incident_id", "title", "root_module", "cluster_id"))
    return " ".join(filter(None, (*told, *labels))).casefold()


def _rank(document: Mapping[str, Any]) -> tuple[int, str]:
    return -document["onset_ms"], document["incident_id"]
