"""What ``setup`` returns: scopes, gauges, counters, and the end of it all."""

import atexit
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.metrics import Observation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

from graphmind_capture import attributes as names
from graphmind_capture.counts import Counts
from graphmind_capture.inflight import (
    Asgi,
    InFlight,
    calls_a_model,
    grouped,
    metrics_app,
    prometheus_text,
)
from graphmind_capture.instrumentations import Undo
from graphmind_capture.outbox import Outbox
from graphmind_capture.parts import Parts, Rules, Watch
from graphmind_capture.scopes import Scope

SHUTDOWN_S: Final = 5.0
"""Time that a flush or the end of a process may take (chosen)."""


class Capture:
    """Tracing of this process. Made by ``setup``."""

    def __init__(self, service: str, own: Mapping[str, str]) -> None:
        self.service = service
        self.counted = Counts()
        self.active = False
        """Whether it takes spans."""
        self.traced: list[str] = []
        """Names of the instrumentations that are on."""
        self.provider: trace.TracerProvider = trace.NoOpTracerProvider()
        self.own = own
        self._parts: Parts | None = None
        self._outbox: Outbox | None = None
        self._watch: Watch = calls_a_model
        self._undo: list[Undo] = []

    def tracer(self, name: str) -> trace.Tracer:
        """Return a tracer for spans of your own."""
        return self.provider.get_tracer(name)

    def task(self, task_id: str, *, task: str | None = None, agent: str | None = None) -> Scope:
        """Return a scope whose spans belong to a task, here and in services called."""
        values = {names.TASK_ID: task_id, names.TASK: task, names.AGENT: agent}
        return Scope({name: value for name, value in values.items() if value is not None})

    def agent(self, name: str, *, region: str | None = None) -> Scope:
        """Return a scope whose spans are an agent's, here and in services called."""
        return Scope({names.AGENT: name} | ({names.REGION: region} if region else {}))

    def inflight(self) -> list[InFlight]:
        """Return the watched calls that are under way."""
        spans = self._parts.open_spans() if self._parts else []
        watched = [(span, age) for span, age in spans if self._watch(span)]
        return grouped(watched, self.own.get(names.AGENT, self.service))

    def counts(self) -> dict[str, int]:
        """Return the counters of ``counts.NAMES``."""
        return self.counted.read()

    def metrics_text(self) -> str:
        """Return gauges and counters in Prometheus' text format."""
        return prometheus_text(self.service, self.inflight(), self.counts())

    def metrics_app(self) -> Asgi:
        """Return an ASGI application to mount at `/metrics`."""
        return metrics_app(self.metrics_text)

    def observe(self, meter: Any) -> None:
        """Report the gauges through an OpenTelemetry meter too."""

        def read(field: str) -> Callable[[Any], list[Any]]:
            return lambda _options: [
                Observation(
                    getattr(group, field),
                    {
                        "agent": group.agent,
                        "module": group.module,
                        "model_version": group.model_version,
                    },
                )
                for group in self.inflight()
            ]

        meter.create_observable_gauge("graphmind_inflight_calls", [read("calls")])
        meter.create_observable_gauge(
            "graphmind_inflight_oldest_seconds", [read("oldest_s")], unit="s"
        )

    def flush(self, timeout_s: float = SHUTDOWN_S) -> bool:
        """Send the spans of complete traces; whether that was done in time."""
        return self._outbox.flush(timeout_s) if self._outbox else True

    def shutdown(self, timeout_s: float = SHUTDOWN_S) -> None:
        """Switch everything off and send what is left, within a time. Twice is harmless."""
        outbox, self._outbox = self._outbox, None
        if outbox is None or self._parts is None:
            return
        for undo in reversed(self._undo):
            undo()
        self._parts.shutdown()
        outbox.stop(timeout_s)
        atexit.unregister(self.shutdown)
        self.active = False

    def start(
        self,
        provider: TracerProvider,
        exporter: SpanExporter,
        rules: Rules,
        *,
        folding: bool,
        spans_max: int,
    ) -> None:
        """Take the provider's spans from now on. Called by ``setup``."""
        outbox = Outbox(exporter, self.counted, spans_max=spans_max, folding=folding)
        self._parts = Parts(rules, outbox, self.counted)
        outbox.look = self._parts.look
        self._outbox, self._watch, self.provider = outbox, rules.watch, provider
        self.active = True
        restart = weakref.WeakMethod(self._after_fork)
        os.register_at_fork(after_in_child=lambda: _call(restart()))
        provider.add_span_processor(self._parts)
        atexit.register(self.shutdown)

    def undo_later(self, undo: Sequence[Undo]) -> None:
        """Remember what ``shutdown`` has to switch off."""
        self._undo += undo

    def _after_fork(self) -> None:
        """Start anew in a forked child: what is queued is the parent's, and so are the threads."""
        if self._outbox is not None and self._parts is not None:
            self.counted.after_fork()
            self._parts.after_fork()
            self._outbox.after_fork()


def _call(function: Callable[[], None] | None) -> None:
    if function is not None:
        function()
