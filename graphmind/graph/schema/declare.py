"""How a node or relationship is declared, and how a declaration is read back."""

from dataclasses import dataclass, fields
from types import NoneType
from typing import Annotated, Any, ClassVar, NamedTuple, get_args, get_type_hints

from graphmind.settings import Doc


class Ref(NamedTuple):
    """Marks a field that names another node: stored as a relationship, not as a property."""

    type: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node type: the class name is its label, ``KEY`` the field that identifies it."""

    KEY: ClassVar[str] = "key"
    INDEXED: ClassVar[tuple[str, ...]] = ()
    DERIVED: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Shared(Node):
    """A node that many traces touch; knows when it was first and last seen."""

    first_seen_ms: Annotated[int | None, Doc("first seen", "epoch ms")] = None
    last_seen_ms: Annotated[int | None, Doc("last seen", "epoch ms")] = None


@dataclass(frozen=True, kw_only=True)
class Found(Node):
    """A node an analysis run found; the next run replaces it."""

    DERIVED: ClassVar[bool] = True

    run_id: Annotated[str | None, Doc("analysis run that found it last")] = None


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A relationship type: ``ENDS`` are the pairs of labels (from, to) it may join."""

    ENDS: ClassVar[tuple[tuple[str, str], ...]] = ()
    DERIVED: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class SharedEdge(Edge):
    """A relationship between shared nodes; knows when it was first and last seen."""

    first_seen_ms: Annotated[int | None, Doc("first seen", "epoch ms")] = None
    last_seen_ms: Annotated[int | None, Doc("last seen", "epoch ms")] = None


@dataclass(frozen=True, kw_only=True)
class FoundEdge(Edge):
    """A relationship an analysis run found; the next run replaces it."""

    DERIVED: ClassVar[bool] = True

    run_id: Annotated[str | None, Doc("analysis run that found it last")] = None


class Property(NamedTuple):
    """One declared field: its Python name, stored name, type, unit, meaning and reference."""

    field: str
    stored: str
    type: str
    unit: str
    meaning: str
    ref: Ref | None


def label(node: type[Node]) -> str:
    """Return the label under which a node type is stored."""
    return node.__name__


def relationship(edge: type[Edge]) -> str:
    """Return the stored type of a relationship: the class name in UPPER_SNAKE.

    >>> relationship(type("CausedBy", (Edge,), {}))
    'CAUSED_BY'
    """
    name = edge.__name__
    return "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(name)).upper()


def stored_name(field: str) -> str:
    """Return the stored name of a field: lowerCamelCase.

    >>> stored_name("released_ms"), stored_name("from_")
    ('releasedMs', 'from')
    """
    first, *rest = field.strip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def key_of(node: type[Node]) -> str:
    """Return the stored name of the property that identifies a node."""
    return stored_name(node.KEY)


def declared(cls: type[Node] | type[Edge]) -> tuple[Property, ...]:
    """Return the fields of a node or relationship type, in order, references included."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(_property(field.name, hints[field.name]) for field in fields(cls))


def properties(cls: type[Node] | type[Edge]) -> tuple[Property, ...]:
    """Return the fields that are stored as properties."""
    return tuple(p for p in declared(cls) if p.ref is None)


def _property(field: str, hint: Any) -> Property:
    doc: Doc = hint.__metadata__[0]
    ref = next((extra for extra in hint.__metadata__ if isinstance(extra, Ref)), None)
    return Property(
        field, stored_name(field), _type_name(hint.__origin__), doc.unit, doc.meaning, ref
    )


def _type_name(hint: Any) -> str:
    """Name a type as the schema page shows it: ``string``, ``integer``, ``list of string``."""
    names = {str: "string", int: "integer", float: "float", bool: "boolean"}
    if hint in names:
        return names[hint]
    plain = [part for part in get_args(hint) if part not in (NoneType, ...)]
    if getattr(hint, "__origin__", None) is tuple:
        return f"list of {_type_name(plain[0])}"
    return _type_name(plain[0])
