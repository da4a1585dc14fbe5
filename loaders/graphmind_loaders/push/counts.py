"""What a receiver has answered, as counters."""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Counters at one moment, since the receiver began."""

    requests: dict[tuple[str, str], int]
    """By signal and outcome; the signal is empty where a request named none."""
    accepted: dict[str, int]
    """Records stored, by signal."""
    rejected: dict[str, int]
    """Records left out of requests that were taken, by signal."""
    body_bytes: dict[str, int]
    """Bytes of the bodies decoded, unpacked, by signal."""


@dataclass
class Counts:
    """The counters; any thread may add."""

    _requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    _accepted: Counter[str] = field(default_factory=Counter)
    _rejected: Counter[str] = field(default_factory=Counter)
    _body_bytes: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def refused(self, signal: str, outcome: str) -> None:
        """Count a request that was not taken."""
        with self._lock:
            self._requests[signal, outcome] += 1

    def taken(
        self, signal: str, outcome: str, *, accepted: int, rejected: int, body_bytes: int
    ) -> None:
        """Count a request that was taken."""
        with self._lock:
            self._requests[signal, outcome] += 1
            self._accepted[signal] += accepted
            self._rejected[signal] += rejected
            self._body_bytes[signal] += body_bytes

    def totals(self) -> Totals:
        """Return all counters."""
        with self._lock:
            return Totals(
                requests=dict(self._requests),
                accepted=dict(self._accepted),
                rejected=dict(self._rejected),
                body_bytes=dict(self._body_bytes),
            )
