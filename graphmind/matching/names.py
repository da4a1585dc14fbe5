"""Names without what changes from one time to the next: versions, numbers, ids."""

import re
from typing import Final

from graphmind.incidents.incident import Item

_UUID: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_HEX: Final = re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{5,}\b", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d+")
_PART: Final = re.compile(r"[^\W_]+")
_GAPS: Final = re.compile(r"([\W_])[\W_]+")
_STATUS: Final = re.compile(r"[1-5]\d\d")
NAMESPACED: Final = frozenset({"kv_key"})
"""Kinds named by namespace and id, such as ``profile:7``: the namespace is their family."""
NAMELESS: Final = frozenset({"region", "written_by_trace"})
"""Kinds whose name says where or when, not what: their repair does not depend on it (chosen)."""


def plain_operation(name: str) -> str:
    """Return an operation with ``#`` for what identifies one call: ``GET /users/7`` -> ``/#``."""
    return _NUMBER.sub("#", _HEX.sub("#", _UUID.sub("#", name)))


def plain_code(code: str) -> str:
    """Return an error code without ids and numbers; a status such as ``503`` stays."""
    return code if _STATUS.fullmatch(code) else plain_operation(code)


def family(name: str) -> str:
    """Return a name without versions, dates, numbers and ids; it may be empty.

    >>> family("atlas-large-2026-01-15"), family("reply@v7"), family("inference-eu-3fa21")
    ('atlas-large', 'reply', 'inference-eu')
    """
    words = _PART.sub(_family_of_part, _UUID.sub("", name))
    return _GAPS.sub(r"\1", words).strip(" -_.:/@#")


def _family_of_part(part: re.Match[str]) -> str:
    text = part.group()
    if _HEX.fullmatch(text) or re.fullmatch(r"v?\d\w*", text, re.IGNORECASE):
        return ""
    return text.rstrip("0123456789")


def cause_class(items: tuple[Item, ...]) -> str | None:
    """Return what kind of thing the cause is, all of its items; None without any.

    Kind and family of each item: the literal key, version or id differs when it happens again.
    """
    return " + ".join(sorted(_class_of(item) for item in items)) or None


def _class_of(item: Item) -> str:
    if item.kind in NAMELESS:
        return item.kind
    name = re.split(r"[:/]", item.name, maxsplit=1)[0] if item.kind in NAMESPACED else item.name
    return f"{item.kind} {family(name)}".rstrip()
