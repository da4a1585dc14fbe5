"""Candidates become one verdict, or a reasoned silence (S06)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from graphmind.classification.choice import Choice
from graphmind.classification.judge import Weighed

CANDIDATES_MAX: Final = 5
"""Candidates shown (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One class the root cause may be of."""

    span: str
    """``traceId:spanId`` where the incident's first trace went wrong; may be empty."""
    root_cause: str
    reason: str
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The class the root cause is of."""

    root_node: str
    """The first cause of the incident; where none was found, the module where it shows."""
    root_cause: str
    cluster_id: str
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Classification:
    """What is said of the root cause of an incident, by which route."""

    incident_id: str
    route: str
    f1: Mapping[str, float]
    """Macro F1 by route, as the choice found it; empty where there were too few cases."""
    cases: int
    """Confirmed cases known."""
    candidates: tuple[Candidate, ...]
    """Best first."""
    verdict: Verdict | None
    abstained: str
    """Why there is no verdict; empty where there is one."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON-ready names and values."""
        document: dict[str, Any] = asdict(self)
        return document


def classification_of(
    incident: Mapping[str, Any], weighed: Sequence[Weighed], choice: Choice, *, cases: int
) -> Classification:
    """Take the primary route's candidates; the first is the verdict if it is sure enough."""
    candidates = tuple(
        Candidate(
            span=_span(incident),
            root_cause=candidate.guess.label,
            reason=candidate.guess.reason,
            confidence=round(choice.calibration.confidence(candidate.signs), 4),
        )
        for candidate in weighed[:CANDIDATES_MAX]
    )
    abstained = _abstains(candidates, choice)
    return Classification(
        incident_id=incident["incident_id"],
        route=choice.route,
        f1=choice.f1,
        cases=cases,
        candidates=candidates,
        verdict=None if abstained else _verdict(incident, candidates[0]),
        abstained=abstained,
    )


def confirmed(
    incident: Mapping[str, Any], case: Mapping[str, Any], choice: Choice, *, cases: int
) -> Classification:
    """Repeat what somebody said of this very incident."""
    candidate = Candidate(
        span=_span(incident),
        root_cause=case["label"],
        reason=f"confirmed by {case['by']}",
        confidence=1.0,
    )
    return Classification(
        incident_id=incident["incident_id"],
        route="confirmed",
        f1=choice.f1,
        cases=cases,
        candidates=(candidate,),
        verdict=_verdict(incident, candidate),
        abstained="",
    )


def _abstains(candidates: Sequence[Candidate], choice: Choice) -> str:
    if not candidates:
        return f"nothing known speaks for any class (route {choice.route}: {choice.reason})"
    first, least = candidates[0], choice.calibration.threshold
    if first.confidence >= least:
        return ""
    return (
        f"thin evidence: {first.root_cause} at {first.confidence:.2f}, and a verdict needs "
        f"{least:.2f}; it may be of a class that no case has"
    )


def _verdict(incident: Mapping[str, Any], candidate: Candidate) -> Verdict:
    causes = incident["causes"]
    return Verdict(
        root_node=causes[0]["label"] if causes else incident["root_module"] or "",
        root_cause=candidate.root_cause,
        cluster_id=incident["cluster_id"],
        confidence=candidate.confidence,
    )


def _span(incident: Mapping[str, Any]) -> str:
    span = incident["root_span"]
    return f"{span['trace_id']}:{span['span_id']}" if span else ""
