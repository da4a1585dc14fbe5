"""What was worked out from what is stored, kept until that changes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """Keeps the values asked for last. Any thread may ask; values are shared and not changed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[Key, Value] = OrderedDict()
        self._version = 0
        self._lock = threading.Lock()

    def get(self, key: Key, work: Callable[[], Value]) -> Value:
        """Return what is known, or work it out; nothing is kept where ``work`` raises."""
        with self._lock:
            version = self._version
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        value = work()
        with self._lock:
            # What was read before a change may be older than what is asked for after it.
            if version == self._version:
                self._known[key] = value
                if len(self._known) > self._most:
                    self._known.popitem(last=False)
        return value

    def forget(self) -> None:
        """Work everything out anew: what it was worked out from has changed."""
        with self._lock:
            self._known.clear()
            self._version += 1
