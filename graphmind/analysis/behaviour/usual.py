"""What is usual: how rare each part of a tree is, and how long each operation takes."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from graphmind.analysis.behaviour.detectors import Arrays
from graphmind.analysis.behaviour.pooling import POOLINGS
from graphmind.analysis.behaviour.spans import SPAN_COLUMNS, Traces
from graphmind.analysis.behaviour.structure import ROUNDS, buckets
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.tree import Bools, Ints

LABELS_WIDTH: Final = 2**14
"""Hashed labels of one round (chosen: a platform shows some thousands of subtrees)."""
OPERATIONS_WIDTH: Final = 1024
"""Hashed operations (chosen)."""
DEVIATION_MIN: Final = 0.1
"""Least deviation of the logarithm of a duration, about 10 % (chosen)."""
CALLS_MIN: Final = 20
"""Calls from which an operation has a usual duration (the setting baseline_traces' default)."""

RELATIVE_COLUMNS: Final = (
    *(f"rarity_{steps}" for steps in range(ROUNDS)),
    "self_excess",
    "duration_excess",
)
ALL_COLUMNS: Final = (*SPAN_COLUMNS, *RELATIVE_COLUMNS)
COLUMNS: Final = tuple(f"{how}_{column}" for how in POOLINGS for column in ALL_COLUMNS)
"""Of a trace vector."""


@dataclass(frozen=True, kw_only=True)
class Usual:
    """Measured on healthy traces; compares spans with it."""

    traces: float
    containing: Floats
    """(ROUNDS, LABELS_WIDTH): healthy traces that contain a label."""
    mean: Floats
    """(2, OPERATIONS_WIDTH): mean ln of self time and of duration; NaN with too few calls."""
    deviation: Floats
    """Of the same shape."""

    @classmethod
    def measure(cls, traces: Traces, healthy: Bools) -> Self:
        """Measure the traces that ``healthy`` names."""
        spans = np.flatnonzero(healthy[traces.trace])
        operation = buckets(traces.labels[0], OPERATIONS_WIDTH)[spans]
        moments = [_moments(values[spans], operation) for values in _durations(traces)]
        return cls(
            traces=float(healthy.sum()),
            containing=np.stack(
                [_containing(own[spans], traces.trace[spans]) for own in _columns(traces)]
            ),
            mean=np.stack([mean for mean, _ in moments]),
            deviation=np.stack([deviation for _, deviation in moments]),
        )

    def vectors(self, traces: Traces) -> Floats:
        """Return (n_spans, 10), columns ``ALL_COLUMNS``.

        Rarity is the inverse document frequency of a label; excess is in deviations of the
        operation, 0 where it has no usual duration.
        """
        rarity = [
            np.log((self.traces + 1) / (self.containing[number][own] + 1))
            for number, own in enumerate(_columns(traces))
        ]
        operation = buckets(traces.labels[0], OPERATIONS_WIDTH)
        excess = [
            np.nan_to_num((values - self.mean[row][operation]) / self.deviation[row][operation])
            for row, values in enumerate(_durations(traces))
        ]
        return np.column_stack([traces.vectors, *rarity, *excess])

    def arrays(self) -> dict[str, Floats]:
        """Return what there is to store."""
        return {
            "traces": np.array([self.traces]),
            "containing": self.containing,
            "mean": self.mean,
            "deviation": self.deviation,
        }

    @classmethod
    def of(cls, arrays: Arrays) -> Self:
        """Take what ``arrays`` gave."""
        return cls(
            traces=float(arrays["traces"][0]),
            containing=arrays["containing"],
            mean=arrays["mean"],
            deviation=arrays["deviation"],
        )


def _columns(traces: Traces) -> list[Ints]:
    return [buckets(own, LABELS_WIDTH) for own in traces.labels]


def _durations(traces: Traces) -> tuple[Floats, Floats]:
    return traces.self_time, traces.vectors[:, SPAN_COLUMNS.index("duration")]


def _containing(label: Ints, trace: Ints) -> Floats:
    """Count the traces that contain each label."""
    pairs = np.unique(trace * LABELS_WIDTH + label)
    return np.bincount(pairs % LABELS_WIDTH, minlength=LABELS_WIDTH).astype(np.float64)


def _moments(values: Floats, operation: Ints) -> tuple[Floats, Floats]:
    """Return mean and deviation by operation, NaN with too few calls."""
    calls = np.bincount(operation, minlength=OPERATIONS_WIDTH).astype(np.float64)
    calls[calls < CALLS_MIN] = np.nan
    mean = np.bincount(operation, values, OPERATIONS_WIDTH) / calls
    square = np.bincount(operation, values**2, OPERATIONS_WIDTH) / calls
    return mean, np.maximum(np.sqrt(np.maximum(square - mean**2, 0.0)), DEVIATION_MIN)
