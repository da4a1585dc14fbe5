"""Inventory as CSV: a header with a ``label`` column, one record a row.

Columns are separated by commas, semicolons or tabs; a cell left empty is absent.
"""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from graphmind.graph.schema import Node
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.inventory import node_of
from graphmind_loaders.records import MISSHAPEN

name = "inventory-csv"

_DELIMITERS = (",", ";", "\t")


def recognises(head: bytes) -> bool:
    """Whether the first line is a header with a label column."""
    header, _, _ = head.partition(b"\n")
    return _delimiter(header.decode("utf-8-sig", "replace")) is not None


def _delimiter(header: str) -> str | None:
    for delimiter in _DELIMITERS:
        columns = header.strip().split(delimiter)
        if len(columns) > 1 and "label" in columns:
            return delimiter
    return None


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[Node]:
    """Yield the nodes listed, in the order of the file."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
    header = text.readline()
    delimiter = _delimiter(header) or ","
    columns = header.strip().split(delimiter)
    for row in _rows(csv.reader(text, delimiter=delimiter), rejected):
        if len(row) > len(columns):
            rejected.add(MISSHAPEN, f"{len(row)} cells under {len(columns)} columns: {row}")
        elif row:
            record = dict(zip(columns, row, strict=False))
            yield from node_of(record.get("label"), record, rejected)


def _rows(reader: Iterator[list[str]], rejected: Rejections) -> Iterator[list[str]]:
    while True:
        try:
            yield next(reader)
        except csv.Error as error:
            rejected.add(MISSHAPEN, str(error))
        except StopIteration:
            return
