"""How well what was found agrees with what was planted."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

ItemSet = frozenset[tuple[str, str]]
"""Items that together are one explanation, as (kind, name)."""


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One planted incident."""

    kind: str
    explanations: frozenset[ItemSet]
    """Its cause, and what else names exactly the same calls."""
    traces: frozenset[str]
    mended: frozenset[str]
    """Traces that it hit and that ended well: to report them or not is both right."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One incident that a method reports."""

    explanations: tuple[frozenset[ItemSet], ...]
    """Best first; each a set of item sets that the method says cannot be told apart."""
    traces: frozenset[str]
    confidence: float | None = None
    """Probability that the first explanation is right, where the method states one."""


def rank_of(planted: Planted, found: Sequence[Found]) -> int:
    """Return the best rank, from 1, that a report of these traces gives the cause; 99 if none."""
    ranks = [
        rank
        for report in found
        if report.traces & planted.traces
        for rank, tied in enumerate(report.explanations, 1)
        if tied & planted.explanations
    ]
    return min(ranks, default=99)


def is_right(report: Found, planted: Sequence[Planted]) -> bool:
    """Whether the report's first explanation is a planted cause."""
    return any(report.explanations[0] & incident.explanations for incident in planted)


def is_part(report: Found, planted: Sequence[Planted]) -> bool:
    """Whether most of its traces are of one planted incident, whatever the report calls it."""
    return any(
        2 * len(report.traces & (incident.traces | incident.mended)) > len(report.traces)
        for incident in planted
    )


def calibration_error(reports: Sequence[tuple[float, bool]], *, bins: int = 10) -> float:
    """Return the expected calibration error of (confidence, right) pairs; 0 is perfect.

    Naeini, Cooper and Hauskrecht 2015: gap between mean confidence and share right, by bin.
    """
    gaps: defaultdict[int, float] = defaultdict(float)
    for confidence, right in reports:
        gaps[min(int(confidence * bins), bins - 1)] += confidence - right
    return sum(map(abs, gaps.values())) / max(len(reports), 1)


def trace_agreement(planted: Sequence[Planted], found: Sequence[Found]) -> float:
    """Return the adjusted Rand index of what was planted and what was reported."""
    return adjusted_rand(*trace_labels(planted, found))


def trace_labels(planted: Sequence[Planted], found: Sequence[Found]) -> tuple[list[int], list[int]]:
    """Label all traces planted or reported with their planted and with their reported incident.

    A trace is labelled with its first incident, or with none; mended traces are left out.
    """
    truth, reported = _labels(planted), _labels(found)
    mended = {trace for incident in planted for trace in incident.mended} - truth.keys()
    traces = sorted((truth.keys() | reported.keys()) - mended)
    return [truth.get(trace, -1) for trace in traces], [reported.get(trace, -1) for trace in traces]


def _labels(groups: Sequence[Planted] | Sequence[Found]) -> dict[str, int]:
    numbered: list[tuple[int, Planted | Found]] = list(enumerate(groups))
    return {trace: label for label, group in reversed(numbered) for trace in group.traces}


def adjusted_rand(left: Sequence[int], right: Sequence[int]) -> float:
    """Return the adjusted Rand index (Hubert and Arabie 1985); 1 for two equal labellings."""
    both = _pairs([*zip(left, right, strict=True)])
    in_left, in_right, every = _pairs(left), _pairs(right), comb(len(left), 2)
    expected = in_left * in_right / every if every else 0.0
    most = (in_left + in_right) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def _pairs(labels: Sequence[object]) -> int:
    return sum(comb(count, 2) for count in Counter(labels).values())
