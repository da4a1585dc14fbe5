"""The review as one HTML page that loads nothing: its style is inside, its pictures are SVG."""

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from graphmind.review import wording as w
from graphmind.review.markup import Markup, tag, together
from graphmind.review.model import DiscussionQuestion, EvidenceLink, Review
from graphmind.review.sections import (
    causes,
    days,
    league,
    repairs,
    risks,
    topology,
)
from graphmind.review.trend_sections import advices, drifts, faults, paths

TITLES: Final = (
    ("new", "New causes", "Never seen before, as far back as incidents are kept."),
    ("recurring", "Recurring causes", "Seen in an earlier week, and in this one again."),
    ("resolved", "Resolved causes", "Seen in the week before, and not in this one."),
)


def page(review: Review) -> str:
    """Return the page; the same review gives the same bytes."""
    body = tag(
        "body",
        _head(review),
        _section("Questions to discuss", _questions(review.questions)),
        _section("Failures by day", days(review.days)),
        *(
            _section(title, tag("p", note, class_="note"), causes(getattr(review, name), name))
            for name, title, note in TITLES
        ),
        _section("What fails together", topology(review)),
        _section("Where traces went wrong", faults(review.faults)),
        _section("Frequent failing paths", paths(review.paths)),
        _section("Versions and regions", league(review.league)),
        _section("Versions to leave", advices(review.advices)),
        _section("Drift of agents", drifts(review)),
        _section("Repairs", repairs(review)),
        _section("Quiet risks", risks(review.risks)),
        _foot(review),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=content_policy()),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"graphmind review {review.week}"),
        tag("style", _style()),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def content_policy() -> str:
    """Return the Content-Security-Policy of the page: its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _style() -> Markup:
    return Markup(files("graphmind.review").joinpath("page.css").read_text("utf-8"))


def _section(title: str, *children: Markup) -> Markup:
    return tag("section", tag("h2", title), *children)


def _head(review: Review) -> Markup:
    last = w.date(review.until_ms - 1)
    state = "" if review.complete else " · the week is not over yet"
    return tag(
        "header",
        tag("h1", f"Incident review, week {review.week}"),
        tag("div", f"{w.date(review.since_ms)} to {last}, UTC{state}", class_="dim"),
        tag("p", review.headline, class_="lead"),
        _facts(review),
    )


def _facts(review: Review) -> Markup:
    share = review.failing / review.traces if review.traces else None
    before = review.failing_before / review.traces_before if review.traces_before else None
    facts = (
        ("traces", w.count(review.traces), f"before {w.count(review.traces_before)}"),
        ("failing", w.percent(share), f"before {w.percent(before)}"),
        ("new causes", str(len(review.new)), ""),
        ("recurring", str(len(review.recurring)), ""),
        ("resolved", str(len(review.resolved)), ""),
        ("time saved by repairs", w.seconds(review.saved_s), ""),
    )
    cells = [
        tag("div", tag("dt", name), tag("dd", value, " ", tag("small", more)))
        for name, value, more in facts
    ]
    return tag("dl", together(cells), class_="facts")


def _questions(questions: Sequence[DiscussionQuestion]) -> Markup:
    if not questions:
        return tag("p", "Nothing in this week asks for a decision.", class_="dim")
    return tag("ol", together([_question(each) for each in questions]))


def _question(question: DiscussionQuestion) -> Markup:
    where = [_evidence(each) for each in question.evidence]
    return tag("li", question.text, tag("div", together(where), class_="where"))


def _evidence(evidence: EvidenceLink) -> Markup:
    asked = f"{evidence.cypher.strip()}\n\n:params {json.dumps(evidence.parameters)}"
    return together(
        [
            tag("a", evidence.label, href=evidence.href),
            tag("a", "API", href=evidence.api),
            tag("details", tag("summary", f"Cypher: {evidence.question}"), tag("pre", asked)),
        ]
    )


def _foot(review: Review) -> Markup:
    since = review.known_since_ms
    known = "no incident is kept" if since is None else f"incidents are kept from {w.date(since)}"
    return tag(
        "footer",
        tag(
            "p",
            f"A cause is the same again when it is of the same kind and family of names; {known}. "
            "Counts are of traces, as their weights estimate them. Links lead to the console that "
            "served this page.",
            class_="note",
        ),
    )
