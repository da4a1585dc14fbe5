"""The route by rules: error codes, words and symptoms that speak for a class."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from graphmind.classification.case import Case, Line
from graphmind.classification.route import Guess, ranked


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One entry of a rules file; what is empty asks for nothing."""

    label: str
    confidence: float
    codes: tuple[re.Pattern[str], ...]
    """Each matches a whole code."""
    texts: tuple[re.Pattern[str], ...]
    """Each matches anywhere in a line."""
    symptoms: frozenset[str]
    causes: frozenset[str]
    place: str
    """File and line."""


@dataclass(frozen=True, kw_only=True)
class RulesRoute:
    """Needs no cases, so it speaks from the first incident on."""

    rules: tuple[Rule, ...]
    name: str = "rules"

    def fit(self, cases: Sequence[Case]) -> "RulesRoute":  # noqa: ARG002 - rules learn nothing
        """Return itself: rules are written, not learned."""
        return self

    def candidates(self, case: Case) -> tuple[Guess, ...]:
        """Return the classes that a rule speaks for, each with its strongest rule."""
        best: dict[str, Guess] = {}
        for rule in self.rules:
            guess = _spoken(rule, case)
            if guess and (rule.label not in best or guess.score > best[rule.label].score):
                best[rule.label] = guess
        return ranked(list(best.values()))


def _spoken(rule: Rule, case: Case) -> Guess | None:
    if rule.symptoms and case.symptom not in rule.symptoms:
        return None
    if rule.causes and not rule.causes.intersection(case.cause_kinds):
        return None
    reasons = [f"symptom {case.symptom}"] if rule.symptoms else []
    reasons += [f"cause {' + '.join(case.cause_kinds)}"] if rule.causes else []
    share = 1.0
    if rule.codes or rule.texts:
        share, sign = _strongest_sign(rule, case)
        if not share:
            return None
        reasons.append(sign)
    return Guess(
        label=rule.label,
        score=rule.confidence * share,
        reason=f"{', '.join(reasons)} ({rule.place})",
    )


def _strongest_sign(rule: Rule, case: Case) -> tuple[float, str]:
    """Return the share of failures that show a sign of the rule, and the sign seen most."""
    coded = [line for line in case.codes if any(code.fullmatch(line.text) for code in rule.codes)]
    said = [line for line in case.lines if any(text.search(line.text) for text in rule.texts)]
    by_code = (min(sum(line.share for line in coded), 1.0), _most("code", coded))
    by_text = (max((line.share for line in said), default=0.0), _most("text", said))
    return max(by_code, by_text, key=lambda sign: sign[0])


def _most(what: str, lines: list[Line]) -> str:
    if not lines:
        return ""
    most = min(lines, key=lambda line: (-line.share, line.text))
    return f"{what} {most.text!r} in {most.share:.0%}"
