"""The trees around what failed, as tokens that name no agent, tool or model.

Weisfeiler-Lehman labels (Shervashidze et al. 2011) over what a span touches and how it ended, so
that a tree is like another one where other names do the same.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.telemetry.spans import STATUS_ERROR

ROUNDS: Final = 2
"""Rounds of relabelling: a token sees two steps down (chosen; Shervashidze et al. use 2 to 5)."""
MANY: Final = 3
"""Equal children beyond this count the same: six calls in a loop are like sixteen (chosen)."""
ROLES: Final = (
    ("tool", "tool"),
    ("kv_key", "kv"),
    ("model_version", "model"),
    ("model_requested", "model"),
    ("endpoint", "endpoint"),
)
"""Column of ASSEMBLED, and what a span that fills it is called; the first that is there."""

SymptomAt = Mapping[tuple[str, str], str]
"""Kind of symptom by (trace_id, span_id)."""


def tokens_in(spans: pa.Table, symptoms: SymptomAt) -> dict[str, float]:
    """Return the tokens of the trees in ASSEMBLED, with the share of traces that hold them."""
    parents, traces = spans["parent_row"].to_pylist(), spans["trace_row"].to_pylist()
    labels = span_labels(spans, symptoms)
    held = set(zip(traces, labels, strict=True))
    held.update(_paths(labels, parents, traces, failing_rows(spans, symptoms)))
    deeper = labels
    for _ in range(ROUNDS):
        deeper = _relabelled(deeper, parents)
        held.update(zip(traces, deeper, strict=True))
    counts = Counter(token for _, token in held)
    sampled = max(len(set(traces)), 1)
    return {token: round(count / sampled, 4) for token, count in counts.items()}


def failing_rows(spans: pa.Table, symptoms: SymptomAt) -> NDArray[np.int64]:
    """Return the rows where something went wrong first: shown as a symptom, or the deepest error.

    A span that only passes on the error of a child is impact.
    """
    failed = pc.fill_null(pc.equal(spans["status"], STATUS_ERROR), False).to_numpy()
    parents = spans["parent_row"].to_numpy()
    passed_on = np.zeros(len(parents), bool)
    passed_on[parents[failed & (parents >= 0)]] = True
    shown = np.array([place in symptoms for place in _places(spans)], bool)
    return np.flatnonzero((failed & ~passed_on) | shown)


def span_labels(spans: pa.Table, symptoms: SymptomAt) -> list[str]:
    """Return what each span touches and how it went, such as ``tool error``."""
    role = pa.array(["step"] * spans.num_rows, pa.string())
    for column, name in reversed(ROLES):
        role = pc.if_else(pc.is_valid(spans[column]), name, role)
    failed = pc.fill_null(pc.equal(spans["status"], STATUS_ERROR), False).to_pylist()
    ended = pc.is_valid(spans["end_ns"]).to_pylist()
    return [
        f"{what} {symptoms.get(place) or _state(is_failed=bad, is_ended=done)}"
        for what, place, bad, done in zip(
            role.to_pylist(), _places(spans), failed, ended, strict=True
        )
    ]


def _state(*, is_failed: bool, is_ended: bool) -> str:
    if is_failed:
        return "error"
    return "ok" if is_ended else "unended"


def _places(spans: pa.Table) -> list[tuple[str, str]]:
    ids = spans["trace_id"].to_pylist(), spans["span_id"].to_pylist()
    return list(zip(*ids, strict=True))


def _paths(
    labels: list[str], parents: list[int], traces: list[int], rows: NDArray[np.int64]
) -> set[tuple[int, str]]:
    """Return, by trace, the labels from the span above to each row that failed."""
    return {
        (traces[row], f"{labels[parents[row]]} > {labels[row]}")
        for row in rows.tolist()
        if parents[row] >= 0
    }


def _relabelled(labels: list[str], parents: list[int]) -> list[str]:
    """Join each label with those of the children, in order, equal ones counted up to MANY."""
    below: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row, parent in enumerate(parents):
        if parent >= 0:
            below[parent][labels[row]] += 1
    return [
        _digest(label, below[row]) if row in below else label for row, label in enumerate(labels)
    ]


def _digest(label: str, children: Counter[str]) -> str:
    parts = [f"{child}*{min(count, MANY)}" for child, count in sorted(children.items())]
    return hashlib.sha256("|".join([label, *parts]).encode()).hexdigest()[:12]
