"""Looks attribute names up in a whole batch of spans at once."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Positions = NDArray[np.int64]
_NOTHING: Positions = np.zeros(0, np.int64)
SPAN_NAME = "span.name"
"""Stands for the name of the span, among the names of its attributes."""


@dataclass(frozen=True)
class _Attributes:
    """Attributes of many owners, flattened: owner, code of the name, and text, by position."""

    owners: Positions
    codes: NDArray[np.int32]
    texts: pa.Array
    filled: NDArray[np.bool_]
    code_of: dict[str, int]

    def positions(self, name: str) -> Positions:
        """Return where the name has a text that is not empty, in order."""
        if name not in self.code_of:
            return _NOTHING
        return np.flatnonzero((self.codes == self.code_of[name]) & self.filled)


class Lookup:
    """Finds, per span, an attribute on the span, else on its events, else on its resource.

    An empty text counts as absent. A span that carries a name twice answers with the first; of
    events the last one speaks.
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.rows = batch.num_rows
        self._span_names = batch.column("name")
        self._spans = _flatten(batch.column("attributes"))
        self._events = _flatten_events(batch.column("events"))
        self._resources = _flatten(batch.column("resource").dictionary)
        self._resource = pc.fill_null(batch.column("resource").indices, -1).to_numpy()
        parts = (self._spans, self._events, self._resources)
        self._texts = pa.concat_arrays([part.texts for part in parts])
        self._names = frozenset().union(*(part.code_of for part in parts))

    def has(self, name: str) -> bool:
        """Whether any span, event or resource of the batch carries the name."""
        return name in self._names or name == SPAN_NAME

    def texts(self, name: str) -> pa.Array:
        """Return the text of the name per span, null where it has none."""
        if name == SPAN_NAME:
            return self._span_names
        found = np.full(self.rows, -1, np.int64)
        offset = len(self._spans.texts) + len(self._events.texts)
        at = self._resources.positions(name)
        if len(at):
            of_resource = np.full(int(self._resource.max(initial=-1)) + 2, -1, np.int64)
            known = self._resources.owners[at] < len(of_resource) - 1
            of_resource[self._resources.owners[at[known]]] = at[known] + offset
            found = of_resource[self._resource]
        at = self._events.positions(name)
        found[self._events.owners[at]] = at + len(self._spans.texts)
        at = self._spans.positions(name)[::-1]
        found[self._spans.owners[at]] = at
        return self._texts.take(pa.array(found, mask=found < 0))

    def unused(self, attributes: pa.MapArray, known: Collection[str]) -> pa.MapArray:
        """Return the attributes of the spans without the names known."""
        spans = self._spans
        wanted = np.array([name not in known for name in spans.code_of], bool)
        keep = wanted[spans.codes] if len(wanted) else np.zeros(0, bool)
        offsets = attributes.offsets.to_numpy().astype(np.int64)
        start, end = int(offsets[0]), int(offsets[-1])
        kept_before = np.concatenate([[0], np.cumsum(keep)])
        mask = pa.array(keep)
        return pa.MapArray.from_arrays(
            pa.array(kept_before[offsets - start], pa.int32()),
            attributes.keys.slice(start, end - start).filter(mask),
            spans.texts.filter(mask),
        )


def read_unique(texts: pa.Array, read: Callable[[str], str | None]) -> pa.Array:
    """Apply a reading once to each distinct text."""
    encoded = texts.dictionary_encode()
    answers = [None if text is None else read(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(answers, pa.string()).take(encoded.indices)


def _flatten(attributes: pa.MapArray) -> _Attributes:
    """Flatten one map per owner."""
    offsets = attributes.offsets.to_numpy().astype(np.int64)
    start, end = int(offsets[0]), int(offsets[-1])
    texts = attributes.items.slice(start, end - start)
    names = attributes.keys.slice(start, end - start).dictionary_encode()
    return _Attributes(
        owners=np.repeat(np.arange(len(attributes)), np.diff(offsets)),
        codes=names.indices.to_numpy(),
        texts=texts,
        filled=pc.fill_null(pc.binary_length(texts), 0).to_numpy() > 0,
        code_of={name: code for code, name in enumerate(names.dictionary.to_pylist())},
    )


def _flatten_events(events: pa.ListArray) -> _Attributes:
    """Flatten the attributes of all events, owned by the span of the event."""
    lengths = pc.fill_null(pc.list_value_length(events), 0).to_numpy()
    of_event = np.repeat(np.arange(len(events)), lengths)
    flat = _flatten(events.flatten().field("attributes"))
    return replace(flat, owners=of_event[flat.owners])
