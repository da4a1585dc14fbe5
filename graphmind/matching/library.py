"""The past incidents as columns, and the quick look-up of those that resemble a new one."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import scipy.sparse as sp

from graphmind.matching.record import Case, Entry, Fingerprint, Signature
from graphmind.matching.score import UNKNOWN, UNNAMED, combine, rarity
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.tree import Bools, Ints

RARE_SHARE: Final = 0.02
"""A token of more of the library than this finds no candidates (measured: section 9)."""
RARE_MIN: Final = 50
"""Cases that a token may have at least: in a small library all tokens are common (chosen)."""
CANDIDATES_MAX: Final = 50
"""Candidates that are compared exactly (measured: section 9)."""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """The cases most like a fingerprint: best first, ties by id."""

    rows: Ints
    scores: Floats
    structure: Floats
    """Cosine of the tokens."""
    errors: Floats
    """Overlap of the error codes."""


@dataclass(frozen=True, kw_only=True)
class Library:
    """Past incidents, sorted by id; nothing changes it. Rows of all arrays are cases."""

    cases: tuple[Case, ...]
    signatures: tuple[Signature, ...]
    error_codes: tuple[Mapping[str, float], ...]
    cause_classes: tuple[str | None, ...]
    tokens: tuple[str, ...]
    """A-Z."""
    rarity: Floats
    """(tokens,)."""
    structure: sp.csr_array
    """(cases, tokens), weight times rarity, rows of length 1."""
    codes: tuple[str, ...]
    errors: sp.csc_array
    """(cases, error codes), shares."""
    class_of: Ints
    """(cases,), UNNAMED where no cause was named."""
    seen_ms: Ints
    """(cases,), when each began."""
    imported: Bools

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Library":
        """Index entries, in any order."""
        kept = sorted(entries, key=lambda entry: entry.case.incident_id)
        prints = [entry.fingerprint for entry in kept]
        tokens, weights = _columns([own.structure for own in prints])
        codes, errors = _columns([own.error_codes for own in prints])
        frequency = np.bincount(weights.indices, minlength=len(tokens))
        rare = np.array([rarity(count, len(kept)) for count in frequency.tolist()])
        causes = tuple(own.cause_class for own in prints)
        number = _numbers(causes)
        return cls(
            cases=tuple(entry.case for entry in kept),
            signatures=tuple(own.signature for own in prints),
            error_codes=tuple(own.error_codes for own in prints),
            cause_classes=causes,
            tokens=tokens,
            rarity=rare,
            structure=_normalised(weights, rare),
            codes=codes,
            errors=errors.tocsc(),
            class_of=np.array([number.get(cause, UNNAMED) for cause in causes], np.int64),
            seen_ms=np.array([entry.case.seen_ms for entry in kept], np.int64),
            imported=np.array([bool(entry.case.origin) for entry in kept], bool),
        )

    def __len__(self) -> int:
        return len(self.cases)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row of each case by its incident's id."""
        return {case.incident_id: row for row, case in enumerate(self.cases)}

    @cached_property
    def hits(self) -> dict[str, int]:
        """How many incidents were recognised as each case, by its incident's id."""
        hits = dict.fromkeys(self.row_of, 0)
        for case in self.cases:
            if case.recognised_as in hits:
                hits[case.recognised_as] += 1
        return hits

    @cached_property
    def token_column(self) -> dict[str, int]:
        """Column of each token."""
        return {token: column for column, token in enumerate(self.tokens)}

    @cached_property
    def _class_number(self) -> dict[str | None, int]:
        return _numbers(self.cause_classes)

    @cached_property
    def _postings(self) -> sp.csc_array:
        return self.structure.tocsc()

    def rank(
        self, fingerprint: Fingerprint, *, allowed: Bools | None = None, exact: bool = False
    ) -> Ranked:
        """Return the cases most like a fingerprint, at most CANDIDATES_MAX.

        ``allowed`` is (cases,); ``exact`` compares with every case, not with candidates only.
        """
        query = self.vector(fingerprint.structure)
        overlap = self._overlap(fingerprint.error_codes)
        own = self.class_number(fingerprint.cause_class)
        rows = np.arange(len(self))
        if not exact:
            same = (self.class_of == own) & (own >= 0)
            hints = self._shared_rare(query) + 0.5 * (overlap + same)
            rows = _largest(hints, allowed)
        elif allowed is not None:
            rows = rows[allowed]
        structure = np.asarray(self.structure[rows] @ query)
        scores = combine(structure, overlap[rows], self.class_of[rows], own)
        best = np.lexsort((rows, -scores))[:CANDIDATES_MAX]
        return Ranked(
            rows=rows[best],
            scores=scores[best],
            structure=structure[best],
            errors=overlap[rows][best],
        )

    def vector(self, structure: Mapping[str, float]) -> Floats:
        """Return tokens as a row of ``structure``; those unknown here count in its length."""
        values = np.array([weight * self.rarity_of(token) for token, weight in structure.items()])
        places = np.array([self.token_column.get(token, -1) for token in structure], np.int64)
        # Not a dot product: for these few numbers its threads cost more than they save.
        length = np.sqrt(np.square(values).sum())
        vector = np.zeros(len(self.tokens))
        vector[places[places >= 0]] = values[places >= 0] / length
        return vector

    def rarity_of(self, token: str) -> float:
        """Return how telling a token is, known or not."""
        column = self.token_column.get(token)
        return rarity(0, len(self)) if column is None else float(self.rarity[column])

    def class_number(self, cause_class: str | None) -> int:
        """Return the number of a class of causes in ``class_of``."""
        if cause_class is None:
            return UNNAMED
        return self._class_number.get(cause_class, UNKNOWN)

    def _overlap(self, shares: Mapping[str, float]) -> Floats:
        """Return how much of the error codes each case has in common: sum of the smaller shares."""
        overlap = np.zeros(len(self))
        for code, share in shares.items():
            column = bisect_left(self.codes, code)
            if code in self.codes[column : column + 1]:
                rows, values = _column(self.errors, column)
                overlap[rows] += np.minimum(values, share)
        return overlap

    def _shared_rare(self, query: Floats) -> Floats:
        """Return the part of the cosine that comes from tokens which few cases have."""
        shared = np.zeros(len(self))
        limit = max(RARE_MIN, RARE_SHARE * len(self))
        for token in np.flatnonzero(query).tolist():
            rows, values = _column(self._postings, token)
            if len(rows) <= limit:
                shared[rows] += query[token] * values
        return shared


def _numbers(classes: Iterable[str | None]) -> dict[str | None, int]:
    """Number the classes of causes, A-Z."""
    return {name: number for number, name in enumerate(sorted({c for c in classes if c}))}


def _columns(rows: Sequence[Mapping[str, float]]) -> tuple[tuple[str, ...], sp.csr_array]:
    """Return the names, A-Z, and the values as (rows, names)."""
    names = sorted({name for row in rows for name in row})
    column = {name: number for number, name in enumerate(names)}
    starts = np.cumsum([0, *(len(row) for row in rows)])
    columns = np.fromiter((column[name] for row in rows for name in row), np.int64, starts[-1])
    values = np.fromiter((value for row in rows for value in row.values()), float, starts[-1])
    matrix = sp.csr_array((values, columns, starts), shape=(len(rows), len(names)))
    matrix.sort_indices()
    return tuple(names), matrix


def _normalised(weights: sp.csr_array, rare: Floats) -> sp.csr_array:
    """Return weights times rarity with rows of length 1."""
    scaled = weights.copy()
    scaled.data = weights.data * rare[weights.indices]
    row = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    lengths = np.sqrt(np.bincount(row, scaled.data**2, minlength=weights.shape[0]))
    scaled.data /= lengths[row]
    return scaled


def _column(matrix: sp.csc_array, number: int) -> tuple[Ints, Floats]:
    """Return the rows and values of a column."""
    inside = slice(matrix.indptr[number], matrix.indptr[number + 1])
    return matrix.indices[inside].astype(np.int64), matrix.data[inside].astype(np.float64)


def _largest(values: Floats, allowed: Bools | None) -> Ints:
    """Return the rows of the largest values, at most CANDIDATES_MAX, ties by row."""
    rows = np.arange(len(values)) if allowed is None else np.flatnonzero(allowed)
    own = values[rows]
    if len(rows) > CANDIDATES_MAX:
        least = np.partition(own, -CANDIDATES_MAX)[-CANDIDATES_MAX]
        rows, own = rows[own >= least], own[own >= least]
    best = np.lexsort((rows, -own))[:CANDIDATES_MAX]
    return rows[best]
