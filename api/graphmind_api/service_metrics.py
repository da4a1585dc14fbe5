"""Numbers about the live service for Prometheus: what came in, what waits, how each loop fares."""

import time
from collections.abc import Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from graphmind.serving.service import Service


class ServiceState(Collector):
    """Reads the counters of a running service whenever Prometheus asks."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> Iterator[Metric]:
        """Name no metric: registering must not ask the service."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the state of this moment."""
        yield from self._intake()
        yield from self._receivers()
        yield from self._loops()
        yield from self._pulls()
        yield from self._repairs()

    def _intake(self) -> Iterator[Metric]:
        counts, tally = self._service.intake.counts, self._service.tally
        yield _by("graphmind_received_rows", "Rows stored, as they came in", "signal", counts.rows)
        yield CounterMetricFamily(
            "otel_span", "Spans received and stored", value=counts.rows["spans"]
        )
        lost = self._service.dropped()
        yield _by("span_dropped", "What was not kept, by reason", "reason", lost)
        yield GaugeMetricFamily(
            "graphmind_queue_rows",
            "Rows waiting to be stored",
            value=self._service.intake.waiting(),
        )
        for name, meaning, value in (
            ("graphmind_settled_traces", "Traces of which facts were derived", tally.settled),
            (
                "graphmind_passed_over_traces",
                "Traces without facts, which others settled under load stand for",
                tally.passed_over,
            ),
            ("graphmind_failing_traces", "Of those, traces with a symptom", tally.failing),
            ("graphmind_incidents_opened", "Incidents opened or reopened", tally.opened),
            ("graphmind_incidents_closed", "Incidents closed", tally.closed),
            ("graphmind_alerts_raised", "Alerts raised", tally.alerts),
            ("graphmind_pruned_traces", "Traces deleted for their age", tally.pruned),
        ):
            yield CounterMetricFamily(name, meaning, value=value)

    def _receivers(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "graphmind_otlp_requests",
            "Requests of OTLP senders",
            labels=("transport", "signal", "outcome"),
        )
        rejected = CounterMetricFamily(
            "graphmind_otlp_rejected_records",
            "Records left out of requests that were taken",
            labels=("transport", "signal"),
        )
        for receiver in self._service.receivers:
            totals = receiver.totals()
            for (signal, outcome), count in sorted(totals.requests.items()):
                requests.add_metric((receiver.name, signal, outcome), count)
            for signal, count in sorted(totals.rejected.items()):
                rejected.add_metric((receiver.name, signal), count)
        yield requests
        yield rejected

    def _loops(self) -> Iterator[Metric]:
        loops = self._service.loops
        yield _by("graphmind_loop_runs", "Runs", "loop", {x.name: x.state.runs for x in loops})
        yield _by(
            "graphmind_loop_failures",
            "Failed runs",
            "loop",
            {x.name: x.state.failed for x in loops},
        )
        seconds = GaugeMetricFamily(
            "graphmind_loop_last_run_seconds", "Time of the last run", labels=("loop",)
        )
        for loop in loops:
            seconds.add_metric((loop.name,), loop.state.seconds)
        yield seconds

    def _pulls(self) -> Iterator[Metric]:
        states = [puller.state for puller in self._service.pullers]
        yield _by("graphmind_pulls", "Pulls", "source", {x.name: x.pulls for x in states})
        yield _by(
            "graphmind_pull_failures", "Failed pulls", "source", {x.name: x.failed for x in states}
        )
        lag = GaugeMetricFamily(
            "graphmind_pull_lag_seconds", "How far a source was read", labels=("source",)
        )
        for state in states:
            if (seconds := state.lag_s(time.time_ns())) is not None:
                lag.add_metric((state.name,), seconds)
        yield lag

    def _repairs(self) -> Iterator[Metric]:
        if self._service.repairing is None:
            return
        tally = self._service.repairing.tally()
        for name, meaning, value in (
            ("repair_attempt", "Repairs begun", tally.attempts),
            ("repair_success", "Repairs proven effective", tally.successes),
            ("trace_rebuild", "Chains built anew", tally.traces_rebuilt),
        ):
            yield CounterMetricFamily(name, meaning, value=value)
        seconds = tally.rollback_seconds
        yield SummaryMetricFamily(
            "rollback_latency_seconds",
            "From the first inverse to the last",
            count_value=len(seconds),
            sum_value=sum(seconds),
        )
        share = "Share of the repairs without a person that were effective"
        for name, meaning, known in (
            ("auto_fix_success_rate", share, tally.auto_success_rate),
            ("auto_repair_success_rate", share, tally.auto_success_rate),
            ("repair_latency_p95", "Seconds of a run, 95th percentile", tally.latency_p95_s),
        ):
            if known is not None:
                yield GaugeMetricFamily(name, meaning, value=known)


def _by(
    name: str, meaning: str, label: str, values: Mapping[str, int | float]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, meaning, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family
