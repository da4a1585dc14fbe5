"""Where the traces of an incident depart from fault-free periods, in words."""

from typing import Final

from graphmind.analysis.localisation.behaviour import BehaviourEvidence
from graphmind.analysis.localisation.ranking import Ranking, ServiceSuspect
from graphmind.analysis.localisation.time_channel import TimeEvidence
from graphmind.incidents.incident import Place, Where

WOBBLE: Final = 1.0
"""A score up to it is what fault-free periods show among each other."""
WEAK_PLACES: Final = 3
"""Where the evidence is weak the first three are shown: one of them is right more often."""


def where_of(ranking: Ranking, reference_periods: int) -> Where | None:
    """Return the first service, or three where the evidence is weak; None if nothing departs."""
    departing = [suspect for suspect in ranking.suspects if suspect.score > WOBBLE]
    shown = departing[: WEAK_PLACES if ranking.weak else 1]
    if not shown:
        return None
    return Where(
        places=tuple(_place(suspect) for suspect in shown),
        weak=ranking.weak,
        reference_periods=reference_periods,
    )


def _place(suspect: ServiceSuspect) -> Place:
    slow, odd = suspect.time_evidence, suspect.behaviour_evidence
    if slow and (odd is None or suspect.time >= suspect.behaviour):
        evidence = _time_words(slow)
    else:
        assert odd is not None, "a suspect above zero has evidence"
        evidence = _behaviour_words(odd)
    return Place(
        service=suspect.service,
        operation=suspect.operation,
        score=round(suspect.score, 2),
        evidence=evidence,
    )


def _time_words(evidence: TimeEvidence) -> str:
    unit = evidence.unit
    what = f"{unit.caller} -> {unit.callee} {unit.operation}" if unit.is_edge else unit.operation
    return (
        f"{what} takes {evidence.now_ms:.4g} ms a call, "
        f"{evidence.before_ms:.4g} ms in the reference; {evidence.traces} traces"
    )


def _behaviour_words(evidence: BehaviourEvidence) -> str:
    odd = evidence.strongest
    point = odd.transition.point
    return (
        f"in {point.service} {point.operation}, after {point.event} comes {odd.transition.after} "
        f"in {odd.share:.0%} of {odd.traces} traces ({odd.reference_share:.0%} in the reference)"
    )
