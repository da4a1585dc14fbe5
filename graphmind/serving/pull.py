"""Pulling: each source is asked again and again, from where the last answer that was kept ended.

The cursor of a source moves only when all that a pull brought is durable, so a kill at any moment
costs nothing but asking again. Each source has its own thread: one that is broken stops no other.
"""

import logging
import random
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from contextlib import closing
from typing import Final, cast

import pyarrow as pa

from graphmind.errors import GraphmindError, Overloaded, SourceError
from graphmind.graph.schema import Node
from graphmind.serving.cursors import Cursors
from graphmind.serving.pull_report import PullReport, PullState, tell
from graphmind.sources import PullSource, PullWindow, Sink
from graphmind.telemetry.lines import sift_logs
from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.metrics import SAMPLES
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.sift import sift
from graphmind.telemetry.spans import SPANS

PIECE_S: Final = 600.0
"""A gap is worked off in windows no longer (chosen: what a failure makes us read again)."""
SINCE_S: Final = 600.0
"""How far back the first pull looks, unless the option ``since_s`` says otherwise."""
PAUSE_MAX_S: Final = 300.0
"""Longest pause of our own choice after failures."""
ASKED_PAUSE_MAX_S: Final = 3600.0
"""Longest pause that a server is granted (chosen: longer is an outage somebody should see)."""
OFFER_ROWS: Final = 5000  # chosen: several fit into any queue beside those of other senders
OFFERS_MAX: Final = 64  # chosen: as many wait to be stored before more is read
NODES_MAX: Final = 1000  # chosen: nodes stored at a time
_SIGNALS: Final = (("spans", SPANS), ("logs", LOGS), ("samples", SAMPLES))
_SECOND_NS: Final = 10**9
_STOP_POLL_S: Final = 0.5
_log = logging.getLogger(__name__)


class _Stopped(GraphmindError):  # noqa: N818 - reads as the state it reports
    """The service stops: what is under way is given up, and asked for again next time."""


class Puller:
    """Pulls one source into a sink. For one thread at a time; the state may be read by any."""

    def __init__(
        self,
        source: PullSource,
        sink: Sink,
        cursors: Cursors,
        *,
        store_nodes: Callable[[Sequence[Node]], None],
        future_s: float = 86_400.0,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._source = source
        self._sink = sink
        self._cursors = cursors
        self._store_nodes = store_nodes
        self._future_s = future_s
        self._clock = clock
        self._chance = chance
        self._stop = threading.Event()
        self.state = PullState(name=source.config.name, kind=source.config.kind)

    def pull_once(self, now_ns: int, stop: threading.Event | None = None) -> PullReport:
        """Read what is new up to now, or the next piece of it, and move the cursor.

        Nothing is raised: what failed stands in the report. ``stop`` breaks waiting off.
        """
        run_id, began = uuid.uuid4().hex[:12], self._clock()
        self._stop = stop or self._stop
        rows: Counter[str] = Counter()
        rejected, window = Rejections(), PullWindow(from_ns=now_ns, until_ns=now_ns)
        error, asked_s, behind = "", None, False
        try:
            window, behind = self._window(now_ns)
            self._take(window, rows, rejected, now_ns)
            self._cursors.save(self.state.name, window.until_ns)
        except GraphmindError as failure:
            error = str(failure) or type(failure).__name__
            asked_s = failure.retry_after_s if isinstance(failure, SourceError) else None
        except Exception as failure:  # noqa: BLE001 - the edge: a bug in a loader ends no thread
            error = f"{type(failure).__name__}: {failure}"
            _log.debug("pull_bug source=%s run_id=%s", self.state.name, run_id, exc_info=True)
        seconds = self._clock() - began
        report = PullReport(
            run_id=run_id,
            window=window,
            rows=rows,
            rejected=rejected,
            seconds=seconds,
            error=error,
            next_due_s=self._pause_s(seconds, asked_s, error=error, behind=behind),
        )
        self._note(report, now_ns)
        return report

    def close(self) -> None:
        """Release the source's connections."""
        self._source.close()

    def _window(self, now_ns: int) -> tuple[PullWindow, bool]:
        """Return what to read next, and whether there is more after it."""
        config = self._source.config
        ready_ns = now_ns - _ns(config.options.get("lag_s", 0.0))
        cursor_ns = self._cursors.load(config.name)
        self.state.cursor_ns = cursor_ns
        if cursor_ns is None:
            start_ns = ready_ns - _ns(config.options.get("since_s", SINCE_S))
            from_ns = start_ns
        else:
            # A clock that was set back must not leave a source unread until it catches up.
            start_ns = min(cursor_ns, ready_ns)
            from_ns = start_ns - _ns(config.overlap_s)
        until_ns = min(ready_ns, start_ns + _ns(PIECE_S))
        return PullWindow(from_ns=max(from_ns, 0), until_ns=until_ns), until_ns < ready_ns

    def _take(
        self, window: PullWindow, rows: Counter[str], rejected: Rejections, now_ns: int
    ) -> None:
        """Read a window and return when all of it is durable."""
        waiting: deque[Future[None]] = deque()
        nodes: list[Node] = []
        pulled = self._source.pull(window, rejected)
        try:
            for item in pulled:
                if self._stop.is_set():
                    raise _Stopped("stopped before all was read")
                if not isinstance(item, Node):
                    self._offer(self._sifted(item, rejected, now_ns), rows, waiting)
                    continue
                nodes.append(item)
                if len(nodes) >= NODES_MAX:
                    self._keep(nodes, rows)
        finally:
            # One that is left early ends its request now, not when it is collected.
            if isinstance(pulled, Generator):
                pulled.close()
        self._keep(nodes, rows)
        while waiting:
            self._await(waiting.popleft())

    def _keep(self, nodes: list[Node], rows: Counter[str]) -> None:
        if nodes:
            self._store_nodes(tuple(nodes))
            rows["nodes"] += len(nodes)
            nodes.clear()

    def _sifted(self, batch: pa.RecordBatch, rejected: Rejections, now_ns: int) -> pa.RecordBatch:
        if batch.schema.equals(SPANS):
            return sift(batch, rejected, now_ns=now_ns, future_s=self._future_s)
        if batch.schema.equals(LOGS):
            return sift_logs(batch, rejected, now_ns=now_ns, future_s=self._future_s)
        return batch

    def _offer(
        self, batch: pa.RecordBatch, rows: Counter[str], waiting: deque[Future[None]]
    ) -> None:
        signal = next(name for name, schema in _SIGNALS if batch.schema.equals(schema))
        for start in range(0, batch.num_rows, OFFER_ROWS):
            if len(waiting) >= OFFERS_MAX:
                self._await(waiting.popleft())
            part = batch.slice(start, OFFER_ROWS)
            waiting.append(self._accepted(part))
            rows[signal] += part.num_rows

    def _accepted(self, batch: pa.RecordBatch) -> Future[None]:
        """Offer until there is room: a source keeps what we do not take, so waiting is free."""
        while True:
            try:
                return self._sink.offer(batch)
            except Overloaded as full:
                if self._stop.wait(full.retry_after_s):
                    raise _Stopped("stopped while the queue was full") from full

    def _await(self, stored: Future[None]) -> None:
        while True:
            try:
                stored.result(timeout=_STOP_POLL_S)
            except TimeoutError:
                if stored.done():
                    raise
                if self._stop.is_set():
                    raise _Stopped("stopped before all was stored") from None
            else:
                return

    def _pause_s(self, seconds: float, asked_s: float | None, *, error: str, behind: bool) -> float:
        every_s = self._source.config.every_s
        if not error:
            return 0.0 if behind else max(every_s - seconds, 0.0)
        doubled_s = min(every_s * 2.0 ** min(self.state.failures + 1, 20), PAUSE_MAX_S)
        # Never all sources at once, should they have failed together.
        own_s = doubled_s * (0.5 + 0.5 * self._chance())
        return max(own_s, min(asked_s or 0.0, ASKED_PAUSE_MAX_S))

    def _note(self, report: PullReport, now_ns: int) -> None:
        state = self.state
        state.pulls += 1
        state.error = report.error
        state.rows.update(report.rows)
        state.rejected.merge(report.rejected)
        if report.error:
            state.failures += 1
            state.failed += 1
        else:
            state.failures = 0
            state.last_success_ns, state.cursor_ns = now_ns, report.window.until_ns
        tell(report, state, now_ns)


def run_pullers(pullers: Iterable[Puller], stop: threading.Event) -> list[threading.Thread]:
    """Start a thread for each, named ``pull-NAME``; it ends, connections closed, after ``stop``.

    A request under way is not broken off: a thread may take as long as the source's ``timeout_s``
    to end. Stop before the sink closes.
    """
    threads = [
        threading.Thread(
            target=_run, args=(puller, stop), name=f"pull-{puller.state.name}", daemon=True
        )
        for puller in pullers
    ]
    for thread in threads:
        thread.start()
    return threads


def _run(puller: Puller, stop: threading.Event) -> None:
    with closing(puller):
        while not stop.is_set():
            stop.wait(puller.pull_once(time.time_ns(), stop).next_due_s)


def _ns(seconds: object) -> int:
    """Turn seconds into ns; options were checked by the source when it was opened."""
    return round(float(cast("float", seconds)) * _SECOND_NS)
