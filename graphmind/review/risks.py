"""Quiet risks: what did not fail, and would take much with it."""

from collections.abc import Iterable, Sequence
from typing import Final

from graphmind.review.material import Counted, KeyUse
from graphmind.review.model import Risk

POINT_SHARE: Final = 0.95
"""Share of all traces from which what they pass is a single point (chosen: nearly all)."""
POINT_TRACES_MIN: Final = 100
"""Traces below which a share tells little (chosen)."""
WRITERS_MIN: Final = 3
READERS_MIN: Final = 3
"""Agents from which a key is one that many write and read (chosen)."""
RISKS_MAX: Final = 8
"""Of each kind (chosen)."""


def risks(
    counted: Sequence[Counted], keys: Sequence[KeyUse], *, traces: float, failed: Iterable[str]
) -> tuple[Risk, ...]:
    """Return single points, then busy keys, the gravest first.

    ``failed`` names causes as ``kind name``: those are not quiet.
    """
    loud = frozenset(failed)
    points = [
        each
        for each in counted
        if traces >= POINT_TRACES_MIN
        and each.traces >= POINT_SHARE * traces
        and f"{each.kind} {each.name}" not in loud
    ]
    busy = [
        each
        for each in keys
        if each.writers >= WRITERS_MIN
        and each.readers >= READERS_MIN
        and f"kv_key {each.key}" not in loud
    ]
    points.sort(key=lambda each: (-each.traces, each.kind, each.name))
    busy.sort(key=lambda each: (-each.writers * each.readers, each.key))
    return (
        *(_point(each, traces) for each in points[:RISKS_MAX]),
        *(_busy(each) for each in busy[:RISKS_MAX]),
    )


def _point(counted: Counted, traces: float) -> Risk:
    share = min(counted.traces / traces, 1.0)
    return Risk(
        kind="single point",
        name=f"{counted.kind} {counted.name}",
        traces=round(counted.traces, 3),
        share=round(share, 6),
        writers=None,
        readers=None,
        said=f"{share:.0%} of all traces pass it",
    )


def _busy(use: KeyUse) -> Risk:
    return Risk(
        kind="busy key",
        name=f"kv_key {use.key}",
        traces=None,
        share=None,
        writers=use.writers,
        readers=use.readers,
        said=f"{use.writers} agents write it, {use.readers} read it: a bad value reaches them all",
    )
