"""Fields as a decoder wrote them into Arrow, turned into what the schemas of telemetry ask for.

Whole columns at a time: no step walks over spans or attributes, save for the rare values named.
"""

from collections.abc import Iterable
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray
from opentelemetry.proto.common.v1 import common_pb2

from graphmind.errors import SourceError
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.spans import ATTRIBUTES
from graphmind_loaders.columns import CUT, VALUE_CHARS_MAX
from graphmind_loaders.otlp_proto import plain
from graphmind_loaders.values import INT64_MAX, text_of

_EMPTY, _NULL = pa.scalar("", pa.string()), pa.scalar(None, pa.string())
_HEX: NDArray[np.uint16] = np.array([f"{byte:02x}" for byte in range(256)], "S2").view(np.uint16)

_CELLS_MAX = 1_000_000  # chosen: counting is ten times as fast as sorting, and needs 8 MB for these


def offsets_of(lists: pa.ListArray) -> NDArray[np.int32]:
    """Return where each list starts in ``lists.flatten()``, and where the last one ends."""
    offsets: NDArray[np.int32] = lists.offsets.to_numpy()
    return offsets if offsets[0] == 0 else np.subtract(offsets, offsets[0])


def list_array(lists: pa.ListArray, children: list[pa.Array], kind: pa.ListType) -> pa.ListArray:
    """Put flattened children back into lists as long as those they came from."""
    structs = pa.StructArray.from_arrays(children, fields=list(kind.value_type))
    return pa.ListArray.from_arrays(pa.array(offsets_of(lists)), structs, type=kind)


def lengths_of(binary: pa.BinaryArray) -> NDArray[np.int32]:
    """Return how many bytes each id has."""
    lengths: NDArray[np.int32] = pc.binary_length(binary).to_numpy()
    return lengths


def hex_ids(ids: pa.BinaryArray) -> pa.StringArray:
    """Write ids of any length in lower-case hex; an empty one is null."""
    if len(ids) == 0:
        return pa.array([], pa.string())
    _, ends, content = ids.buffers()
    offsets = np.frombuffer(ends, np.int32)[ids.offset : ids.offset + len(ids) + 1]
    octets = np.frombuffer(content or b"", np.uint8)[offsets[0] : offsets[-1]]
    starts = (offsets - offsets[0]) * 2
    present = np.diff(starts) > 0
    validity = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.StringArray.from_buffers(
        len(ids), pa.py_buffer(starts), pa.py_buffer(_HEX[octets]), validity
    )


def times(nanoseconds: pa.Array) -> pa.Array:
    """Turn unsigned times into signed ones: null where not set, or beyond 64 bits."""
    values = nanoseconds.to_numpy()
    return pa.array(values.astype(np.int64), mask=(values == 0) | (values > INT64_MAX))


def bounded(numbers: pa.Array, highest: int) -> pa.Array:
    """Return an enum's numbers, 0 for those that are absent or not of the enum."""
    values = numbers.fill_null(0).to_numpy()
    return pa.array(np.where((values >= 0) & (values <= highest), values, 0).astype(np.int8))


def filled(texts: pa.Array) -> pa.Array:
    """Return texts, null where empty."""
    return pc.if_else(pc.equal(texts, _EMPTY), _NULL, texts)


def attribute_maps(pairs: pa.ListArray, rejected: Rejections) -> pa.MapArray:
    """Turn lists of KeyValue into maps; the last value of a repeated key holds, at its first place.

    Values that are too long are cut and counted.
    """
    flat, offsets = pairs.flatten(), offsets_of(pairs)
    keys, values = flat.field("key"), texts_of(flat.field("value"))
    if _repeat(offsets, keys):
        kept = [list(dict(row).items()) for row in _rows(offsets, keys, values)]
        maps = pa.array(kept, ATTRIBUTES)
        offsets, keys, values = offsets_of(maps), maps.keys, maps.items
    values = cut(keys, values, rejected)
    return pa.MapArray.from_arrays(pa.array(offsets), keys, values, ATTRIBUTES)


def _repeat(offsets: NDArray[np.int32], keys: pa.StringArray) -> bool:
    encoded = keys.dictionary_encode()
    rows = np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))
    cells = rows * len(encoded.dictionary) + encoded.indices.to_numpy()
    if len(offsets) * len(encoded.dictionary) <= _CELLS_MAX:
        return bool(np.bincount(cells, minlength=1).max() > 1)
    return len(np.unique(cells)) < len(cells)


def _rows(
    offsets: NDArray[np.int32], keys: pa.Array, values: pa.Array
) -> Iterable[list[tuple[str, str | None]]]:
    pairs = list(zip(keys.to_pylist(), values.to_pylist(), strict=True))
    return (pairs[start:end] for start, end in pairwise(offsets))


def cut(keys: pa.Array, values: pa.Array, rejected: Rejections) -> pa.Array:
    """Cut values that are too long, and count each."""
    # No text has more characters than bytes, and few have so many bytes.
    if (pc.max(pc.binary_length(values)).as_py() or 0) <= VALUE_CHARS_MAX:
        return values
    chars = pc.utf8_length(values)
    long = pc.fill_null(pc.greater(chars, VALUE_CHARS_MAX), False)
    for key, length in zip(keys.filter(long), chars.filter(long), strict=True):
        rejected.add(CUT, f"{key}: {length} characters")
    return pc.utf8_slice_codeunits(values, 0, VALUE_CHARS_MAX)


def texts_of(values: pa.StructArray) -> pa.StringArray:
    """Write each AnyValue as text, as ``values.text_of`` does."""
    columns = [values.field("string")]
    for kind in ("int", "bool", "double", "array", "kvlist", "bytes"):
        column = values.field(kind)
        if column.null_count < len(column):
            vectorised = kind in {"int", "bool"}
            columns.append(pc.cast(column, pa.string()) if vectorised else _each(kind, column))
    return pc.coalesce(*columns) if len(columns) > 1 else columns[0]


def _each(kind: str, column: pa.Array) -> pa.StringArray:
    """Write values one by one: Arrow has another text for doubles, the other kinds are rare."""
    present = column.is_valid().to_numpy(zero_copy_only=False)
    written = pa.array([_text(kind, value) for value in column.drop_null().to_pylist()])
    places = pa.array(np.cumsum(present) - 1, mask=~present)
    return written.take(places)


def _text(kind: str, value: Any) -> str | None:
    if kind == "double":
        # As JSON writes it, and twenty times as fast; only what is not finite differs.
        return repr(value) if isfinite(value) else text_of(value)
    whole = common_pb2.AnyValue()
    if kind == "bytes":
        whole.bytes_value = value
    else:
        part = whole.array_value if kind == "array" else whole.kvlist_value
        part.SetInParent()
        try:
            part.MergeFromString(value)
        except DecodeError as error:
            raise SourceError(
                f"expected a list or map as the value of an attribute, got {len(value)} bytes "
                f"that do not decode ({error}): mend the sender"
            ) from error
    return text_of(plain(whole))
