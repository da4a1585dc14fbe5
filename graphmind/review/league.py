"""How versions and regions fare beside each other."""

from collections.abc import Mapping, Sequence
from typing import Final

from graphmind.analysis.evidence import wilson_interval
from graphmind.review.material import Counted
from graphmind.review.model import Rank

KINDS: Final = ("model_version", "region")
RANKS_MAX: Final = 12
"""Rows of a kind (chosen: what fits beside each other on a page)."""


def league(counted: Sequence[Counted], before: Sequence[Counted]) -> tuple[Rank, ...]:
    """Rank what carries traffic by the least share that surely fails, the worst of a kind first."""
    past = {(each.kind, each.name): each for each in before}
    ranks: list[Rank] = []
    for kind in KINDS:
        own = [_rank(each, past) for each in counted if each.kind == kind and each.traces > 0]
        ranks += sorted(own, key=lambda rank: (-rank.low, -rank.share, rank.name))[:RANKS_MAX]
    return tuple(ranks)


def interval(counted: Counted) -> tuple[float, float, float]:
    """Return the failing share with the limits of its 95 % interval.

    The interval is of the traces archived: a sample tells no more than its size.
    """
    share = min(max(counted.failing / counted.traces, 0.0), 1.0)
    kept = max(counted.kept, 1)
    low, high = wilson_interval(share * kept, kept)
    return share, min(low, share), max(high, share)


def _rank(counted: Counted, past: Mapping[tuple[str, str], Counted]) -> Rank:
    share, low, high = interval(counted)
    earlier = past.get((counted.kind, counted.name))
    told = interval(earlier) if earlier and earlier.traces > 0 else None
    trend = "new" if told is None else "same"
    if told is not None and low > told[2]:
        trend = "worse"
    if told is not None and high < told[1]:
        trend = "better"
    return Rank(
        kind=counted.kind,
        name=counted.name,
        traces=round(counted.traces, 3),
        failing=round(counted.failing, 3),
        share=round(share, 6),
        low=round(low, 6),
        high=round(high, 6),
        share_before=round(told[0], 6) if told else None,
        trend=trend,
    )
