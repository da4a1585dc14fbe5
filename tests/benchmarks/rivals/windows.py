"""A window small enough to reckon by hand."""

import numpy as np

from benchmarks.rivals.view import View, view_before_symptom
from graphmind.analysis.window import Window
from tests.analysis.planted import window_of

BAD, WORSE, HARMLESS = 0, 1, 2


def two_faults() -> tuple[Window, list[str]]:
    """40 traces: item 0 fails in 10 of 10, item 1 in 6 of 6, item 2 is on all the others.

    One of the others fails too, and item 3 is touched by every failing trace after it failed.
    """
    touched = np.repeat([BAD, WORSE, HARMLESS], [10, 6, 24])
    failing = (touched != HARMLESS) | (np.arange(40) == 39)
    effect = np.where(failing, 3, -1)
    window = window_of(np.stack([touched, effect], axis=1), failing, kinds=["agent"] * 4)
    window.touched_ns[window.items.columns == 3] = 2
    return window, [f"trace{row:02}" for row in range(40)]


def view() -> View:
    return view_before_symptom(*two_faults())


def name(item: int) -> frozenset:
    return frozenset({("agent", f"item{item:06}")})


def traces(first: int, last: int) -> frozenset:
    return frozenset(f"trace{row:02}" for row in range(first, last))
