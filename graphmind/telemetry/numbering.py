"""Texts become numbers, equal where the texts are: what numpy computes with."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.tree import Ints


def numbered_texts(*columns: pa.ChunkedArray) -> Ints:
    """Number the texts of a column (of several, the first not null), -1 for null."""
    column = pc.coalesce(*columns) if len(columns) > 1 else columns[0]
    indices = joined(column).dictionary_encode().indices
    return pc.fill_null(indices, -1).to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def numbered(table: pa.Table, *names: str) -> Ints:
    """Number the distinct combinations of columns; null is a value of its own."""
    codes = np.zeros(len(table), np.int64)
    for name in names:
        encoded = joined(table.column(name)).dictionary_encode(null_encoding="encode")
        codes = codes * max(len(encoded.dictionary), 1) + encoded.indices.to_numpy()
        codes = dense(codes)
    return codes


def dense(codes: Ints) -> Ints:
    """Renumber 0, 1, 2, ... in order of first appearance."""
    return pa.array(codes).dictionary_encode().indices.to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def joined(column: pa.ChunkedArray) -> pa.Array:
    """Return the chunks of a column as one."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
