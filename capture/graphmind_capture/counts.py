"""What capture itself did, counted (S28)."""

import threading
from collections import Counter
from typing import Final

NAMES: Final = (
    "spans",  # ended
    "exported",
    "sampled_out",
    "folded_away",
    "markers",
    "overflowed",  # let through undecided, because the buffer was full
    "failures",  # of capture itself, logged once each kind
    "dropped_queue",
    "dropped_export",
    "dropped_shutdown",
)


class Counts:
    """Counters of one process; safe between threads."""

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """Start at zero; also in a forked child."""
        self._lock = threading.Lock()
        self._values: Counter[str] = Counter()

    def add(self, name: str, count: int = 1) -> None:
        """Count. Takes one of ``NAMES``."""
        with self._lock:
            self._values[name] += count

    def read(self) -> dict[str, int]:
        """Return all, zeros too."""
        with self._lock:
            return {name: self._values[name] for name in NAMES}
