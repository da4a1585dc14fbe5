"""What an inventory said last, so that only what is new or has changed is handed on."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from graphmind.graph.schema import Node, label

AGAIN_NS: Final = 600 * 10**9
"""All is handed on again after so long: what a store could not keep comes once more (chosen)."""


NOTICED_MAX: Final = 1_000
"""Changes kept of those that only we saw (chosen)."""


class Remembered:
    """The nodes that a source handed on, by label and key."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Node] = {}
        self._noticed: deque[Node] = deque(maxlen=NOTICED_MAX)
        self._again_ns = 0

    def notice(self, changes: Iterable[Node]) -> None:
        """Keep changes that the server does not tell again."""
        self._noticed.extend(changes)

    def fresh(self, nodes: Iterable[Node], now_ns: int) -> Iterator[Node]:
        """Yield nodes and changes noticed that differ from what was handed on last."""
        if now_ns >= self._again_ns:
            self._known, self._again_ns = {}, now_ns + AGAIN_NS
        before, self._known = self._known, {}
        for node in (*nodes, *self._noticed):
            kind = type(node)
            name = (label(kind), str(getattr(node, kind.KEY)))
            self._known[name] = node
            if before.get(name) != node:
                yield node
