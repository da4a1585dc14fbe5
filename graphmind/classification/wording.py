"""Texts of failing spans: masked lines, and the words that classifiers count."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

LINES_MAX: Final = 64
"""Distinct lines kept of a case, those of most traces first (chosen)."""
CHARACTERS_MAX: Final = 300
"""A line is cut here: what failed is said at its start (chosen)."""
COLUMNS: Final = ("name", "module", "tool", "error_code", "status_message")

_ID: Final = re.compile(r"\b(?=[0-9a-f-]*\d)[0-9a-f-]{8,}\b", re.IGNORECASE)
# Three digits from 100 to 599 may be a status code; longer and other numbers tell nothing.
_NUMBER: Final = re.compile(r"(?<![0-9])(?![1-5][0-9]{2}(?![0-9]|[.][0-9]))[0-9]+(?:[.][0-9]+)?")
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[1-5][0-9]{2}")


def lines_in(spans: pa.Table, failing: NDArray[np.int64]) -> dict[str, float]:
    """Return the lines of failing spans (rows of ASSEMBLED), with their share of the traces."""
    table = spans.take(pa.array(failing))
    traces = table["trace_row"].to_pylist()
    seen: set[tuple[int, str]] = set()
    for name in COLUMNS:
        texts = table[name].to_pylist()
        seen.update(
            (trace, line)
            for trace, text in zip(traces, texts, strict=True)
            if text and (line := masked(text))
        )
    counts = Counter(line for _, line in seen)
    kept = sorted(counts, key=lambda line: (-counts[line], line))[:LINES_MAX]
    sampled = pc.count_distinct(spans["trace_row"]).as_py()
    return {line: round(counts[line] / sampled, 4) for line in kept}


def masked(text: str) -> str:
    """Return the first line of a text, its ids and numbers replaced by ``#``."""
    first = text.strip().partition("\n")[0][:CHARACTERS_MAX]
    return _NUMBER.sub("#", _ID.sub("#", first)).strip()


def words_of(lines: Iterable[str]) -> list[str]:
    """Return words and pairs of neighbours in lower case; names are split at humps and signs."""
    words: list[str] = []
    for line in lines:
        own = [word.lower() for word in _WORD.findall(line)]
        words += own
        words += [f"{left} {right}" for left, right in pairwise(own)]
    return words
