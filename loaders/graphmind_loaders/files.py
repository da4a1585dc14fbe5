"""Files of any kind: traces as batches of spans in the one schema, inventories as nodes."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from graphmind.graph.schema import Node
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.inputs import OnFile, Source, find, load_sources, read_all
from graphmind_loaders.inventory import inventory_sources

GROUP = "graphmind.trace_sources"
"""The entry-point group; the built-in sources use the same door."""


@cache
def sources() -> tuple[Source[pa.RecordBatch], ...]:
    """Return every trace source that is installed, by name."""
    return load_sources(GROUP)


def read_spans(
    paths: Sequence[str | Path],
    rejected: Rejections,
    *,
    stdin: BinaryIO | None = None,
    on_file: OnFile | None = None,
) -> Iterator[pa.RecordBatch]:
    """Return an iterator over the spans of files, folders, patterns and ``-``, in order.

    Batches have the schema ``SPANS``. What cannot be read is counted in ``rejected``. Raises
    SourceError at once for a path that is not there, and while reading for a file of an unknown
    kind if it is the only one.
    """
    return read_all(find(paths), sources(), rejected, stdin=stdin, on_file=on_file)


def read_files(
    paths: Sequence[str | Path],
    rejected: Rejections,
    *,
    stdin: BinaryIO | None = None,
    on_file: OnFile | None = None,
) -> Iterator[pa.RecordBatch | Node]:
    """Return an iterator over what files hold, as ``read_spans``: spans of traces, or nodes."""
    both: tuple[Source[pa.RecordBatch | Node], ...] = (*sources(), *inventory_sources())
    return read_all(find(paths), both, rejected, stdin=stdin, on_file=on_file)
