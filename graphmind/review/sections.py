"""The sections of the page: tables and their pictures."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from graphmind.review import pictures
from graphmind.review import wording as w
from graphmind.review.league import KINDS
from graphmind.review.markup import Markup, tag, together
from graphmind.review.model import CauseOfWeek, Day, Group, Rank, Review, Risk
from graphmind.review.week import Week

Column = tuple[str, str]
"""Heading, and the class of its cells."""
TRENDS: Final = {"worse": "bad", "better": "ok"}
VERDICTS: Final = {"effective": "ok", "ineffective": "bad", "harmful": "bad"}


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Markup:
    """Return a table; cells that are no markup are text."""
    head = [tag("th", name, scope="col", class_=kind or None) for name, kind in columns]
    body = [
        tag(
            "tr",
            together(
                [
                    tag("td", cell, class_=kind or None)
                    for cell, (_, kind) in zip(row, columns, strict=True)
                ]
            ),
        )
        for row in rows
    ]
    whole = tag(
        "table",
        tag("thead", tag("tr", together(head))),
        tag("tbody", together(body)),
        aria_label=caption,
    )
    # On a narrow screen the table scrolls, not the page; keys reach it.
    return tag("div", whole, class_="wide", tabindex=0, role="region", aria_label=caption)


def nothing(said: str) -> Markup:
    """Say that a section was looked for and is empty."""
    return tag("p", said, class_="dim")


def incident_link(incident_id: str) -> Markup:
    """Link to an incident in the console."""
    return tag("a", incident_id, href=f"/incidents/{quote(incident_id, safe='')}")


def days(found: Sequence[Day]) -> Markup:
    """Draw the strip of failures."""
    return tag("figure", pictures.failure_strip(found))


def causes(found: Sequence[CauseOfWeek], standing: str) -> Markup:
    """List the causes of one standing."""
    if not found:
        return nothing(f"No cause is {standing} in this week.")
    columns = (
        *(("cause", ""), ("incidents", ""), ("Mon-Sun", "fix"), ("failing", "num")),
        *(("before", "num"), ("sure", "num"), ("weeks", ""), ("repair", "")),
    )
    rows = [
        (
            tag("span", tag("b", each.cause), tag("div", _symptom(each), class_="note")),
            together([incident_link(name) for name in each.incident_ids[:3]], ", "),
            pictures.days_bars(each.days),
            w.count(each.failing),
            w.count(each.failing_before),
            w.percent(each.confidence),
            w.weeks(each),
            tag("span", each.repair or "none", class_=VERDICTS.get(each.repair, "dim")),
        )
        for each in found
    ]
    return table(f"{standing} causes", columns, rows)


def _symptom(cause: CauseOfWeek) -> str:
    return f"{w.words(cause.symptom)}; {cause.said}"


def topology(review: Review) -> Markup:
    """Draw the communities of two weeks, and list how they changed."""
    if not review.topology:
        return nothing("Nothing failed together in this week or the one before.")
    before = Week.parse(review.week).before.name
    rows = [
        (
            tag("b", each.name),
            each.standing,
            w.count(each.failing),
            w.change(each.failing, each.failing_before),
            _parts(each),
        )
        for each in review.topology
    ]
    columns = (
        *(("community", ""), ("standing", "fix"), ("failing", "num"), ("change", "num")),
        ("parts", ""),
    )
    note = "Parts that failing traces touch together more often than by chance. Height: parts."
    return together(
        [
            tag("p", note, class_="note"),
            tag("figure", pictures.community_flow(review.topology, before, review.week)),
            table("communities", columns, rows),
        ]
    )


def _parts(group: Group) -> Markup:
    """Count what belongs to a community and what changed; names are a click away."""
    lists = (("members", group.members), ("joined", group.joined), ("left", group.left))
    told = [f"{len(names)} {word}" for word, names in lists if names]
    names = [tag("div", tag("b", word), ": ", ", ".join(of)) for word, of in lists if of]
    return tag("details", tag("summary", ", ".join(told)), together(names))


def league(found: Sequence[Rank]) -> Markup:
    """List versions, then regions, with their bars on one scale."""
    if not found:
        return nothing("No trace names a model version or a region.")
    most = max(each.high for each in found)
    columns = (
        *(("name", ""), ("traces", "num"), ("failing", "num"), ("share", "num")),
        *(("95 % interval", "num"), ("", "fix"), ("before", "num"), ("trend", "fix")),
    )
    note = f"Bars end at {w.percent(most)}; line: 95 % interval; tick: the week before."
    tables = [
        together(
            [
                tag("h3", f"{w.words(kind)}s"),
                table(kind, columns, [_rank(each, most) for each in found if each.kind == kind]),
            ]
        )
        for kind in KINDS
        if any(each.kind == kind for each in found)
    ]
    return together([tag("p", note, class_="note"), *tables])


def _rank(rank: Rank, most: float) -> tuple[str, ...]:
    return (
        rank.name,
        w.count(rank.traces),
        w.count(rank.failing),
        w.percent(rank.share),
        w.interval(rank),
        pictures.league_bar(rank, most),
        w.percent(rank.share_before),
        tag("span", rank.trend, class_=TRENDS.get(rank.trend, "dim")),
    )


def repairs(review: Review) -> Markup:
    """List the repairs with their verdicts, and explain the time saved."""
    if not review.repairs:
        return nothing("No repair was asked for in this week.")
    columns = (
        *(("asked for", "fix"), ("incident", ""), ("strategy", ""), ("by", "fix")),
        *(("verdict", "fix"), ("to verdict", "num"), ("saved", "num"), ("estimate", "")),
    )
    rows = [
        (
            w.moment(each.requested_ms),
            together([incident_link(each.incident_id), tag("div", each.cause, class_="note")]),
            each.strategy,
            each.operator,
            tag(
                "span",
                each.verdict or w.words(each.state),
                class_=VERDICTS.get(each.verdict, "dim"),
            ),
            w.seconds(each.effect_s),
            w.seconds(each.saved_s),
            tag("span", each.why, class_="note"),
        )
        for each in review.repairs
    ]
    note = (
        "Time saved: how long incidents without an effective repair last in the median, less how "
        "long this one did. An estimate: incidents differ in more than their repair."
    )
    return together([tag("p", note, class_="note"), table("repairs", columns, rows)])


def risks(found: Sequence[Risk]) -> Markup:
    """List what did not fail, and would take much with it."""
    if not found:
        return nothing("No single point and no busy key was found.")
    columns = (("risk", "fix"), ("what", ""), ("why", ""))
    rows = [(each.kind, each.name, each.said) for each in found]
    return table("quiet risks", columns, rows)
