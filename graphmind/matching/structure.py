"""The shape of failing traces as weighted tokens: Weisfeiler-Leman labels of their span trees.

A token is a text that reads as what it stands for: a span, ``Adapter (fails)``, or a span between
its caller and the set of what it calls, ``Router > Adapter (fails) > Inference (fails)``. Sets,
because retries repeat a call. Two rounds of labels are enough: a third was measured to be no
better (the design's section 9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from graphmind.matching.names import plain_operation
from graphmind.telemetry.numbering import numbered
from graphmind.telemetry.tree import Bools, Ints

FAILS: Final = " (fails)"
FAULT_WEIGHT: Final = 3.0
"""Failing spans, their callers and what they call against all others (measured: section 9)."""
WIDER_WEIGHT: Final = 1 / 1.5
"""A span with its surroundings against the span alone: 1 / (1 + 0.5 h) (measured: section 9)."""
WEIGHT_MIN: Final = 0.2
"""A token of a smaller mean weight is chance (measured: section 9)."""
MOST: Final = 0.5
"""Share of the traces that show what most of them show (chosen)."""
DIGITS: Final = 4
"""Decimals of weights and shares: sums in another order agree in them."""


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """The tokens of some traces."""

    weights: sp.csr_array
    """(traces, tokens), float64: sqrt of the weighted count."""
    texts: tuple[str, ...]
    """Of each token, sorted."""
    failing: Bools
    """(tokens,), whether the token's own span fails."""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The shape that some traces share."""

    weights: dict[str, float]
    """Mean weight of each token, sorted by text."""
    failing: tuple[str, ...]
    """Failing tokens that most of the traces show, sorted."""


def find_shapes(spans: pa.Table, failing: Bools) -> Shapes:
    """Return the tokens of assembled traces.

    ``spans`` needs of ASSEMBLED module, name, parent_row and trace_row; ``failing`` is (spans,).
    """
    parent = spans["parent_row"].to_numpy().astype(np.int64)
    trace = spans["trace_row"].to_numpy().astype(np.int64)
    labels = _labels(spans, failing)
    near = np.where(_near(failing, parent), FAULT_WEIGHT, 1.0)
    texts, token = _sorted_texts(pa.concat_arrays([labels, _surrounded(labels, parent)]))
    row = np.concatenate([trace, trace])
    weight = np.concatenate([near, near * WIDER_WEIGHT])
    shape = (int(trace.max(initial=-1)) + 1, len(texts))
    counts = sp.coo_array((weight, (row, token)), shape=shape).tocsr()
    counts.data = np.sqrt(counts.data)
    fails = np.zeros(shape[1], bool)
    fails[token] = np.concatenate([failing, failing])
    return Shapes(weights=counts, texts=tuple(texts.to_pylist()), failing=fails)


def _labels(spans: pa.Table, failing: Bools) -> pa.StringArray:
    """Name each span by module and operation, and whether it fails."""
    codes = numbered(spans, "module", "name")
    _, first = np.unique(codes, return_index=True)
    named = spans.select(["module", "name"]).take(pa.array(first)).to_pylist()
    plain = [_label(row["module"] or "", row["name"] or "?") for row in named]
    texts = pa.array([*plain, *(text + FAILS for text in plain)], pa.string())
    return texts.take(pa.array(codes + len(plain) * failing))


def _label(module: str, name: str) -> str:
    """State the module only where the operation's name does not."""
    operation = plain_operation(name)
    return operation if module in name else f"{plain_operation(module)}: {operation}"


def _near(failing: Bools, parent: Ints) -> Bools:
    """Spans that fail, call one that does, or are called by one."""
    child = np.flatnonzero(parent >= 0)
    near = failing.copy()
    near[child] |= failing[parent[child]]
    near[parent[child[failing[child]]]] = True
    return near


def _surrounded(labels: pa.StringArray, parent: Ints) -> pa.StringArray:
    """Write each span between its caller and the sorted set of what it calls."""
    above = labels.take(pa.array(parent, mask=parent < 0))
    called = _called(labels, parent)
    called = pc.if_else(pc.equal(called, ""), None, called)
    return pc.binary_join_element_wise(
        pc.fill_null(above, "(root)"), labels, called, " > ", null_handling="skip"
    )


def _called(labels: pa.StringArray, parent: Ints) -> pa.StringArray:
    """Join the labels of each span's children, each once, in order of the text."""
    names, rank = _sorted_texts(labels)
    child = np.flatnonzero(parent >= 0)
    width = max(len(names), 1)
    pairs = np.unique(parent[child] * width + rank[child])
    ends = np.searchsorted(pairs // width, np.arange(len(parent) + 1))
    texts = names.take(pa.array(pairs % width))
    lists = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), texts)
    return pc.binary_join(lists, ", ")


def _sorted_texts(column: pa.StringArray) -> tuple[pa.StringArray, Ints]:
    """Return the distinct texts, sorted, and of each row the place of its own among them."""
    encoded = column.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return encoded.dictionary.take(pa.array(order)), rank[encoded.indices.to_numpy()]


def share(shapes: Shapes, groups: Sequence[Ints]) -> list[Shared]:
    """Return the shape of each group of traces, given by their rows; none is empty."""
    sizes = np.array([len(rows) for rows in groups], np.int64)
    group, row = np.repeat(np.arange(len(groups)), sizes), np.concatenate([*groups, _NO_ROWS])
    members = sp.coo_array(
        (1.0 / sizes[group], (group, row)), shape=(len(groups), shapes.weights.shape[0])
    ).tocsr()
    shown = shapes.weights.copy()
    shown.data = np.ones_like(shown.data)
    means, shares = (members @ shapes.weights).tocsr(), (members @ shown).tocsr()
    return [
        Shared(
            weights={shapes.texts[t]: w for t, w in _row(means, number, WEIGHT_MIN)},
            failing=tuple(
                shapes.texts[t] for t, _ in _row(shares, number, MOST) if shapes.failing[t]
            ),
        )
        for number in range(len(groups))
    ]


_NO_ROWS: Final = np.zeros(0, np.int64)


def _row(matrix: sp.csr_array, number: int, least: float) -> list[tuple[int, float]]:
    """Return the columns of a row, ascending, with its values of at least this much."""
    inside = slice(matrix.indptr[number], matrix.indptr[number + 1])
    columns, values = matrix.indices[inside], matrix.data[inside].round(DIGITS)
    kept = np.flatnonzero(values >= least)
    kept = kept[np.argsort(columns[kept])]
    return list(zip(columns[kept].tolist(), values[kept].tolist(), strict=True))
