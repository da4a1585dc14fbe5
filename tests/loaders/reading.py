"""What a source makes of the bytes of a file."""

import io
from typing import Any

import pyarrow as pa
from graphmind_loaders.inputs import Source

from graphmind.telemetry.rejections import Rejections


def read(source: Source[pa.RecordBatch], file: bytes) -> tuple[list[pa.RecordBatch], Rejections]:
    """Return the batches and what was rejected."""
    rejected = Rejections()
    return list(source.read(io.BytesIO(file), rejected)), rejected


def spans(source: Source[pa.RecordBatch], file: bytes) -> list[dict[str, Any]]:
    """Return the spans of a file of which nothing is rejected for its shape."""
    return [span for batch in read(source, file)[0] for span in batch.to_pylist()]
