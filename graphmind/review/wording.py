"""How values are written, in the page and in Markdown alike."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from graphmind.review.model import CauseOfWeek, Rank

NAMES_MAX: Final = 6
"""Names that a cell of Markdown holds (chosen)."""


def count(value: float | None) -> str:
    """Write a number of traces."""
    return "-" if value is None else f"{value:,.0f}"


def percent(value: float | None) -> str:
    """Write a share."""
    return "-" if value is None else f"{value:.1%}".replace("%", " %")


def moment(at_ms: int) -> str:
    """Write a time of a week."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%a %d %b %H:%M")


def date(at_ms: int) -> str:
    """Write a day."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def seconds(value: float | None) -> str:
    """Write a length of time in its two largest units."""
    if value is None:
        return "-"
    total = round(value)
    for unit, size, smaller, part in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60)):
        if total >= size:
            return f"{total // size} {unit} {total % size // part} {smaller}"
    return f"{total // 60} min {total % 60} s" if total >= 60 else f"{total} s"


def milliseconds(value: float) -> str:
    """Write a short time, with a decimal below ten."""
    if value >= 10_000:
        return seconds(value / 1000)
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def shift(log_ratio: float) -> str:
    """Write a ratio, given as its ln, as what came on top."""
    return f"{math.expm1(log_ratio) * 100:+,.0f} %"


def bits(value: float) -> str:
    """Write a divergence."""
    return f"{value:.2f} bits"


def times(ratio: float) -> str:
    """Write how many times as much something is."""
    return f"{ratio:,.1f}"


def path(modules: Sequence[str]) -> str:
    """Write a way through modules."""
    return " > ".join(modules) or "not located"


def some(names: Sequence[str]) -> str:
    """Write the first of many names, and how many more there are."""
    more = len(names) - NAMES_MAX
    shown = ", ".join(names[:NAMES_MAX])
    return f"{shown} and {more} more" if more > 0 else shown


def words(name: str) -> str:
    """Write a name of the code as words."""
    return name.replace("_", " ")


def change(now: float, before: float) -> str:
    """Write how a count differs from that of the week before."""
    difference = round(now) - round(before)
    return f"{difference:+,}" if difference else "="


def interval(rank: Rank) -> str:
    """Write the limits of a share."""
    return f"{rank.low * 100:.1f}-{rank.high * 100:.1f} %"


def weeks(cause: CauseOfWeek) -> str:
    """Write in which weeks a cause was seen: all of few, the first and the last of many."""
    if len(cause.weeks) <= 3:
        return ", ".join(cause.weeks)
    return f"{cause.weeks[0]} ... {cause.weeks[-1]} ({len(cause.weeks)})"
