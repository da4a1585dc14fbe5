"""Spans gathered into Arrow batches of the one span schema, column by column."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.spans import ATTRIBUTES, SPANS
from graphmind_loaders.span import Event, Link, Span
from graphmind_loaders.values import hex_of

BATCH_SPANS_MAX = 32_768  # chosen: large enough for columns to pay, small beside any memory
BATCH_CHARS_MAX = 64 * 2**20  # chosen: far below the 2 GiB that one Arrow text column can hold
VALUE_CHARS_MAX = 65_536  # chosen: longer than any value a diagnosis reads
CUT = f"attribute value cut to {VALUE_CHARS_MAX} characters"
"""Reason: the rest of a value is not kept; its record is."""

_CHUNK_SPANS = 512  # a chunk's values together rarely exceed VALUE_CHARS_MAX, so few are measured

# Made once: Arrow looks for pandas each time it meets a Python value.
_EMPTY, _NULL = pa.scalar("", pa.string()), pa.scalar(None, pa.string())

_Attributes = dict[str, str | None]


class SpanColumns:
    """Collects spans and hands them over in batches, in the order they came.

    Attribute values beyond ``VALUE_CHARS_MAX`` characters are cut, and each cut is counted.
    """

    def __init__(self, rejected: Rejections) -> None:
        self._rejected = rejected
        self._clear()

    def _clear(self) -> None:
        self._spans: list[Span] = []
        self._keys: list[str] = []
        self._values: list[str | None] = []
        self._chars = 0

    def add(self, spans: Sequence[Span]) -> Iterator[pa.RecordBatch]:
        """Take spans over; yield each batch that became full."""
        for start in range(0, len(spans), _CHUNK_SPANS):
            self._append(spans[start : start + _CHUNK_SPANS])
            if len(self._spans) >= BATCH_SPANS_MAX or self._chars >= BATCH_CHARS_MAX:
                yield from self.rest()

    def rest(self) -> Iterator[pa.RecordBatch]:
        """Yield what is left as a last batch, if anything is."""
        if self._spans:
            yield self._batch()
            self._clear()

    def _append(self, spans: Sequence[Span]) -> None:
        maps = [span.attributes for span in spans]
        values = [value for attributes in maps for value in attributes.values()]
        chars = sum(map(len, filter(None, values)))
        self._keys += chain.from_iterable(maps)
        # No value can be longer than all of them together.
        self._values += self._cut(maps) if chars > VALUE_CHARS_MAX else values
        self._spans += spans
        self._chars += chars

    def _cut(self, maps: Iterable[_Attributes]) -> list[str | None]:
        values: list[str | None] = []
        for key, value in chain.from_iterable(attributes.items() for attributes in maps):
            if value is not None and len(value) > VALUE_CHARS_MAX:
                self._rejected.add(CUT, f"{key}: {len(value)} characters")
                values.append(value[:VALUE_CHARS_MAX])
            else:
                values.append(value)
        return values

    def _maps(self, maps: Sequence[_Attributes]) -> pa.MapArray:
        keys = list(chain.from_iterable(maps))
        return _map_array(map(len, maps), keys, self._cut(maps))

    def _batch(self) -> pa.RecordBatch:
        spans = self._spans
        lengths = (len(span.attributes) for span in spans)
        columns = {
            "trace_id": _ids([span.trace_id for span in spans]),
            "span_id": _ids([span.span_id for span in spans]),
            "parent_span_id": parents(_ids([span.parent_span_id for span in spans])),
            "name": [span.name for span in spans],
            "kind": [span.kind for span in spans],
            "start_ns": [span.start_ns for span in spans],
            "end_ns": [span.end_ns for span in spans],
            "status": [span.status for span in spans],
            "status_message": [span.status_message for span in spans],
            "trace_state": [span.trace_state for span in spans],
            "scope": [span.scope for span in spans],
            "resource": self._resources([span.resource for span in spans]),
            "attributes": _map_array(lengths, self._keys, self._values),
            "events": self._events([span.events for span in spans]),
            "links": _links([span.links for span in spans]),
        }
        arrays = [_array(columns[field.name], field.type) for field in SPANS]
        return pa.RecordBatch.from_arrays(arrays, schema=SPANS)

    def _resources(self, resources: Sequence[_Attributes]) -> pa.DictionaryArray:
        """Encode each resource once: first by identity, then by its content."""
        distinct = {id(resource): resource for resource in resources}
        seen: dict[tuple[tuple[str, str | None], ...], int] = {}
        codes = {
            identity: seen.setdefault(tuple(sorted(resource.items())), len(seen))
            for identity, resource in distinct.items()
        }
        indices = pa.array([codes[id(resource)] for resource in resources], pa.int32())
        return pa.DictionaryArray.from_arrays(indices, self._maps([dict(key) for key in seen]))

    def _events(self, events: Sequence[Sequence[Event]]) -> pa.ListArray:
        flat = list(chain.from_iterable(events))
        children = [
            pa.array([event.name for event in flat], pa.string()),
            pa.array([event.time_ns for event in flat], pa.int64()),
            self._maps([event.attributes for event in flat]),
        ]
        return _list_array(events, children, SPANS.field("events").type)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _links(links: Sequence[Sequence[Link]]) -> pa.ListArray:
    flat = list(chain.from_iterable(links))
    children = [_ids([link.trace_id for link in flat]), _ids([link.span_id for link in flat])]
    return _list_array(links, children, SPANS.field("links").type)


def _list_array(
    lists: Sequence[Sequence[object]], children: list[pa.Array], kind: pa.ListType
) -> pa.ListArray:
    structs = pa.StructArray.from_arrays(children, fields=list(kind.value_type))
    return pa.ListArray.from_arrays(_offsets(map(len, lists)), structs, type=kind)


def _map_array(
    lengths: Iterable[int], keys: Sequence[str], values: Sequence[str | None]
) -> pa.MapArray:
    return pa.MapArray.from_arrays(
        _offsets(lengths), pa.array(keys, pa.string()), pa.array(values, pa.string()), ATTRIBUTES
    )


def _offsets(lengths: Iterable[int]) -> pa.Array:
    return pa.array(list(accumulate(lengths, initial=0)), pa.int32())


def _ids(ids: Sequence[str | None]) -> pa.Array:
    """Turn ids into lower-case hex; an empty one is null."""
    array = pa.array(ids, pa.string())
    # Only base64 of 8 or 16 bytes holds its padding sign; hex never does.
    if pc.any(pc.match_substring(array, "=")).as_py():
        array = pa.array([hex_of(text) for text in ids], pa.string())
    return pc.if_else(pc.equal(array, _EMPTY), _NULL, pc.ascii_lower(array))


def parents(ids: pa.Array) -> pa.Array:
    """Read a parent of zeros as none, which is how some writers mark a root."""
    return pc.if_else(pc.equal(pc.ascii_ltrim(ids, characters="0"), _EMPTY), _NULL, ids)
