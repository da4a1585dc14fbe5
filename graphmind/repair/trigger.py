"""From an incident to the strategies that answer it, best first, with reasons (S07). Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphmind.repair.command import LEVELS_OF_CAUSE
from graphmind.repair.strategies.strategy import (
    SEVERITIES,
    Condition,
    Severity,
    Strategy,
    Threshold,
)
from graphmind.repair.track_record import NO_RECORD, Record, Records

SEVERITY_OF: Final[Mapping[str, Severity]] = {
    "minor": "info",
    "major": "warn",
    "critical": "critical",
}
"""The words of a strategy for those of an incident."""
CODE_SHARE_MIN: Final = 0.2
"""Share of the traces from which an error code counts: as for a fingerprint (chosen)."""
NO_MATCH: Final = "no automatic repair"


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What conditions look at."""

    items: tuple[tuple[str, str], ...]
    """Kind and name of each item of the first cause."""
    cause_level: str
    """The level at which something can be done about it."""
    cause_class: str
    """The classifier's verdict; empty where it has none."""
    module: str
    symptom: str
    level: Severity
    codes: frozenset[str]
    metrics: Mapping[str, float]
    """Durations in ms, shares 0..1; ``latency`` is the P95 of the failing traces."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Whether a condition holds, and why."""

    holds: bool
    specificity: int
    """Tests that held: one of the cause counts 2, with a pattern of its name 3, with the name 4."""
    reasons: tuple[str, ...]
    """What held; where the condition does not hold, what did not."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """A strategy that answers the incident."""

    strategy: Strategy
    at_cause: bool
    """It acts at the level of what the cause names, not above or below."""
    specificity: int
    record: Record
    """Against what looks the same."""
    elsewhere: Record
    """Against anything."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Miss:
    """A strategy that does not, and why."""

    strategy: Strategy
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the trigger says of an incident."""

    matches: tuple[Match, ...]
    """Best first."""
    others: tuple[Miss, ...]
    """By id."""
    summary: str
    """One line; begins with NO_MATCH where nothing matches."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What was looked at, JSON-ready."""


def signs_of(
    incident: Mapping[str, Any], *, metrics: Mapping[str, float], cause_class: str = ""
) -> Signs:
    """Read an incident document."""
    causes = incident["causes"]
    items = tuple((i["kind"], i["name"]) for i in causes[0]["all_of"]) if causes else ()
    kinds = {kind for kind, _ in items}
    codes: Mapping[str, int] = incident["error_codes"]
    total = len(incident["trace_ids"])
    return Signs(
        items=items,
        cause_level=next((each for kind, each in LEVELS_OF_CAUSE.items() if kind in kinds), ""),
        cause_class=cause_class,
        module=incident["root_module"] or "",
        symptom=incident["symptom"],
        level=SEVERITY_OF.get(incident["severity"], "warn"),
        codes=frozenset(c for c, traces in codes.items() if traces >= CODE_SHARE_MIN * total),
        metrics=metrics,
    )


def choose(
    signs: Signs, strategies: Iterable[Strategy], records: Records, *, fingerprint: str = ""
) -> Choice:
    """Return the strategies whose condition holds, ranked, and why the others' does not.

    Ranked by level (at the level of the cause first, then the most serious), by the specificity of
    the condition, by the record against what looks the same, by the record at all, and by id.
    """
    matches: list[Match] = []
    others: list[Miss] = []
    for strategy in sorted(strategies, key=lambda each: each.key):
        answer = ask(strategy.condition, signs)
        if answer.holds:
            matches.append(_match(strategy, answer, signs, records, fingerprint))
        else:
            others.append(Miss(strategy=strategy, reasons=answer.reasons))
    ranked = sorted(matches, key=_rank)
    return Choice(
        matches=tuple(ranked),
        others=tuple(others),
        summary=_summary(ranked, signs, len(others)),
        evidence=_evidence(signs),
    )


def ask(condition: Condition, signs: Signs) -> Answer:
    """Say whether a condition holds, how specific it is there, and why."""
    answers = [*_tests(condition, signs), *(ask(each, signs) for each in condition.all_of)]
    if condition.any_of:
        answers.append(_any(condition.any_of, signs))
    failed = [answer for answer in answers if not answer.holds]
    if failed:
        reasons = tuple(reason for answer in failed for reason in answer.reasons)
        return Answer(holds=False, specificity=0, reasons=reasons)
    return Answer(
        holds=True,
        specificity=sum(answer.specificity for answer in answers),
        reasons=tuple(reason for answer in answers for reason in answer.reasons),
    )


def _any(branches: Sequence[Condition], signs: Signs) -> Answer:
    """Take the most specific branch that holds; where none does, what each lacks."""
    answers = [ask(each, signs) for each in branches]
    held = [answer for answer in answers if answer.holds]
    if held:
        return max(held, key=lambda answer: answer.specificity)
    reasons = tuple(reason for answer in answers for reason in answer.reasons)
    return Answer(holds=False, specificity=0, reasons=reasons)


def _tests(condition: Condition, signs: Signs) -> Iterator[Answer]:
    if condition.root_cause:
        yield _cause(condition.root_cause, signs)
    fields = (
        ("class of the cause", condition.cause_class, (signs.cause_class,)),
        ("module", condition.module, (signs.module,)),
        ("error code", condition.error_code, tuple(sorted(signs.codes))),
        ("symptom", condition.symptom, (signs.symptom,)),
    )
    for name, wanted, found in fields:
        if wanted:
            yield _named(name, wanted, [each for each in found if each])
    if condition.level:
        yield _severe(condition.level, signs.level)
    for threshold in condition.metrics:
        yield _measured(threshold, signs.metrics)


def _cause(wanted: Sequence[str], signs: Signs) -> Answer:
    held = [
        (weight, f"the cause is {kind} {name}")
        for each in wanted
        for kind, name in signs.items
        if (weight := _weight(each, kind, name))
    ]
    if held:
        weight, reason = max(held, key=lambda each: each[0])
        return Answer(holds=True, specificity=weight, reasons=(reason,))
    found = " + ".join(f"{kind} {name}" for kind, name in signs.items) or "not known"
    return _refused(f"the cause is {found}, not {' or '.join(wanted)}")


def _weight(wanted: str, kind: str, name: str) -> int:
    wanted_kind, named, pattern = wanted.partition(":")
    if wanted_kind != kind:
        return 0
    if not named:
        return 2
    if not _fits(pattern, name):
        return 0
    return 3 if "*" in pattern else 4


def _named(field_name: str, wanted: Sequence[str], found: Sequence[str]) -> Answer:
    held = [each for each in found if any(_fits(pattern, each) for pattern in wanted)]
    if held:
        return Answer(holds=True, specificity=1, reasons=(f"{field_name} {held[0]}",))
    came = ", ".join(found) or "not known"
    return _refused(f"{field_name} is {came}, not {' or '.join(wanted)}")


def _severe(wanted: Severity, found: Severity) -> Answer:
    if SEVERITIES.index(found) >= SEVERITIES.index(wanted):
        return Answer(holds=True, specificity=1, reasons=(f"severity {found}",))
    return _refused(f"severity is {found}, below {wanted}")


def _measured(threshold: Threshold, metrics: Mapping[str, float]) -> Answer:
    value = metrics.get(threshold.metric)
    if value is None:
        return _refused(f"{threshold.metric} is not measured, and {threshold.written} is needed")
    if threshold.holds(value):
        reason = f"{threshold.metric} is {value:g}: {threshold.written}"
        return Answer(holds=True, specificity=1, reasons=(reason,))
    return _refused(f"{threshold.metric} is {value:g}, not {threshold.written}")


def _refused(reason: str) -> Answer:
    return Answer(holds=False, specificity=0, reasons=(reason,))


def _fits(pattern: str, text: str) -> bool:
    """Compare a text with a pattern in which ``*`` stands for any text."""
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


def _match(
    strategy: Strategy, answer: Answer, signs: Signs, records: Records, fingerprint: str
) -> Match:
    own = records.of(fingerprint, strategy.key)
    reasons = answer.reasons if own is NO_RECORD else (*answer.reasons, f"record: {own.words}")
    return Match(
        strategy=strategy,
        at_cause=strategy.repair_level == signs.cause_level,
        specificity=answer.specificity,
        record=own,
        elsewhere=records.anywhere(strategy.key),
        reasons=reasons,
    )


def _rank(match: Match) -> tuple[bool, int, int, float, float, str]:
    return (
        not match.at_cause,
        -SEVERITIES.index(match.strategy.level),
        -match.specificity,
        -match.record.score,
        -match.elsewhere.score,
        match.strategy.key,
    )


def _summary(ranked: Sequence[Match], signs: Signs, others: int) -> str:
    if ranked:
        first = ranked[0]
        more = f", before {len(ranked) - 1} others" if len(ranked) > 1 else ""
        return f"{first.strategy.key} ({first.record.words}){more}: {'; '.join(first.reasons)}"
    what = " + ".join(f"{kind} {name}" for kind, name in signs.items) or "no cause is named"
    return f"{NO_MATCH}: none of {others} strategies answers {signs.symptom} of {what}"


def _evidence(signs: Signs) -> dict[str, Any]:
    return {
        "cause": [{"kind": kind, "name": name} for kind, name in signs.items],
        "cause_level": signs.cause_level,
        "class": signs.cause_class,
        "module": signs.module,
        "symptom": signs.symptom,
        "level": signs.level,
        "error_codes": sorted(signs.codes),
        "metrics": dict(sorted(signs.metrics.items())),
    }
