"""What an inventory said last, so that only what is new or has changed is handed on."""

from collections.abc import Iterable, Iterator
from typing import Final

from graphmind.graph.schema import Node, label

AGAIN_NS: Final = 600 * 10**9
"""All is handed on again after so long: what a store could not keep comes once more (chosen)."""


class Remembered:
    """The nodes that a source handed on, by label and key."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Node] = {}
        self._again_ns = 0

    def fresh(self, nodes: Iterable[Node], now_ns: int) -> Iterator[Node]:
        """Yield the nodes that differ from what was handed on last; forgets those not there."""
        if now_ns >= self._again_ns:
            self._known, self._again_ns = {}, now_ns + AGAIN_NS
        before, self._known = self._known, {}
        for node in nodes:
            kind = type(node)
            name = (label(kind), str(getattr(node, kind.KEY)))
            self._known[name] = node
            if before.get(name) != node:
                yield node
