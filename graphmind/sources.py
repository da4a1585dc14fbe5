"""What sources of live telemetry and the engine promise each other.

A source pushes (an OTLP receiver) or is pulled (Jaeger, Loki, Redis). It sees no store: what it
reads goes to a ``Sink`` or out of an iterator, in the one schema of its signal, told by the schema:
``SPANS``, ``LOGS``, ``SAMPLES`` (graphmind/telemetry), or nodes of the graph's schema.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from graphmind.graph.schema import Node
from graphmind.telemetry.rejections import Rejections


class Sink(Protocol):
    """Takes telemetry in. Any thread may offer; nothing is taken that cannot be kept."""

    def offer(self, batch: pa.RecordBatch) -> Future[None]:
        """Queue a batch of SPANS (sifted), LOGS or SAMPLES; done when it is durable.

        Raises Overloaded at once where the queue is full. The future raises StoreError where the
        batch could not be kept: then nothing of it was.
        """


class ReceiverTotals(Protocol):
    """What a receiver has answered since it began."""

    @property
    def requests(self) -> Mapping[tuple[str, str], int]:
        """By signal and outcome."""

    @property
    def accepted(self) -> Mapping[str, int]:
        """Records stored, by signal."""

    @property
    def rejected(self) -> Mapping[str, int]:
        """Records left out of requests that were taken, by signal."""

    @property
    def body_bytes(self) -> Mapping[str, int]:
        """Bytes of the bodies, unpacked, by signal."""


class Receiver(Protocol):
    """A push source while it listens."""

    name: str

    def totals(self) -> ReceiverTotals:
        """Return what was answered so far."""

    @property
    def address(self) -> str:
        """Where it listens: ``host:port``."""

    def stop(self) -> None:
        """Take no more requests, answer those under way, and return."""


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """One entry of the sources file (setting ``sources``)."""

    kind: str
    """Entry point in ``graphmind.pull_sources``: jaeger, tempo, loki, redis, ..."""
    name: str
    """Unique; names the cursor, the log lines and the metrics."""
    url: str = field(repr=False)
    """May carry ``user:password@``, so it is not shown."""
    every_s: float = 5.0
    overlap_s: float = 30.0
    """How far before its cursor a pull reads again: what came late is not missed."""
    timeout_s: float = 10.0
    token: str = field(default="", repr=False)
    """Bearer token, or ``user:password`` for basic authentication; never logged."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, object] = field(default_factory=dict)
    """What the kind takes besides, checked by it when it is opened."""


@dataclass(frozen=True, kw_only=True)
class PullWindow:
    """The time a pull reads: ``from_ns <= time < until_ns``."""

    from_ns: int
    until_ns: int


class PullSource(Protocol):
    """A server that is asked again and again. Made by ``open(config)`` of its module."""

    config: SourceConfig

    def pull(self, window: PullWindow, rejected: Rejections) -> Iterator[pa.RecordBatch | Node]:
        """Yield all of the window: SPANS, LOGS or SAMPLES, or nodes; what comes twice is kept once.

        A broken record is counted in ``rejected``. Raises SourceError where the server does not
        answer, refuses or answers with something else, with ``retry_after_s`` where it said when.
        """

    def close(self) -> None:
        """Release connections."""
