"""The verdict on an incident: seen before, similar, or new."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from graphmind.matching.explanation import Explanation, explain
from graphmind.matching.library import Library, Ranked
from graphmind.matching.record import Case, Entry, Signature
from graphmind.telemetry.tree import Bools

SEEN, SIMILAR, NEW = "seen before", "similar", "new"

SEEN_MIN: Final = 0.80
"""Score from which an incident is seen before (measured: section 9, up to 10,000 cases)."""
SIMILAR_MIN: Final = 0.65
"""Score from which it is worth a look (measured: section 9)."""
MANY: Final = 10_000
"""Cases from which on chance resemblance is frequent: the threshold rises, more is shown."""
MATCHES_SHOWN: Final = 3
"""Matches shown unless told otherwise (chosen)."""
SHOWN_MIN: Final = 5
"""Matches shown among many cases, even if fewer are asked for (section 9)."""
CORROBORATED_MIN: Final = 0.85
METRICS_MIN, KEYWORDS_MIN = 2, 2
"""What S10 asks of a hit besides a score above 0.85, which no structure below 0.70 reaches."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """A past incident that the new one resembles."""

    incident_id: str
    verdict: str
    """SEEN, SIMILAR or NEW by its own score."""
    score: float
    structure: float
    """Similarity of the span trees, 0..1."""
    errors: float
    """Overlap of the error codes, 0..1."""
    corroborated: bool
    """A hit by S10: the score is high, and metrics, log keywords and an archived cause agree."""
    hits: int
    """How many incidents were recognised as it."""
    case: Case
    signature: Signature
    explanation: Explanation


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether an incident was seen before, and what it resembles."""

    verdict: str
    seen_min: float
    """Score from which an incident is seen before in a library of this size."""
    cases: int
    """Past incidents it was compared with."""
    matches: tuple[Match, ...]
    """Best first; ties by id."""

    @property
    def recognised_as(self) -> str | None:
        """Id of the past incident that it is; None unless it was seen before."""
        return self.matches[0].incident_id if self.verdict == SEEN else None


def recognise(
    library: Library, entry: Entry, trace_ids: Collection[str], limit: int = MATCHES_SHOWN
) -> Verdict:
    """Compare an incident with what was seen before it began, and with all that was imported.

    Never with itself: neither with a case of its id nor with one taken of its ``trace_ids``.
    """
    allowed = _allowed(library, entry)
    ranked = library.rank(entry.fingerprint, allowed=allowed)
    own = frozenset(trace_ids)
    apart = [own.isdisjoint(library.cases[row].traces) for row in ranked.rows.tolist()]
    seen_min = seen_from(len(library))
    shown = max(limit, SHOWN_MIN) if len(library) > MANY else limit
    places = np.flatnonzero(apart)[:shown].tolist()
    matches = tuple(_match(library, entry, ranked, place, seen_min) for place in places)
    return Verdict(
        verdict=matches[0].verdict if matches else NEW,
        seen_min=seen_min,
        cases=int(allowed.sum()),
        matches=matches,
    )


def seen_from(cases: int) -> float:
    """Return the score from which an incident is seen before in a library of so many cases."""
    return SEEN_MIN + SEEN_RISE * max(0.0, float(np.log10(max(cases, 1) / MANY)))


SEEN_RISE: Final = 0.05
"""How much the threshold rises when the library grows tenfold.

Measured (``benchmarks matching``): at 100,000 cases 0.80 has 3.9 % false and finds 84 %, 0.84 has
1.6 % and finds 78 %, 0.86 has 0.9 % and finds 74 %.
"""


def _allowed(library: Library, entry: Entry) -> Bools:
    allowed: Bools = library.imported | (library.seen_ms < entry.case.seen_ms)
    row = library.row_of.get(entry.case.incident_id)
    if row is not None:
        allowed[row] = False
    return allowed


def _match(library: Library, entry: Entry, ranked: Ranked, place: int, seen_min: float) -> Match:
    row, score = int(ranked.rows[place]), float(ranked.scores[place])
    case = library.cases[row]
    explanation = explain(library, row, entry.fingerprint)
    return Match(
        incident_id=case.incident_id,
        verdict=SEEN if score >= seen_min else SIMILAR if score >= SIMILAR_MIN else NEW,
        score=round(score, 4),
        structure=round(float(ranked.structure[place]), 4),
        errors=round(float(ranked.errors[place]), 4),
        corroborated=(
            score > CORROBORATED_MIN
            and len(explanation.metrics.shared) >= METRICS_MIN
            and len(explanation.log_keywords.shared) >= KEYWORDS_MIN
            and case.root_cause is not None
        ),
        hits=library.hits[case.incident_id],
        case=case,
        signature=library.signatures[row],
        explanation=explanation,
    )
