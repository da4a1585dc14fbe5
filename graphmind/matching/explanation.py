"""Why a past incident resembles a new one: what both show, and what only one does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from graphmind.matching.library import Library
from graphmind.matching.record import Fingerprint
from graphmind.matching.signatures import metric_words, shared_metrics

PATHS_MAX: Final = 5
"""Paths named of each kind, those that count most (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What two incidents have in common, and what only one of them has."""

    shared: tuple[str, ...]
    missing: tuple[str, ...]
    """Only the past incident has it."""
    added: tuple[str, ...]
    """Only the new incident has it."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A past incident beside the new one, part by part."""

    paths: Compared
    """Spans between their caller and what they call; the heaviest first."""
    error_codes: Compared
    """A-Z; what has no code is counted under its symptom in brackets."""
    cause: str
    """In words: whether the class of the cause is the same."""
    metrics: Compared
    log_keywords: Compared


def explain(library: Library, row: int, fingerprint: Fingerprint) -> Explanation:
    """Compare a case of the library with a fingerprint."""
    signature, own = library.signatures[row], fingerprint.signature
    metrics = shared_metrics(own.metric_signature, signature.metric_signature)
    return Explanation(
        paths=_compare_paths(library, row, fingerprint.structure),
        error_codes=_compare(library.error_codes[row], fingerprint.error_codes),
        cause=_compare_causes(library.cause_classes[row], fingerprint.cause_class),
        metrics=Compared(
            shared=metrics,
            missing=_words_but(signature.metric_signature, metrics),
            added=_words_but(own.metric_signature, metrics),
        ),
        log_keywords=_compare(signature.log_signature, own.log_signature),
    )


def _compare_paths(library: Library, row: int, structure: Mapping[str, float]) -> Compared:
    """Compare tokens by their weight in the cosine."""
    matrix = library.structure
    inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
    columns = matrix.indices[inside].tolist()
    past = {
        library.tokens[column]: value
        for column, value in zip(columns, matrix.data[inside].tolist(), strict=True)
    }
    new = {token: weight * library.rarity_of(token) for token, weight in structure.items()}
    return Compared(
        shared=_heaviest({token: past[token] * new[token] for token in past.keys() & new.keys()}),
        missing=_heaviest({token: past[token] for token in past.keys() - new.keys()}),
        added=_heaviest({token: new[token] for token in new.keys() - past.keys()}),
    )


def _heaviest(weights: Mapping[str, float]) -> tuple[str, ...]:
    """Return the heaviest tokens; one that shows a span's surroundings says more than the span."""
    ranked = sorted(weights, key=lambda token: (" > " not in token, -weights[token], token))
    return tuple(ranked[:PATHS_MAX])


def _compare(past: Iterable[str], new: Iterable[str]) -> Compared:
    before, now = set(past), set(new)
    return Compared(
        shared=tuple(sorted(before & now)),
        missing=tuple(sorted(before - now)),
        added=tuple(sorted(now - before)),
    )


def _compare_causes(past: str | None, new: str | None) -> str:
    match past, new:
        case None, None:
            return "neither has a named cause"
        case None, _:
            return f"{new}; the past one has no named cause"
        case _, None:
            return f"no named cause; the past one: {past}"
        case _:
            return f"the same: {new}" if past == new else f"{new}; the past one: {past}"


def _words_but(signature: Mapping[str, int], shared: Iterable[str]) -> tuple[str, ...]:
    rest = signature.keys() - set(shared)
    return metric_words({name: signature[name] for name in rest})
