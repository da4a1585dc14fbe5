"""The review as Markdown, for a chat or a repository."""

import re
from collections.abc import Sequence
from typing import Final

from graphmind.review import wording as w
from graphmind.review.model import CauseOfWeek, DiscussionQuestion, Review

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#&~])")


def markdown(review: Review) -> str:
    """Return it; names are escaped, so that none is read as markup."""
    parts = [
        f"# Incident review, week {review.week}",
        f"{w.date(review.since_ms)} to {w.date(review.until_ms - 1)}, UTC"
        + ("" if review.complete else "; the week is not over yet"),
        text(review.headline),
        "## Questions to discuss\n\n" + _questions(review.questions),
        "## New causes\n\n" + _causes(review.new),
        "## Recurring causes\n\n" + _causes(review.recurring),
        "## Resolved causes\n\n" + _causes(review.resolved),
        "## What fails together\n\n" + _topology(review),
        "## Where traces went wrong\n\n" + _faults(review),
        "## Frequent failing paths\n\n" + _paths(review),
        "## Versions and regions\n\n" + _league(review),
        "## Versions to leave\n\n" + _advices(review),
        "## Drift of agents\n\n" + _drifts(review),
        "## Repairs\n\n" + _repairs(review),
        "## Quiet risks\n\n" + _risks(review),
    ]
    return "\n\n".join(parts) + "\n"


def text(value: str) -> str:
    """Escape what Markdown or HTML would read, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(value.split()))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "None."
    lines = [columns, ["---"] * len(columns), *([text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _questions(questions: Sequence[DiscussionQuestion]) -> str:
    lines = [
        f"{number}. {text(each.text)} "
        + ", ".join(f"[{text(one.label)}]({one.href})" for one in each.evidence)
        for number, each in enumerate(questions, 1)
    ]
    return "\n".join(lines) or "None."


def _causes(causes: Sequence[CauseOfWeek]) -> str:
    columns = ("cause", "symptom", "failing", "before", "sure", "weeks", "repair", "incidents", "")
    rows = [
        (
            each.cause,
            w.words(each.symptom),
            w.count(each.failing),
            w.count(each.failing_before),
            w.percent(each.confidence),
            w.weeks(each),
            each.repair or "none",
            ", ".join(each.incident_ids),
            each.said,
        )
        for each in causes
    ]
    return _table(columns, rows)


def _topology(review: Review) -> str:
    rows = [
        (
            each.name,
            each.standing,
            w.count(each.failing),
            w.change(each.failing, each.failing_before),
            w.some(each.members),
            w.some(each.joined),
            w.some(each.left),
        )
        for each in review.topology
    ]
    columns = ("community", "standing", "failing", "change", "members", "joined", "left")
    return _table(columns, rows)


def _faults(review: Review) -> str:
    rows = [
        (
            each.path or "not located",
            each.outcome,
            w.count(each.failing),
            w.count(each.failing_before),
        )
        for each in review.faults
    ]
    return _table(("path", "outcome", "failing", "before"), rows)


def _paths(review: Review) -> str:
    rows = [
        (
            w.path(each.path),
            w.count(each.failing),
            w.count(each.failing_before),
            w.percent(each.failing / (each.failing + each.passed)),
            w.times(each.lift),
        )
        for each in review.paths
    ]
    return _table(("path", "failing", "before", "share that fails", "times the usual"), rows)


def _advices(review: Review) -> str:
    rows = [
        (each.model, each.leave, each.go_to or "none is better", each.why)
        for each in review.advices
    ]
    return _table(("model", "leave", "go back to", "why"), rows)


def _drifts(review: Review) -> str:
    rows = [
        (
            each.agent,
            w.milliseconds(each.was_mean_ms),
            w.milliseconds(each.mean_ms),
            w.shift(each.response_shift),
            w.bits(each.branch_shift),
            "-" if each.since_ms is None else w.moment(each.since_ms),
        )
        for each in review.drifts
    ]
    return _table(("agent", "before", "now", "shift", "other ways", "since"), rows)


def _league(review: Review) -> str:
    rows = [
        (
            w.words(each.kind),
            each.name,
            w.count(each.traces),
            w.percent(each.share),
            w.interval(each),
            w.percent(each.share_before),
            each.trend,
        )
        for each in review.league
    ]
    columns = ("kind", "name", "traces", "failing share", "95 % interval", "before", "trend")
    return _table(columns, rows)


def _repairs(review: Review) -> str:
    rows = [
        (
            w.moment(each.requested_ms),
            each.incident_id,
            each.cause,
            each.strategy,
            each.verdict or w.words(each.state),
            w.seconds(each.saved_s),
            each.why,
        )
        for each in review.repairs
    ]
    columns = ("asked for", "incident", "cause", "strategy", "verdict", "saved", "estimate")
    return _table(columns, rows)


def _risks(review: Review) -> str:
    return _table(
        ("risk", "what", "why"), [(each.kind, each.name, each.said) for each in review.risks]
    )
