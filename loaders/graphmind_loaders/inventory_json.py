"""Inventory as JSON: an object of sections, a list of records, or one record a line."""

from collections.abc import Iterator
from typing import BinaryIO

from graphmind.graph.schema import Node
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.documents import values
from graphmind_loaders.inventory import SECTIONS, nodes_of
from graphmind_loaders.shape import Path, key_paths

name = "inventory-json"


def recognises(head: bytes) -> bool:
    """Whether the head of a file is JSON with sections, or records with a label."""
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}:
        return False
    return not {path[0] for path in key_paths(head) if path}.isdisjoint({*SECTIONS, "label"})


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[Node]:
    """Yield the nodes listed, in the order of the file."""
    for document in values(stream, rejected, _is_record):
        yield from nodes_of(document, rejected)


def _is_record(path: Path) -> bool:
    return len(path) <= 1
