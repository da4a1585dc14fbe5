"""What else goes wrong with an incident: where it breaks, and who is hit without being the cause.

Root cause, critical failure and impact are told apart: the model hangs (root), the call to it fails
(critical), and the agents that wait for it fail too (impact).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.incidence import Flags, Floats, Integers
from graphmind.analysis.window import Window
from graphmind.incidents.incident import Effect

IMPACT_KINDS: Final = ("agent", "task", "tool", "service", "endpoint", "region", "model_version")
"""Who is hit, in the order shown: what people run, not the keys and instances it runs on."""
CRITICAL_SHARE_MIN: Final = 0.1
"""Share of an incident's traces that a place needs to be named (chosen)."""
IMPACT_FAILING_MIN: Final = 5
"""Failing traces of the incident that one hit needs (chosen)."""
IMPACT_SHARE_MIN: Final = 0.1
"""Share of its traces that the incident must take (chosen: less is not felt)."""
IMPACT_RATIO_MIN: Final = 2.0
"""How much more often it fails than what the incident does not touch (chosen)."""
IMPACTS_PER_KIND: Final = 3


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """Traces of a window by item, weighted: the same for every incident of it."""

    touching: Floats
    """(items,), traces that touch each."""
    traces: float

    @classmethod
    def of(cls, window: Window) -> "Exposure":
        """Count a window."""
        touching = window.items.sums_of_all(window.weight)
        return cls(touching=touching, traces=float(window.weight.sum()))


def critical_effects(traces: pa.Table, roots: frozenset[tuple[str, str]]) -> tuple[Effect, ...]:
    """Return the modules in which the traces (rows of TRACES) go wrong, most frequent first.

    A module that is the cause itself is left out.
    """
    total = float(pc.sum(traces["weight"]).as_py() or 0.0)
    located = traces.filter(pc.is_valid(traces["fault_module"]))
    weights = located.group_by("fault_module").aggregate([("weight", "sum")]).to_pylist()
    ranked = sorted((-row["weight_sum"], row["fault_module"]) for row in weights)
    return tuple(
        Effect(role="critical", kind="module", name=name, failing=-less, share=-less / total)
        for less, name in ranked
        if ("module", name) not in roots and -less >= CRITICAL_SHARE_MIN * total
    )


def impact_effects(
    window: Window, exposure: Exposure, rows: Integers, roots: Sequence[Sequence[int]]
) -> tuple[Effect, ...]:
    """Return what the failing ``rows`` hit: items that fail with the cause and not without it.

    ``roots`` are the items of the causes and of what is tied to them. An item is hit where its
    traces belong to the incident more often than the window's do, and where, of its traces that
    do not touch the cause, no more fail than elsewhere.
    """
    failing = _weights(window, rows)
    base = _without(window, rows, roots)
    kinds = np.array(window.item_kinds)
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = failing / exposure.touching
        alone = base.failing / base.touching
    usual = base.failing_traces / max(base.traces, 1.0)
    overall = float(window.weight[rows].sum()) / max(exposure.traces, 1.0)
    named = np.zeros(window.items.width, bool)
    named[[item for items in roots for item in items]] = True
    chosen = (
        (failing >= IMPACT_FAILING_MIN)
        & ~named
        & (hit >= max(IMPACT_RATIO_MIN * overall, IMPACT_SHARE_MIN))
        & ~(alone > IMPACT_RATIO_MIN * max(usual, 1 / max(base.traces, 1.0)))
    )
    effects: list[Effect] = []
    for kind in IMPACT_KINDS:
        own = np.flatnonzero(chosen & (kinds == kind))
        ranked = own[np.lexsort((own, -failing[own]))][:IMPACTS_PER_KIND]
        effects += [
            Effect(
                role="impact",
                kind=kind,
                name=window.item_names[item],
                failing=float(failing[item]),
                share=float(hit[item]),
            )
            for item in ranked.tolist()
        ]
    return tuple(effects)


@dataclass(frozen=True, kw_only=True)
class _Without:
    """Traces that no cause of an incident touches, by item, weighted."""

    touching: Floats
    failing: Floats
    traces: float
    failing_traces: float


def _without(window: Window, rows: Integers, roots: Sequence[Sequence[int]]) -> _Without:
    free = ~_touching_any(window, roots)
    sick = np.any([np.zeros(window.n, bool), *window.failing.values()], axis=0)
    sick[rows] = False
    failing = np.flatnonzero(free & sick)
    return _Without(
        touching=_weights(window, np.flatnonzero(free)),
        failing=_weights(window, failing),
        traces=float(window.weight[free].sum()),
        failing_traces=float(window.weight[failing].sum()),
    )


def _touching_any(window: Window, roots: Sequence[Sequence[int]]) -> Flags:
    """Whether each row touches all items of one of the causes."""
    touching = np.zeros(window.n, bool)
    row = np.repeat(np.arange(window.n), np.diff(window.items.starts))
    for items in roots:
        every = np.ones(window.n, bool)
        for item in items:
            own = np.zeros(window.n, bool)
            own[row[window.items.columns == item]] = True
            every &= own
        touching |= every
    return touching


def _weights(window: Window, rows: Integers) -> Floats:
    """Weight of the rows by item."""
    return window.items.sums(rows, window.weight[rows])[0]
