"""Where in a trace the unusual sits, and of what kind it is."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from graphmind.analysis.behaviour.model import Scored
from graphmind.analysis.behaviour.pooling import POOLINGS
from graphmind.analysis.behaviour.spans import SPAN_COLUMNS, Traces
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.tree import Bools, Ints

ASPECTS: Final = ("error", "duration", "structure")
_ASPECT_OF: Final = {
    "has_error": "error",
    "error_code_hash": "error",
    "duration": "duration",
    "depth_level": "structure",
    "num_children": "structure",
}
NEAR: Final = 0.75
"""Share of the largest loss from which a deeper span is as anomalous. Measured, share of planted
traces whose root module is named, mean of ten kinds: 0.67 at 0.25 and 0.5, 0.68 at 0.75, 0.20
at 1."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Per trace asked about: the span, and what is unusual about it."""

    span: Ints
    aspect: Ints
    """Index in ASPECTS."""


def find_origins(traces: Traces, scored: Scored, asked: Bools) -> Origin:
    """Return where the traces that ``asked`` names are most unusual, in their order.

    Each part of a trace's loss goes to the spans that made the value: sums and means by their
    share, maxima to the largest. Of the spans near the largest loss the deepest counts: those
    above it show the same.
    """
    spans = np.flatnonzero(asked[traces.trace])
    rank = (np.cumsum(asked) - 1)[traces.trace[spans]]
    count = int(asked.sum())
    parts = _parts(_own(traces)[spans], scored.residuals[asked], rank, count)
    loss = parts.sum(axis=1)
    largest = np.zeros(count)
    np.maximum.at(largest, rank, loss)
    depth = traces.vectors[spans, SPAN_COLUMNS.index("depth_level")]
    order = np.lexsort((-loss, -depth, loss < NEAR * largest[rank], rank))
    best = order[np.searchsorted(rank[order], np.arange(count))]
    of_aspect = np.stack([parts[best][:, _columns(name)].sum(axis=1) for name in ASPECTS], axis=1)
    return Origin(span=spans[best], aspect=of_aspect.argmax(axis=1))


def _parts(spans: Floats, residuals: Floats, rank: Ints, count: int) -> Floats:
    """Share the loss of traces among their spans: (n_spans, 5); ``rank`` is a span's trace."""
    first = np.searchsorted(rank, np.arange(count))
    total = np.add.reduceat(spans, first, axis=0) if count else spans
    share = spans / np.maximum(total, 1e-12)[rank]
    largest = np.maximum.reduceat(spans, first, axis=0) if count else spans
    is_largest = (spans == largest[rank]).astype(np.float64)
    times = np.add.reduceat(is_largest, first, axis=0) if count else is_largest
    weights = {"sum": share, "mean": share, "max": is_largest / np.maximum(times, 1.0)[rank]}
    squares = (residuals**2).reshape(count, len(POOLINGS), len(SPAN_COLUMNS))
    parts: Floats = np.zeros_like(spans)
    for number, how in enumerate(POOLINGS):
        parts += squares[rank, number] * weights[how]
    return parts


def _own(traces: Traces) -> Floats:
    """Hold each span responsible for its own time, not for that of the spans below it."""
    own = traces.vectors.copy()
    own[:, SPAN_COLUMNS.index("duration")] = traces.self_time
    return own


def _columns(aspect: str) -> list[int]:
    return [number for number, column in enumerate(SPAN_COLUMNS) if _ASPECT_OF[column] == aspect]
