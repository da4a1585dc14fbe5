"""Keeps the spans of a trace until this process has done its part of it, then decides.

A part is what one process does for one trace: it is complete when none of its spans is open.
Errors and slow parts are kept always, the others if the trace's lot says so.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import StatusCode

from graphmind_capture.counts import Counts
from graphmind_capture.sampling import lot_of, stated_threshold, threshold_of
from graphmind_capture.scopes import copied
from graphmind_capture.spans import duration_ns, marker_of

REMEMBERED: Final = 10_000
"""Kept traces whose later parts in this process are kept too (chosen)."""
_LOG = logging.getLogger(__name__)

Watch = Callable[[ReadableSpan], bool]
Keep = Callable[[ReadableSpan], bool]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is kept, what is watched, and how much may wait."""

    sample_healthy: float
    slow_s: float
    marker_after_s: float
    watch: Watch
    keep: Keep | None = None
    own: Mapping[str, str] = field(default_factory=dict)
    parts_max: int = 5_000
    spans_max: int = 50_000
    part_spans_max: int = 2_000


class Outlet(Protocol):
    """Where decided spans go."""

    def put(self, spans: list[ReadableSpan], *, threshold: int | None) -> None:
        """Take spans: ``threshold`` if a lot kept them, None if they would be kept anyway."""

    def put_marker(self, span: ReadableSpan) -> None:
        """Take a start marker."""


class _Part:
    __slots__ = ("began", "certain", "ended", "marked", "open")

    def __init__(self, began: float) -> None:
        self.began = began
        self.open: dict[int, tuple[Span, float]] = {}
        self.ended: list[ReadableSpan] = []
        self.marked: set[int] = set()
        self.certain = False
        """Whether it is kept whatever its lot."""


class Parts(SpanProcessor):
    """The span processor of capture."""

    def __init__(
        self,
        rules: Rules,
        outlet: Outlet,
        counts: Counts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._outlet = outlet
        self._counts = counts
        self._clock = clock
        self._threshold = threshold_of(rules.sample_healthy)
        self._reset()

    def _reset(self) -> None:
        """Start empty; also in a forked child, where another thread may have held the lock."""
        self._lock = threading.Lock()
        self._waiting: OrderedDict[int, _Part] = OrderedDict()
        """By trace, those that began first come first."""
        self._passing: OrderedDict[int, _Part] = OrderedDict()
        """Decided before they were complete."""
        self._kept: OrderedDict[int, None] = OrderedDict()
        self._buffered = 0
        self._closed = False

    after_fork = _reset

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Copy agent, region and task, and take the span into its part."""
        try:
            here = parent_context if parent_context is not None else context.get_current()
            taken = copied(here, span.attributes or {}, self._rules.own)
            if taken:
                span.set_attributes(taken)
            own = span.get_span_context()
            if own is not None and own.trace_flags.sampled and not self._closed:
                self._begin(own.trace_id, own.span_id, span)
        except Exception:  # noqa: BLE001 - the one edge to business code: a request must not fail for its trace
            self._failed()

    def on_end(self, span: ReadableSpan) -> None:
        """Take an ended span, and decide once it was the last open one."""
        try:
            own = span.context
            if own is None or not own.trace_flags.sampled:
                return
            self._counts.add("spans")
            if self._closed:
                self._counts.add("dropped_shutdown")
                return
            certain = telling(span, self._rules)
            with self._lock:
                self._end(own.trace_id, own.span_id, span, certain=certain)
        except Exception:  # noqa: BLE001 - the one edge to business code, as above
            self._failed()

    def _failed(self) -> None:
        if not self._counts.read()["failures"]:
            _LOG.exception("capture failed on a span; further failures are only counted")
        self._counts.add("failures")

    def _begin(self, trace_id: int, span_id: int, span: Span) -> None:
        now = self._clock()
        with self._lock:
            part = self._waiting.get(trace_id) or self._passing.get(trace_id)
            if part is None:
                part = self._waiting[trace_id] = _Part(now)
                part.certain = trace_id in self._kept
                if len(self._waiting) > self._rules.parts_max:
                    self._overflow()
            part.open[span_id] = (span, now)

    def _end(self, trace_id: int, span_id: int, span: ReadableSpan, *, certain: bool) -> None:
        part = self._waiting.get(trace_id)
        if part is None:
            passing = self._passing.get(trace_id)
            if passing is not None:
                passing.open.pop(span_id, None)
                if not passing.open:
                    del self._passing[trace_id]
            self._outlet.put([span], threshold=None)
            return
        part.open.pop(span_id, None)
        part.ended.append(span)
        part.certain = part.certain or certain
        self._buffered += 1
        if not part.open:
            del self._waiting[trace_id]
            self._buffered -= len(part.ended)
            self._decide(trace_id, part)
        elif len(part.ended) >= self._rules.part_spans_max:
            self._counts.add("overflowed", len(part.ended))
            self._pass(trace_id, part)
        elif self._buffered > self._rules.spans_max:
            self._overflow()

    def _decide(self, trace_id: int, part: _Part) -> None:
        if part.certain:
            self._remember(trace_id)
            self._outlet.put(part.ended, threshold=None)
        elif self._lot_keeps(part.ended[0]):
            self._outlet.put(part.ended, threshold=self._threshold)
        else:
            self._counts.add("sampled_out", len(part.ended))

    def _lot_keeps(self, span: ReadableSpan) -> bool:
        own = span.context
        assert own is not None, "a span of a part has a context"
        threshold = max(self._threshold, stated_threshold(own.trace_state))
        return lot_of(own.trace_id, own.trace_state) >= threshold

    def _remember(self, trace_id: int) -> None:
        self._kept[trace_id] = None
        self._kept.move_to_end(trace_id)
        if len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)

    def _pass(self, trace_id: int, part: _Part) -> None:
        """Let what has ended go, and what will end follow it."""
        self._waiting.pop(trace_id, None)
        self._remember(trace_id)
        self._buffered -= len(part.ended)
        if part.ended:
            self._outlet.put(part.ended, threshold=None)
        part.ended, part.certain = [], True
        self._passing[trace_id] = part
        if len(self._passing) > self._rules.parts_max:  # spans that nobody ends
            self._passing.popitem(last=False)

    def _overflow(self) -> None:
        """Make room: the part that began first goes undecided, exported rather than lost."""
        trace_id, part = next(iter(self._waiting.items()))
        self._counts.add("overflowed", len(part.ended))
        self._pass(trace_id, part)

    def look(self) -> None:
        """Let slow parts go, and mark watched spans that are still open. Called now and then."""
        now = self._clock()
        with self._lock:
            slow = []
            for trace_id, part in self._waiting.items():
                if part.began > now - self._rules.slow_s:
                    break
                slow.append((trace_id, part))
            for trace_id, part in slow:
                self._pass(trace_id, part)
            due = self._due(now - self._rules.marker_after_s)
        for span in due:
            if span.end_time is None and self._rules.watch(span):
                self._counts.add("markers")
                self._outlet.put_marker(marker_of(span))

    def _due(self, before: float) -> list[Span]:
        """Return spans open for long, each once, whose end is certain to be exported.

        A marker without its end would look like a hang for ever.
        """
        due = []
        parts = list(self._passing.values())
        for part in self._waiting.values():
            if part.began > before:
                break
            parts.append(part)
        for part in parts:
            for span_id, (span, began) in part.open.items():
                if began > before:
                    break
                if span_id not in part.marked and (part.certain or self._lot_keeps(span)):
                    part.marked.add(span_id)
                    due.append(span)
        return due

    def open_spans(self) -> list[tuple[Span, float]]:
        """Return open spans and how many seconds they have been so."""
        now = self._clock()
        with self._lock:
            return [
                (span, now - began)
                for parts in (self._passing, self._waiting)
                for part in parts.values()
                for span, began in part.open.values()
            ]

    def shutdown(self) -> None:
        """Let everything that has ended go; what ends later is dropped, counted."""
        with self._lock:
            self._closed = True
            for trace_id, part in list(self._waiting.items()):
                self._pass(trace_id, part)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's port
        """Complete parts are with the outlet already; the others wait for their end."""
        return True


def telling(span: ReadableSpan, rules: Rules) -> bool:
    """Whether an ended span alone makes its trace worth keeping."""
    return (
        span.status.status_code is StatusCode.ERROR
        or duration_ns(span) > rules.slow_s * 1e9
        or _says_wrong(span.attributes or {})
        or (rules.keep is not None and rules.keep(span))
    )


def _says_wrong(said: Mapping[str, Any]) -> bool:
    return (
        "error.type" in said or said.get("graphmind.result") == "wrong" or said.get("error") is True
    )
