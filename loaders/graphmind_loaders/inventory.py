"""Inventory files: what the platform is made of, and what was changed when, as schema rows.

Every resource of the schema and ``Change`` may be listed. A record's fields are the schema's, in
snake_case or as stored; a time may be ISO 8601 or epoch milliseconds, its name with or without
the ``_ms``.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from graphmind.graph.schema import NODES, RESOURCES, Node, declared
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.inputs import OnFile, Source, find, load_sources, read_all
from graphmind_loaders.records import MISSHAPEN, sample
from graphmind_loaders.values import iso_ns

GROUP = "graphmind.inventory_sources"
"""The entry-point group; the built-in sources use the same door."""

UNKNOWN_SECTION = "inventory record of an unknown label"


@cache
def inventory_sources() -> tuple[Source[Node], ...]:
    """Return every inventory source that is installed, by name."""
    return load_sources(GROUP)


def read_inventory(
    paths: Sequence[str | Path],
    rejected: Rejections,
    *,
    stdin: BinaryIO | None = None,
    on_file: OnFile | None = None,
) -> Iterator[Node]:
    """Return an iterator over the records of files, folders, patterns and ``-``, in order.

    Raises SourceError as ``read_spans`` does.
    """
    return read_all(find(paths), inventory_sources(), rejected, stdin=stdin, on_file=on_file)


def _snake(label: str) -> str:
    return "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(label)).lower()


LABELS = (*RESOURCES, "Change")
"""What an inventory may list."""

SECTIONS: dict[str, type[Node]] = {
    name: NODES[label] for label in LABELS for name in (label, _snake(label), f"{_snake(label)}s")
}
"""Node types by the names a section or a record's ``label`` may have: ``agents``, ``Agent``."""


def nodes_of(document: Any, rejected: Rejections) -> Iterator[Node]:
    """Yield the records of a document: sections by name, or a list of records with a ``label``."""
    if isinstance(document, list):
        for record in document:
            yield from node_of(_label(record), record, rejected)
    elif isinstance(document, dict) and "label" in document:
        yield from node_of(_label(document), document, rejected)
    elif isinstance(document, dict):
        for section, records in document.items():
            for record in records if isinstance(records, list) else [records]:
                yield from node_of(section, record, rejected)
    else:
        rejected.add(MISSHAPEN, sample(document))


def _label(record: Any) -> Any:
    return record.get("label") if isinstance(record, dict) else None


def node_of(section: Any, record: Any, rejected: Rejections) -> Iterator[Node]:
    """Yield the node a record describes; one that describes none is counted."""
    kind = SECTIONS.get(section) if isinstance(section, str) else None
    if kind is None:
        rejected.add(UNKNOWN_SECTION, f"{sample(section)}: {sample(record)}")
    elif not isinstance(record, dict):
        rejected.add(MISSHAPEN, f"{sample(section)}: {sample(record)}")
    else:
        try:
            yield msgspec.convert(_fields(kind, record), kind, strict=False)
        except (ValueError, RecursionError) as error:
            rejected.add(MISSHAPEN, f"{section}: {error}: {sample(record)}")


def _fields(kind: type[Node], record: Mapping[Any, Any]) -> dict[str, Any]:
    """Rename a record's fields to the schema's and read its times; empty fields are absent."""
    known, fields = _ALIASES[kind], dict[str, Any]()
    for name, value in record.items():
        if name == "label" or value is None or value == "":
            continue
        if name not in known:
            expected = ", ".join(sorted({field for field, _ in known.values()}))
            raise ValueError(f"unknown field {name!r}, expected some of {expected}")
        field, is_time = known[name]
        fields[field] = _epoch_ms(value) if is_time else value
    return fields


def _aliases(kind: type[Node]) -> dict[str, tuple[str, bool]]:
    """Return the field for each name it may have, and whether it is a time."""
    aliases: dict[str, tuple[str, bool]] = {}
    for p in declared(kind):
        is_time = p.unit == "epoch ms"
        names = {p.field, p.field.rstrip("_"), p.stored}
        if is_time:
            names |= {p.field.removesuffix("_ms"), p.stored.removesuffix("Ms")}
        aliases |= dict.fromkeys(names, (p.field, is_time))
    return aliases


_ALIASES = {kind: _aliases(kind) for kind in SECTIONS.values()}


def _epoch_ms(value: Any) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else iso_ns(text) // 1_000_000
