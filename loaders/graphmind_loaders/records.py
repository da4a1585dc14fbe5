"""Reading records one by one, so that a broken one is counted and costs no other."""

import reprlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO, TypeVar

import msgspec
import pyarrow as pa

from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.columns import SpanColumns
from graphmind_loaders.documents import values
from graphmind_loaders.shape import Path
from graphmind_loaders.span import Span

NOT_TRACES = "not traces"
"""Reason: a document of a known family that holds no spans, such as logs or metrics."""

MISSHAPEN = "record of another shape"
"""Reason: valid JSON whose fields are not of the types its kind has."""

T = TypeVar("T")
R = TypeVar("R")

_GROUP_SPANS = 4096  # chosen: spans handed on at a time


def read_as(value: Any, kind: type[T], rejected: Rejections) -> T | None:
    """Check a JSON value against a record type; one that does not fit is counted."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except (ValueError, RecursionError) as error:
        _count(rejected, error, value)
        return None


def read_records(
    stream: BinaryIO,
    rejected: Rejections,
    *,
    is_record: Callable[[Path], bool],
    records_of: Callable[[Any, Rejections], Iterable[R]],
    span_of: Callable[[R], Span],
) -> Iterator[pa.RecordBatch]:
    """Yield batches of the spans in a stream of JSON documents.

    ``records_of`` finds the records within one document, ``span_of`` reads one and may raise
    ValueError, which counts it. ``is_record`` tells where records stand, should JSON be broken.
    """
    columns = SpanColumns(rejected)
    spans = (
        span
        for document in values(stream, rejected, is_record)
        for span in _spans(records_of(document, rejected), span_of, rejected)
    )
    while group := list(islice(spans, _GROUP_SPANS)):
        yield from columns.add(group)
    yield from columns.rest()


def _spans(
    records: Iterable[R], span_of: Callable[[R], Span], rejected: Rejections
) -> Iterator[Span]:
    try:
        for record in records:
            try:
                yield span_of(record)
            except ValueError as error:
                _count(rejected, error, record)
    # Nested deeper than Python can follow: no telemetry is, so the document is given up.
    except RecursionError as error:
        _count(rejected, error, "")


def each(value: Any) -> Iterator[Any]:
    """Yield a value, or the values of a list, however deeply lists are nested."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        else:
            yield value


def _count(rejected: Rejections, error: Exception, value: Any) -> None:
    rejected.add(MISSHAPEN, f"{error}: {sample(value)}")


def sample(value: Any) -> str:
    """Describe a JSON value of any size and depth in a few words."""
    return reprlib.repr(value)
