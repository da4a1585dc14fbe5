"""HTML and SVG in which text cannot be mistaken for markup: what is no ``Markup`` is escaped."""

from collections.abc import Sequence
from html import escape


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


EMPTY = Markup("")
_VOID = frozenset({"meta"})


def tag(name: str, /, *children: str | None, **attributes: str | float | None) -> Markup:
    """Return an element; attributes that are None are left out, ``class_`` is ``class``."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{together(children)}</{name}>")


def together(children: Sequence[str | None], between: str = "") -> Markup:
    """Join pieces: markup as it is, text escaped."""
    return Markup(
        between.join(
            each if isinstance(each, Markup) else escape(each, quote=False)
            for each in children
            if each is not None
        )
    )


def _text(value: str | float) -> str:
    """Write numbers of pictures to a hundredth, which no eye tells apart."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
