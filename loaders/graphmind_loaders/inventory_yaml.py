"""Inventory as YAML: a mapping of sections, or a list of records."""

import re
from collections.abc import Iterator
from typing import BinaryIO

import yaml

from graphmind.errors import SourceError
from graphmind.graph.schema import Node
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.inventory import SECTIONS, nodes_of

name = "inventory-yaml"

_SECTION = re.compile(rb"^(?:%s|-\s+label)\s*:" % "|".join(SECTIONS).encode(), flags=re.MULTILINE)


def recognises(head: bytes) -> bool:
    """Whether the head of a file is YAML with sections, or records with a label."""
    return head.lstrip()[:1] not in {b"{", b"["} and _SECTION.search(head) is not None


def read(stream: BinaryIO, rejected: Rejections) -> Iterator[Node]:
    """Yield the nodes listed, in the order of the file.

    Raises SourceError if the file is not YAML, since nothing in it can then be told apart.
    """
    try:
        documents = list(yaml.safe_load_all(stream.read().decode("utf-8", "replace")))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SourceError(f"broken YAML ({' '.join(str(error).split())})") from error
    for document in documents:
        yield from nodes_of(document, rejected)
