"""Structural embedding of span trees: Weisfeiler-Lehman labels, hashed to a fixed width.

Labels of spans are refined as in the WL subtree kernel (Shervashidze et al. 2011), from a span and
the multiset of its children: round h tells apart what lies within h steps below.
"""

import hashlib
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.numbering import joined
from graphmind.telemetry.tree import Ints

Hashes = NDArray[np.uint64]
ROUNDS: Final = 3
"""h = 0, 1, 2: an operation, with its calls, with their calls."""


def hash_labels(assembled: pa.Table, parent: Ints) -> Hashes:
    """Return the label of each span in each round, (ROUNDS, n_spans).

    A label depends on modules, operations and the tree only: not on ids, times or the order of
    children.
    """
    labels = [_mix(_operations(assembled))]
    child = np.flatnonzero(parent >= 0)
    while len(labels) < ROUNDS:
        below = np.zeros(len(parent), np.uint64)
        # A sum of well-mixed numbers stands for the multiset: it knows no order.
        np.add.at(below, parent[child], _mix(labels[-1][child]))
        labels.append(_mix(labels[-1] * np.uint64(3) + _mix(below)))
    return np.stack(labels)


def embed(labels: Hashes, trace: Ints, count: int, width: int) -> Floats:
    """Return how often each hashed label occurs in each trace, (count, rounds * width)."""
    blocks = [
        np.bincount(trace * width + buckets(own, width), minlength=count * width) for own in labels
    ]
    counts: Floats = np.hstack([block.reshape(count, width) for block in blocks]).astype(np.float64)
    return counts


def buckets(labels: Hashes, width: int) -> Ints:
    """Return the column of each label among ``width``."""
    return (labels % np.uint64(width)).astype(np.int64)


def _operations(assembled: pa.Table) -> Hashes:
    """Hash module (the service where no module is named) and operation of each span."""
    place = pc.coalesce(assembled.column("module"), assembled.column("service"), "")
    names = pc.binary_join_element_wise(place, pc.fill_null(assembled.column("name"), ""), "\0")
    encoded = joined(names).dictionary_encode()
    hashes = [
        int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        for text in encoded.dictionary.to_pylist()
    ]
    hashed: Hashes = np.array(hashes, np.uint64)[encoded.indices.to_numpy()]
    return hashed


def _mix(numbers: Hashes) -> Hashes:
    """Scatter 64-bit numbers (the finaliser of SplitMix64, Steele et al. 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    scattered: Hashes = mixed ^ (mixed >> np.uint64(31))
    return scattered
