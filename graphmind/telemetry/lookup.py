"""Looks attribute names up in a whole batch of spans at once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class _Attributes:
    """Attributes of many owners, flattened: owner and value by position, positions by name."""

    owners: Positions
    values: pa.Array
    by_name: dict[str, Positions]


class Lookup:
    """Finds, per span, an attribute on the span, else on its events, else on its resource.

    A span that carries a name twice answers with the first; of events the last one speaks.
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.rows = batch.num_rows
        spans = _flatten(batch.column("attributes"))
        events = _flatten_events(batch.column("events"))
        resources = _flatten(batch.column("resource").dictionary)
        self._parts = (spans, events, resources)
        self._offsets = np.cumsum([0, len(spans.values), len(events.values)])
        self._resource = pc.fill_null(batch.column("resource").indices, -1).to_numpy()
        self._values = pa.concat_arrays([part.values for part in self._parts])
        self._readings: dict[tuple[str, str], Positions] = {}

    def has(self, name: str) -> bool:
        """Whether any span, event or resource of the batch carries the name."""
        return any(name in part.by_name for part in self._parts)

    def positions(self, name: str) -> Positions:
        """Return per span the position of its value, -1 where it has none."""
        spans, events, resources = self._parts
        found = np.full(self.rows, -1, np.int64)
        if name in resources.by_name:
            of_resource = np.full(len(self._parts[2].owners) + 1, -1, np.int64)
            at = resources.by_name[name]
            of_resource[resources.owners[at]] = at + self._offsets[2]
            known = self._resource >= 0
            found[known] = of_resource[self._resource[known]]
        if name in events.by_name:
            at = events.by_name[name]
            found[events.owners[at]] = at + self._offsets[1]
        if name in spans.by_name:
            at = spans.by_name[name][::-1]
            found[spans.owners[at]] = at
        return found

    def values(self, positions: Positions) -> pa.Array:
        """Return the texts at the positions, null at -1."""
        return pc.take(self._values, pa.array(positions, mask=positions < 0))


def read_unique(texts: pa.Array, read: Callable[[str], str | None]) -> pa.Array:
    """Apply a reading once to each distinct text."""
    encoded = texts.dictionary_encode()
    answers = [None if text is None else read(text) for text in encoded.dictionary.to_pylist()]
    return pc.take(pa.array(answers, pa.string()), encoded.indices)


def unused(attributes: pa.MapArray, known: frozenset[str]) -> pa.MapArray:
    """Return the attributes whose names no row of the table knows."""
    offsets = attributes.offsets.to_numpy().astype(np.int64)
    start, end = int(offsets[0]), int(offsets[-1])
    keys, items = (
        attributes.keys.slice(start, end - start),
        attributes.items.slice(start, end - start),
    )
    keep = pc.invert(pc.is_in(keys, value_set=pa.array(sorted(known), pa.string())))
    kept_before = np.concatenate([[0], np.cumsum(keep.to_numpy(zero_copy_only=False))])
    return pa.MapArray.from_arrays(
        pa.array(kept_before[offsets - start], pa.int32()), keys.filter(keep), items.filter(keep)
    )


def _flatten(attributes: pa.MapArray) -> _Attributes:
    """Flatten one map per owner."""
    offsets = attributes.offsets.to_numpy().astype(np.int64)
    start, end = int(offsets[0]), int(offsets[-1])
    owners = np.repeat(np.arange(len(attributes)), np.diff(offsets))
    values = attributes.items.slice(start, end - start)
    return _Attributes(owners, values, _by_name(attributes.keys.slice(start, end - start)))


def _flatten_events(events: pa.ListArray) -> _Attributes:
    """Flatten the attributes of all events, owned by the span of the event."""
    lengths = pc.fill_null(pc.list_value_length(events), 0).to_numpy()
    of_event = np.repeat(np.arange(len(events)), lengths)
    flat = _flatten(events.flatten().field("attributes"))
    return _Attributes(of_event[flat.owners], flat.values, flat.by_name)


def _by_name(keys: pa.Array) -> dict[str, Positions]:
    encoded = keys.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    names = encoded.dictionary.to_pylist()
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    return {name: order[bounds[i] : bounds[i + 1]] for i, name in enumerate(names)}
