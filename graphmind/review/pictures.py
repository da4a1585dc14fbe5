"""The pictures of a review, as SVG inside its page: colours are those of the style."""

from collections.abc import Mapping, Sequence
from typing import Final

from graphmind.review.markup import Markup, tag, together
from graphmind.review.model import Day, Group, Rank
from graphmind.review.wording import count, percent, shift

CELL, GAP, ROW = 22, 2, 22
LEFT, RIGHT = 92, 190
MEMBER_H: Final = 5
BLOCK_MIN: Final = 30
"""Room for the two lines beside a block."""
BLOCK_GAP: Final = 14
FLOW_LEFT, FLOW_RIGHT, BLOCK_W, FLOW_W = 250, 560, 10, 820
BAR_W, BAR_H, COUNT_W = 180, 14, 140


def failure_strip(days: Sequence[Day]) -> Markup:
    """Draw hours by days, the stronger the more fails, with each day's sums."""
    darkest = max((share for day in days for share in day.hours if share), default=0.0)
    rows = [_strip_row(number, day, darkest) for number, day in enumerate(days)]
    hours = [
        tag("text", f"{hour:02}", x=LEFT + hour * (CELL + GAP), y=12, class_="faint")
        for hour in range(0, 24, 3)
    ]
    told = (
        f"strongest: {percent(darkest)} of an hour's traces fail" if darkest else "nothing failed"
    )
    width, height = LEFT + 24 * (CELL + GAP) + RIGHT, 18 + len(days) * (ROW + GAP) + 20
    legend = tag("text", f"{told}; outlined: no traffic", x=LEFT, y=height - 4, class_="faint")
    label = "Share of traces that failed, by day and hour"
    return _svg(width, height, label, [*hours, *rows, legend])


def _strip_row(number: int, day: Day, darkest: float) -> Markup:
    top = 18 + number * (ROW + GAP)
    cells = [
        _strip_cell(LEFT + hour * (CELL + GAP), top, share, darkest)
        for hour, share in enumerate(day.hours)
    ]
    right = LEFT + 24 * (CELL + GAP) + RIGHT
    failing = f"{count(day.failing)} of {count(day.traces)} failed" if day.traces else "no traces"
    return tag(
        "g",
        tag("text", day.day, x=0, y=top + 15),
        together(cells),
        tag("text", failing, x=right, y=top + 15, class_="end"),
    )


def _strip_cell(x: int, y: int, share: float | None, darkest: float) -> Markup:
    size = {"x": x, "y": y, "width": CELL, "height": ROW, "rx": 2}
    if share is None:
        return tag("rect", class_="none", **size)
    if not share:
        return tag("rect", tag("title", percent(share)), class_="calm", **size)
    # A root: the eye tells small shares apart better than large ones.
    strength = 0.15 + 0.85 * (share / darkest) ** 0.5
    return tag("rect", tag("title", percent(share)), class_="fails", fill_opacity=strength, **size)


def days_bars(days: Sequence[int]) -> Markup:
    """Draw seven bars, Monday first."""
    most = max(*days, 1)
    bars = [
        tag(
            "rect",
            x=number * 10,
            y=float(16 - max(14 * value / most, 1.0)),
            width=8,
            height=float(max(14 * value / most, 1.0)),
            class_="fails" if value else "calm",
        )
        for number, value in enumerate(days)
    ]
    told = "Failing traces from Monday to Sunday: " + ", ".join(map(str, days))
    return _svg(70, 16, told, bars)


def league_bar(rank: Rank, most: float) -> Markup:
    """Draw a share with its interval, and a tick where it stood the week before."""
    scale = BAR_W / most if most else 0.0
    middle = BAR_H / 2
    parts = [
        tag("rect", x=0, y=3, width=BAR_W, height=BAR_H - 6, class_="calm"),
        tag("rect", x=0, y=3, width=rank.share * scale, height=BAR_H - 6, class_="fails"),
        tag(
            "line",
            x1=rank.low * scale,
            x2=rank.high * scale,
            y1=middle,
            y2=middle,
            class_="whisker",
        ),
    ]
    if rank.share_before is not None:
        at = rank.share_before * scale
        parts.append(tag("line", x1=at, x2=at, y1=0, y2=BAR_H, class_="before"))
    told = f"{percent(rank.share)}, between {percent(rank.low)} and {percent(rank.high)}"
    return _svg(BAR_W, BAR_H, told, parts)


def count_bar(value: float, before: float | None, most: float) -> Markup:
    """Draw a count beside others of its column, and a tick where it stood the week before."""
    scale = COUNT_W / max(most, before or 0.0, 1.0)
    parts = [tag("rect", x=0, y=3, width=value * scale, height=BAR_H - 6, class_="fails")]
    if before is not None:
        at = min(before * scale, COUNT_W)
        parts.append(tag("line", x1=at, x2=at, y1=0, y2=BAR_H, class_="before"))
    told = f"{count(value)} failing" + ("" if before is None else f", {count(before)} before")
    return _svg(COUNT_W, BAR_H, told, parts)


def shift_bar(log_ratio: float, most: float) -> Markup:
    """Draw a ratio, given as its ln, from the middle: slower to the right, faster to the left."""
    middle = COUNT_W / 2
    length = middle * abs(log_ratio) / most if most else 0.0
    slower = log_ratio > 0
    parts = [
        tag(
            "rect",
            x=middle if slower else middle - length,
            y=3,
            width=length,
            height=BAR_H - 6,
            class_="fails" if slower else "block",
        ),
        tag("line", x1=middle, x2=middle, y1=0, y2=BAR_H, class_="whisker"),
    ]
    return _svg(COUNT_W, BAR_H, f"{shift(log_ratio)} against the week before", parts)


def community_flow(groups: Sequence[Group], week_before: str, week: str) -> Markup:
    """Draw the communities of two weeks beside each other, and where their members went."""
    before = {
        each.group_id: frozenset(each.members) - frozenset(each.joined) | frozenset(each.left)
        for each in groups
        if each.standing != "new"
    }
    after = {each.group_id: frozenset(each.members) for each in groups if each.members}
    names = {each.group_id: each for each in groups}
    left, left_end = _blocks(before)
    right, right_end = _blocks(after)
    parts = [
        tag("text", week_before, x=FLOW_LEFT, y=12, class_="end strong"),
        tag("text", week, x=FLOW_RIGHT + BLOCK_W, y=12, class_="strong"),
        *_ribbons(before, after, left, right),
        *(
            _block(FLOW_LEFT, top, len(before[key]), names[key], old=True)
            for key, top in left.items()
        ),
        *(
            _block(FLOW_RIGHT, top, len(after[key]), names[key], old=False)
            for key, top in right.items()
        ),
    ]
    label = f"Communities of {week_before} and of {week}, joined by the members they share"
    return _svg(FLOW_W, max(left_end, right_end, 40), label, parts)


def _blocks(groups: Mapping[str, frozenset[str]]) -> tuple[dict[str, int], int]:
    """Return where each block begins, and where the last ends."""
    tops, at = {}, 22
    for key, members in groups.items():
        tops[key] = at
        at += max(len(members) * MEMBER_H, BLOCK_MIN) + BLOCK_GAP
    return tops, at


def _block(x: int, top: int, members: int, group: Group, *, old: bool) -> Markup:
    failing = group.failing_before if old else group.failing
    beside: dict[str, str | float | None] = (
        {"class_": "end", "x": x - 8} if old else {"x": x + BLOCK_W + 8}
    )
    below: dict[str, str | float | None] = {**beside, "class_": "end faint" if old else "faint"}
    standing = "" if old or group.standing in ("same", "changed") else f", {group.standing}"
    if old and group.standing == "gone":
        standing = ", gone since"
    kind = "new" if not old and group.standing == "new" else "block"
    return tag(
        "g",
        tag(
            "rect",
            tag("title", group.name),
            x=x,
            y=top,
            width=BLOCK_W,
            height=members * MEMBER_H,
            rx=2,
            class_=kind,
        ),
        tag("text", _short(group.name), y=top + 11, **beside),
        tag("text", f"{members} parts, {failing:,} traces{standing}", y=top + 25, **below),
    )


def _ribbons(
    before: Mapping[str, frozenset[str]],
    after: Mapping[str, frozenset[str]],
    left: Mapping[str, int],
    right: Mapping[str, int],
) -> list[Markup]:
    used_left, used_right = dict.fromkeys(before, 0), dict.fromkeys(after, 0)
    ribbons = []
    for old, members in before.items():
        for new, others in after.items():
            shared = len(members & others)
            if not shared:
                continue
            y1 = left[old] + used_left[old] * MEMBER_H
            y2 = right[new] + used_right[new] * MEMBER_H
            used_left[old] += shared
            used_right[new] += shared
            ribbons.append(_ribbon(y1, y2, shared * MEMBER_H, stays=old == new))
    return ribbons


def _ribbon(y1: int, y2: int, height: int, *, stays: bool) -> Markup:
    x1, x2 = FLOW_LEFT + BLOCK_W, FLOW_RIGHT
    middle = (x1 + x2) // 2
    path = (
        f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}V{y2 + height}"
        f"C{middle} {y2 + height} {middle} {y1 + height} {x1} {y1 + height}Z"
    )
    return tag("path", d=path, class_="stays" if stays else "moves")


def _short(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:29]}…"


def _svg(width: int, height: int, label: str, parts: Sequence[Markup]) -> Markup:
    size: dict[str, str | float | None] = {
        "width": width,
        "height": height,
        "viewBox": f"0 0 {width} {height}",
    }
    return tag("svg", together(list(parts)), role="img", aria_label=label, **size)
