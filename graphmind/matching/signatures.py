"""The metric and the log signature of an incident (S10): what stands out, without ids."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.matching.names import plain_operation
from graphmind.telemetry.grouped import Floats

HANG_NS: Final = 5_000_000_000
"""A duration that stands out where no healthy trace is known to compare with (S08)."""
DURATION_MIN: Final = 2.0
"""Times the usual duration, or a part of it, from which it stands out (chosen)."""
ERRORS_MIN: Final = 0.05
"""Share of the spans that fail from which it stands out (chosen)."""
CALLBACKS_MIN: Final = 0.5
"""Share of the traces whose callback fails for good from which it stands out (chosen)."""
KEYWORDS_MAX: Final = 12
KEYWORD_SHARE_MIN: Final = 0.2
"""A keyword is of the incident if this share of its traces has it: as of a token (chosen)."""
STOP_WORDS: Final = frozenset(
    "the and for with from that this was were are were not has have had while when its "
    "error err fail exception status code message other".split()
)
_SUFFIXES: Final = (
    *("ations", "ation", "ements", "ement", "ments", "ment", "ingly", "edly", "ness"),
    *("able", "ible", "ions", "ion", "ings", "ing", "ies", "ed", "es", "ly", "s", "y", "e"),
)
"""Endings cut off a word, longest first: Porter's steps in one, without his conditions."""


def metric_signature(
    failing: pa.Table, healthy: pa.Table, retries: Floats, storms: float
) -> dict[str, int]:
    """Return the metrics that stand out, each with its power of two.

    ``failing`` are rows of TRACES, ``healthy`` (may be empty) those that touched the cause too;
    ``retries`` is (failing traces,), the largest number in each, and ``storms`` the share of them
    whose callback fails for good.
    """
    errors = pc.divide(pc.cast(failing["error_span_count"], pa.float64()), failing["span_count"])
    share = float(pc.mean(errors).as_py() or 0.0)
    repeated = float(np.median(retries)) if len(retries) else 0.0
    longer = _times_longer(failing, healthy)
    stands_out = {
        "callback failures": (storms, storms >= CALLBACKS_MIN),
        "duration": (longer, not 1 / DURATION_MIN < longer < DURATION_MIN),
        "error share": (share, share >= ERRORS_MIN),
        "retries": (repeated, repeated >= 1),
    }
    return {
        name: round(float(np.log2(value))) for name, (value, large) in stands_out.items() if large
    }


def _times_longer(failing: pa.Table, healthy: pa.Table) -> float:
    """Return the median duration as a multiple of the usual; 1 where nothing can be said."""
    if not failing.num_rows:
        return 1.0
    own = max(float(np.median(failing["duration_ns"].to_numpy())), 1.0)
    if healthy.num_rows:
        return own / max(float(np.median(healthy["duration_ns"].to_numpy())), 1.0)
    return DURATION_MIN * max(own / HANG_NS, 1.0) if own > HANG_NS else 1.0


def metric_words(signature: Mapping[str, int]) -> tuple[str, ...]:
    """Say a metric signature: ``duration x4``, ``error share 0.12``."""
    return tuple(
        f"{name} {'x' if name == 'duration' else ''}{2.0**power:.2g}"
        for name, power in sorted(signature.items())
    )


def shared_metrics(one: Mapping[str, int], other: Mapping[str, int]) -> tuple[str, ...]:
    """Return the metrics that stand out in both by about as much, a power of two apart at most."""
    return tuple(
        name for name in sorted(one.keys() & other.keys()) if abs(one[name] - other[name]) <= 1
    )


def log_signature(texts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return the keywords of messages and error codes, by trace; most frequent first, then A-Z."""
    words = [{word for text in trace for word in keywords(text)} for trace in texts]
    counts = Counter(word for own in words for word in own)
    least = KEYWORD_SHARE_MIN * len(words)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return tuple(word for word in ranked if counts[word] >= least)[:KEYWORDS_MAX]


def keywords(text: str) -> set[str]:
    """Return the stems of a text's words; numbers, ids and words that say nothing are left out.

    >>> sorted(keywords("InferenceRPC failed: deadline exceeded after 3012 ms"))
    ['after', 'deadlin', 'exceed', 'inferenc', 'rpc']
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", plain_operation(text))
    said = {word.lower() for word in words if len(word) > 2} - STOP_WORDS
    return {_stem(word) for word in said} - STOP_WORDS


def _stem(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) > 2 and not word.endswith("ss"):
            return word[: -len(suffix)]
    return word
