"""The one thread of capture: looks after open spans, folds what was decided, and sends it."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext

from graphmind_capture.attributes import PROBABILITY
from graphmind_capture.counts import Counts
from graphmind_capture.folding import fold
from graphmind_capture.redis_keys import spread
from graphmind_capture.sampling import probability_of, stated_threshold, with_threshold
from graphmind_capture.spans import changed, is_local_root

TICK_S: Final = 0.5
"""Pause between two looks at open spans; a marker leaves so much later at most (chosen)."""
BATCH_SPANS: Final = 256
"""Spans a request (chosen: encoding them holds the interpreter for about 20 ms)."""
MARKERS_MAX: Final = 1_000
_LOG = logging.getLogger(__name__)

Batch = tuple[list[ReadableSpan], int | None]


class Outbox:
    """A bounded queue in front of an exporter. Putting never waits and never raises."""

    def __init__(
        self,
        exporter: SpanExporter,
        counts: Counts,
        *,
        spans_max: int = 20_000,
        look: Callable[[], None] = lambda: None,
        folding: bool = True,
    ) -> None:
        self.look = look
        self._exporter = exporter
        self._counts = counts
        self._spans_max = spans_max
        self._folding = folding
        self._start()

    def _start(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[Batch] = deque()
        self._markers: deque[ReadableSpan] = deque()
        self._queued = 0
        self._sending = 0
        self._stopping = False
        self._urgent = False
        self._thread = threading.Thread(target=self._run, name="graphmind-capture", daemon=True)
        self._thread.start()

    def after_fork(self) -> None:
        """Start anew in a forked child: threads stay behind, and the parent sends its queue."""
        if not self._stopping:
            self._start()

    def put(self, spans: list[ReadableSpan], *, threshold: int | None) -> None:
        """Queue spans of one trace, or count them as dropped where the queue is full."""
        with self._changed:
            if self._queued + len(spans) > self._spans_max or self._stopping:
                reason = "dropped_shutdown" if self._stopping else "dropped_queue"
                self._counts.add(reason, len(spans))
                return
            self._queue.append((spans, threshold))
            self._queued += len(spans)
            if self._queued >= BATCH_SPANS and not self._urgent:
                self._urgent = True
                self._changed.notify_all()

    def put_marker(self, span: ReadableSpan) -> None:
        """Queue a start marker, which overtakes spans."""
        with self._changed:
            if len(self._markers) >= MARKERS_MAX or self._stopping:
                self._counts.add("dropped_queue")
                return
            self._markers.append(span)

    def flush(self, timeout_s: float) -> bool:
        """Wait until what is queued was sent or given up; whether that was in time."""
        with self._changed:
            self._urgent = True
            self._changed.notify_all()
            return self._changed.wait_for(self._idle, timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Send what is queued, within a time, and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        self._exporter.shutdown()  # ends a retry that is under way
        self._thread.join(1.0)
        with self._changed:
            left = self._queued + len(self._markers)
            self._queue.clear()
            self._markers.clear()
            self._queued = 0
        if left:
            self._counts.add("dropped_shutdown", left)

    def _idle(self) -> bool:
        return not (self._queue or self._markers or self._sending)

    def _run(self) -> None:
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        try:
            while self._turn():
                pass
        finally:
            detach(token)

    def _turn(self) -> bool:
        """Wait a tick, look, send; whether there will be another turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._urgent or self._stopping, TICK_S)
            self._urgent = False
        try:
            self.look()
        except Exception:  # noqa: BLE001 - the thread's edge: one odd span must not end it
            _LOG.exception("capture could not look after open spans")
            self._counts.add("failures")
        while self._send_batch():
            pass
        return not self._stopping

    def _send_batch(self) -> bool:
        """Send markers and a batch of spans; whether there were any."""
        with self._changed:
            spans: list[ReadableSpan] = list(self._markers)
            self._markers.clear()
            batches: list[Batch] = []
            taken = 0
            while self._queue and taken < BATCH_SPANS:
                batch = self._queue.popleft()
                batches.append(batch)
                taken += len(batch[0])
            self._queued -= taken
            self._sending = taken + len(spans)
        if not self._sending:
            return False
        try:
            for batch in batches:
                spans += self._prepared(*batch)
            self._export(spans)
        except Exception:  # noqa: BLE001 - the thread's edge, as above
            _LOG.exception("capture could not send %d spans", self._sending)
            self._counts.add("dropped_export", self._sending)
        finally:
            with self._changed:
                self._sending = 0
                self._changed.notify_all()
        return True

    def _prepared(self, spans: list[ReadableSpan], threshold: int | None) -> list[ReadableSpan]:
        kept = fold(spans) if self._folding else spans
        if len(kept) < len(spans):
            self._counts.add("folded_away", len(spans) - len(kept))
        whole = [each for span in kept for each in spread(span)]
        return [weighted(span, threshold) for span in whole]

    def _export(self, spans: list[ReadableSpan]) -> None:
        if self._exporter.export(spans) is SpanExportResult.SUCCESS:
            self._counts.add("exported", len(spans))
        else:
            self._counts.add("dropped_export", len(spans))


def weighted(span: ReadableSpan, threshold: int | None) -> ReadableSpan:
    """Write how likely the span was to be kept: in its trace state, and on local roots in words.

    ``threshold`` is that of the lot which kept the trace; None: it would have been kept anyway,
    unless a sampler upstream had left it out, which the trace state says.
    """
    own = span.context
    assert own is not None, "an ended span has a context"
    applied = max(threshold or 0, stated_threshold(own.trace_state))
    if threshold == 0 and not applied:
        return span  # nothing is left out
    said: dict[str, Any] = dict(span.attributes or {})
    if is_local_root(span):
        said[PROBABILITY] = probability_of(applied)
    state = with_threshold(own.trace_state, applied) if applied else own.trace_state
    context = SpanContext(
        own.trace_id,
        own.span_id,
        is_remote=own.is_remote,
        trace_flags=own.trace_flags,
        trace_state=state,
    )
    return changed(span, attributes=said, context=context)
