"""Whose turn it is to write: one statement at a time, short work before the rest of long work."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets one thread write at a time; what waits for its turn ``at_once`` comes before a ``part``.

    A load of many statements holds no turn between two of them, so that a repair need not wait for
    its end. Neither may be asked for within the other.
    """

    def __init__(self) -> None:
        self._writing = threading.Lock()
        self._hurry = threading.Condition()
        self._hurried = 0

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Hold the turn for something short."""
        with self._hurry:
            self._hurried += 1
        try:
            with self._writing:
                yield
        finally:
            with self._hurry:
                self._hurried -= 1
                self._hurry.notify_all()

    @contextmanager
    def part(self) -> Iterator[None]:
        """Hold the turn for one statement of many; first let go all that is short."""
        with self._hurry:
            self._hurry.wait_for(lambda: not self._hurried)
        with self._writing:
            yield
