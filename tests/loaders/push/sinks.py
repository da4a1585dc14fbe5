"""Sinks that stand for the engine: they keep, are full, fail, have a bug, or wait."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pyarrow as pa

from graphmind.errors import Overloaded, StoreError


@dataclass
class Keeping:
    """Keeps every batch at once."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def offer(self, batch: pa.RecordBatch) -> Future[None]:
        with self._lock:
            self.batches.append(batch)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for batch in self.batches for row in batch.to_pylist()]


class Full:
    """Has no room, and says when to come again."""

    def offer(self, batch: pa.RecordBatch) -> Future[None]:
        raise Overloaded("100000 spans wait already", retry_after_s=2.5)


class Failing:
    """Takes batches and cannot keep them."""

    def offer(self, batch: pa.RecordBatch) -> Future[None]:
        done: Future[None] = Future()
        done.set_exception(StoreError("the disk is full"))
        return done


class Broken:
    """Has a bug."""

    def offer(self, batch: pa.RecordBatch) -> Future[None]:
        raise ZeroDivisionError("a secret of the sender")


@dataclass
class Waiting:
    """Keeps batches once it is told to."""

    futures: list[Future[None]] = field(default_factory=list)
    rows: int = 0
    keeping: bool = False
    lock: Lock = field(default_factory=Lock)

    def offer(self, batch: pa.RecordBatch) -> Future[None]:
        future: Future[None] = Future()
        with self.lock:
            self.rows += batch.num_rows
            self.futures.append(future)
            keeping = self.keeping
        if keeping:
            future.set_result(None)
        return future

    def keep(self) -> None:
        with self.lock:
            self.keeping = True
            waiting = list(self.futures)
        for future in waiting:
            future.set_result(None)
