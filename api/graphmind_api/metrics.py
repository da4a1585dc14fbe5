"""Numbers for Prometheus: the archive's state at each scrape, and the requests answered."""

import time
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphmind.archive.port import Archive
from graphmind.jobs.gauges import Gauges, gauges
from graphmind.serving.service import Service
from graphmind_api.service_metrics import ServiceState

UNMATCHED: Final = "unmatched"
"""The route of requests for paths that do not exist: their paths would be labels without end."""


class Metrics:
    """The metrics of one app, in a registry of its own."""

    def __init__(self, archive: Archive, service: Service | None = None) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_ArchiveState(archive))
        if service:
            self._registry.register(ServiceState(service))
        self.requests = Counter(
            "graphmind_http_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.durations = Histogram(
            "graphmind_http_request_duration_seconds",
            "Time to answer a request",
            ("method", "route", "status"),
            registry=self._registry,
        )

    def text(self) -> bytes:
        """Return all of them in Prometheus' text format. Raises StoreError."""
        return generate_latest(self._registry)


class RequestMetrics:
    """Counts every request by the template of its route and its status."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # An app that raises before it answers is answered for with 500.
        status = 500
        began = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            labels = (_known_method(scope["method"]), _template(scope), str(status))
            self._metrics.requests.labels(*labels).inc()
            self._metrics.durations.labels(*labels).observe(time.perf_counter() - began)


class _ArchiveState(Collector):
    """Reads the archive whenever Prometheus asks."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def describe(self) -> Iterator[Metric]:
        """Name no metric: registering must not read the archive."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the state of this moment."""
        yield from _families(gauges(self._archive, now_ns=time.time_ns()))


def _families(state: Gauges) -> Iterator[Metric]:
    yield GaugeMetricFamily("graphmind_spans", "Spans archived", value=state.spans)
    yield GaugeMetricFamily("graphmind_traces", "Traces with facts", value=state.traces)
    yield GaugeMetricFamily("graphmind_incidents", "Incidents known", value=state.incidents)
    if state.trace_complete_ratio is not None and state.trace_anomaly_rate is not None:
        yield GaugeMetricFamily(
            "trace_complete_ratio",
            "Share of traces of which all spans came",
            value=state.trace_complete_ratio,
        )
        yield GaugeMetricFamily(
            "trace_anomaly_rate",
            "Share of traces in which something went wrong",
            value=state.trace_anomaly_rate,
        )
    yield GaugeMetricFamily(
        "graphmind_open_incidents", "Incidents not closed", value=state.open_incidents
    )
    for name, meaning, share in (
        ("fallback_usage_rate", "in which a fallback answered", state.fallback_usage_rate),
        ("trace_recovery_trend", "that ended well after a repair", state.trace_recovery_rate),
    ):
        if share is not None:
            yield GaugeMetricFamily(name, f"Share of the last hour's traces {meaning}", value=share)
    if state.false_positive_rate is not None:
        yield GaugeMetricFamily(
            "false_positive_rate",
            "Share of the incidents judged that were none",
            value=state.false_positive_rate,
        )
    latency = GaugeMetricFamily(
        "agent_trace_latency_p95",
        "Seconds within which 95 % of the last hour's traces of an agent ended",
        labels=("agent",),
    )
    for agent, seconds in state.agent_trace_latency_p95_s.items():
        latency.add_metric((agent,), seconds)
    yield latency
    causes = GaugeMetricFamily(
        "root_cause_distribution", "Incidents by the kind of their first cause", labels=("kind",)
    )
    for kind, count in state.root_cause_distribution.items():
        causes.add_metric((kind,), count)
    yield causes


METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _known_method(method: str) -> str:
    """A client may send any word as a method; only the known ones are labels."""
    return method if method in METHODS else "other"


def _template(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", UNMATCHED)
