"""The way in: what senders offer is queued, stored in groups, and acknowledged after the commit.

A commit costs 25 to 50 ms however little it holds, so all that waits is stored by one (measured:
500 spans at a time go in at 10,000 a second, 20,000 at a time at 80,000).
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from graphmind.errors import GraphmindError, Overloaded, StoreError
from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.metrics import SAMPLES
from graphmind.telemetry.spans import SPANS

SIGNALS: Final = {"spans": SPANS, "logs": LOGS, "samples": SAMPLES}
GROUP_ROWS_MAX: Final = 20_480
"""Rows stored by one commit: what the archive takes straight into its file; beyond, the rate hardly
grows and a sender waits longer."""
APART_S: Final = 0.1
"""From one commit to the next at the least, unless a whole group waits: twenty agents that export
by themselves otherwise keep half a core busy with commits of a few spans each (measured)."""
QUEUE_BYTES_MAX: Final = 128 * 2**20
"""Few large rows may fill memory before many small ones fill the queue (chosen)."""
_log = logging.getLogger(__name__)

Store = Callable[[str, Sequence[pa.RecordBatch]], None]
"""Stores batches of one signal, durable when it returns, nothing of them if it raises."""


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    signal: str
    batch: pa.RecordBatch
    done: Future[None]
    since_s: float


@dataclass(kw_only=True)
class IntakeCounts:
    """What came in since the start."""

    rows: dict[str, int]
    groups: int = 0
    refused: int = 0
    failed: int = 0
    wait_s: float = 0.0
    """Of the batch that waited longest in the last group stored."""


class Intake:
    """A ``Sink`` (graphmind/sources.py) with one thread that stores; bounded, in order."""

    def __init__(self, store: Store, *, rows_max: int, apart_s: float = APART_S) -> None:
        self._store = store
        self._apart_s = apart_s
        self._rows_max = rows_max
        self._queue: deque[_Waiting] = deque()
        self._rows = self._bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self._rate = 0.0
        self._began_s = -apart_s
        self.counts = IntakeCounts(rows=dict.fromkeys(SIGNALS, 0))
        self._thread = threading.Thread(target=self._run, name="receive", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def offer(self, batch: pa.RecordBatch) -> Future[None]:
        """Queue a batch; see the port. An empty one is done at once."""
        done: Future[None] = Future()
        signal = next(name for name, schema in SIGNALS.items() if batch.schema.equals(schema))
        if not batch.num_rows:
            done.set_result(None)
            return done
        with self._changed:
            self._refuse_if_full(batch)
            waiting = _Waiting(signal=signal, batch=batch, done=done, since_s=time.monotonic())
            self._queue.append(waiting)
            self._rows += batch.num_rows
            self._bytes += batch.nbytes
            self._changed.notify()
        return done

    def alive(self) -> bool:
        """Whether what is offered now will be stored."""
        return self._thread.is_alive() and not self._closing

    def waiting(self) -> int:
        """Return the rows that wait."""
        return self._rows

    def fill(self) -> float:
        """Return how full the queue is, 0 to 1; a single batch may be larger than it."""
        return min(1.0, self._rows / self._rows_max)

    def close(self) -> None:
        """Store what waits, then take no more."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def _refuse_if_full(self, batch: pa.RecordBatch) -> None:
        """Raise Overloaded where the batch finds no room; one alone always does."""
        if self._closing:
            raise Overloaded("the server is stopping. Send again to the next", retry_after_s=1.0)
        full = self._rows + batch.num_rows > self._rows_max
        full |= self._bytes + batch.nbytes > QUEUE_BYTES_MAX
        if not (full and self._queue):
            return
        self.counts.refused += 1
        seconds = self._rows / self._rate if self._rate else 1.0
        raise Overloaded(
            f"expected room in a queue of {self._rows_max:,} rows, {self._rows:,} wait. "
            "Send again later, or send less",
            retry_after_s=min(30.0, max(1.0, seconds)),
        )

    def _run(self) -> None:
        while group := self._next_group():
            self._store_group(group)

    def _next_group(self) -> list[_Waiting]:
        """Wait for the next batches, all of one signal; none once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            more_s = self._began_s + self._apart_s - time.monotonic()
            self._changed.wait_for(
                lambda: self._closing or self._rows >= GROUP_ROWS_MAX, timeout=max(more_s, 0.0)
            )
            self._began_s = time.monotonic()
            return self._taken()

    def _taken(self) -> list[_Waiting]:
        """Take a group off the queue; what is of other signals keeps its order."""
        group: list[_Waiting] = []
        others: list[_Waiting] = []
        rows = 0
        while self._queue and rows < GROUP_ROWS_MAX:
            each = self._queue.popleft()
            if group and each.signal != group[0].signal:
                others.append(each)
                continue
            group.append(each)
            # A sender that has gone is still served: it may have been told already.
            each.done.set_running_or_notify_cancel()
            rows += each.batch.num_rows
        self._queue.extendleft(reversed(others))
        return group

    def _store_group(self, group: list[_Waiting]) -> None:
        began_s = time.monotonic()
        rows = sum(each.batch.num_rows for each in group)
        failures = self._stored(group)
        with self._changed:
            self._rows -= rows
            self._bytes -= sum(each.batch.nbytes for each in group)
            self._rate = rows / max(time.monotonic() - began_s, 1e-6)
        self.counts.groups += 1
        self.counts.wait_s = began_s - group[0].since_s
        for each, failure in zip(group, failures, strict=True):
            count = each.batch.num_rows
            if failure is None:
                self.counts.rows[each.signal] += count
            else:
                self.counts.failed += count
            if each.done.cancelled():
                continue
            if failure is None:
                each.done.set_result(None)
            else:
                each.done.set_exception(failure)

    def _stored(self, group: list[_Waiting]) -> list[GraphmindError | None]:
        """Store a group; return of each batch why it could not be kept, None where it was.

        What fails together is tried one by one: a batch that breaks costs no other.
        """
        try:
            self._store(group[0].signal, [each.batch for each in group])
        except StoreError as error:
            return [error] * len(group)
        except Exception as error:  # noqa: BLE001 - the one edge: a bug must not end the thread
            if len(group) > 1:
                return [failure for each in group for failure in self._stored([each])]
            _log.exception("receive_failed signal=%s", group[0].signal)
            failure = StoreError(
                f"{group[0].batch.num_rows} {group[0].signal} could not be stored: {error}. "
                "The log of the server says why"
            )
            failure.__cause__ = error
            return [failure]
        return [None] * len(group)
