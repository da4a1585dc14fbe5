"""The same incident keeps its id and its name from run to run, however its window grows."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from graphmind.incidents.incident import Incident

OVERLAP_MIN: Final = 0.5
"""Share of the smaller one's traces that two incidents of other causes must have in common to be
one (chosen: more of it is the same than is not)."""
PAUSE_MS: Final = 3_600_000
"""A cause that was active within an hour is active still (chosen)."""

Explanation = frozenset[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class _Likeness:
    """How much a new incident is like a known one."""

    new: int
    known: int
    same_cause: bool
    overlap: float

    @property
    def rank(self) -> tuple[float, int, int]:
        return -(self.overlap + self.same_cause), self.known, self.new


def keep_identities(
    found: Sequence[Incident], known: Sequence[Mapping[str, Any]]
) -> list[Incident]:
    """Give each incident the id, cluster and opening time of the known one that it continues.

    It continues one with the same cause and common traces, or active within an hour of it; else
    one with which it has most traces in common. Each continues one at most, the likest first.
    Known ones that it took in besides are ``absorbed``; one that was part of a known incident
    which another continues is ``split_from`` it.
    """
    known = sorted(known, key=lambda document: str(document["incident_id"]))
    alike = sorted(_likenesses(found, known), key=lambda likeness: likeness.rank)
    continued: dict[int, int] = {}
    for likeness in alike:
        if likeness.new not in continued and likeness.known not in continued.values():
            continued[likeness.new] = likeness.known
    taken = {str(known[place]["incident_id"]) for place in continued.values()}
    kept = []
    for number, incident in enumerate(found):
        others = [
            known[likeness.known]
            for likeness in alike
            if likeness.new == number and likeness.overlap >= OVERLAP_MIN
        ]
        past = known[continued[number]] if number in continued else None
        kept.append(_continued(incident, past, others, taken))
    return kept


def _continued(
    incident: Incident,
    past: Mapping[str, Any] | None,
    others: Sequence[Mapping[str, Any]],
    taken: set[str],
) -> Incident:
    ids = sorted({str(other["incident_id"]) for other in others})
    if past is None:
        return replace(
            incident,
            incident_id=_unused(incident.incident_id, taken),
            split_from=next((name for name in ids if name in taken), None),
        )
    return replace(
        incident,
        incident_id=str(past["incident_id"]),
        cluster_id=str(past["cluster_id"]),
        opened_ms=int(past["opened_ms"]),
        absorbed=tuple(sorted({*past["absorbed"], *(set(ids) - taken)})),
        split_from=past["split_from"],
    )


def _unused(incident_id: str, taken: set[str]) -> str:
    """Return the id, or one made of it where another incident took it over."""
    while incident_id in taken:
        incident_id = f"inc-{hashlib.sha256(incident_id.encode()).hexdigest()[:10]}"
    return incident_id


def _likenesses(
    found: Sequence[Incident], known: Sequence[Mapping[str, Any]]
) -> Iterator[_Likeness]:
    """Yield the pairs that may be one incident."""
    traces = [frozenset(document["trace_ids"]) for document in known]
    for new, incident in enumerate(found):
        document = incident.document()
        own = frozenset(incident.trace_ids)
        for place, past in enumerate(known):
            shared = len(own & traces[place])
            overlap = shared / max(min(len(own), len(traces[place])), 1)
            same = _same_cause(document, past) and (shared > 0 or _near(document, past))
            if same or overlap >= OVERLAP_MIN:
                yield _Likeness(new=new, known=place, same_cause=same, overlap=overlap)


def _same_cause(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the first cause of one is, or cannot be told from, that of the other."""
    return bool(_explanations(one) & _explanations(other))


def _explanations(document: Mapping[str, Any]) -> set[Explanation]:
    return {
        frozenset((item["kind"], item["name"]) for item in items)
        for cause in document["causes"][:1]
        for items in (cause["all_of"], *cause["tied"])
    }


def _near(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether their causes were active within a pause of each other, with the same symptom."""
    first, second = one["causes"][0], other["causes"][0]
    gap = max(first["onset_ms"] - second["until_ms"], second["onset_ms"] - first["until_ms"])
    return bool(one["symptom"] == other["symptom"] and gap <= PAUSE_MS)
