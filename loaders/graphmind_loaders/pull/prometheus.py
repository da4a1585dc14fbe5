"""Metric samples of a Prometheus: signals by name, each a PromQL; and exemplars, which name traces.

Times of evaluation are whole multiples of the step, so that windows that overlap give the same
samples again, not others beside them.
"""

import math
from collections.abc import Collection, Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa

from graphmind.errors import SourceError
from graphmind.sources import PullSource, PullWindow, SourceConfig
from graphmind.telemetry.metrics import SAMPLES
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.pull.client import Client, Params, Reply
from graphmind_loaders.pull.log_line import ids_of
from graphmind_loaders.pull.options import HttpOptions, Seconds, read_options
from graphmind_loaders.pull.windows import MS_NS, SECOND_NS, Page, pages
from graphmind_loaders.records import MISSHAPEN, read_as, sample
from graphmind_loaders.values import INT64_MAX

SIGNALS: Final = {
    "latency_p95": "agent_trace_latency_p95 or histogram_quantile(0.95, "
    "sum without (instance, pod) (rate(agent_trace_latency_seconds_bucket[1m])))",
    "agent_retry_total": "agent_retry_total",
    "agent_state_write_error_total": "agent_state_write_error_total",
    "callback_failure_rate": "callback_failure_rate",
    "agent_inflight_oldest_seconds": "graphmind_inflight_oldest_seconds",
}
"""What is asked for unless told otherwise (spec S08, S28; the last is of our instrumentation).

A name that ends in ``_total`` is a counter as it stands: its increase is judged, resets included.
"""

POINTS_MAX: Final = 11_000
"""As many a series as Prometheus gives at once."""
NOT_FINITE: Final = "sample that is no finite number"
"""Reason: quantiles of nothing and divisions by zero are NaN or infinite."""

_GET_CHARS_MAX: Final = 1000  # chosen: longer queries are posted, URLs are cut at 2,000 and more
_NO_EXEMPLARS: Final = frozenset({400, 404, 405, 422, 500, 501})
"""How servers without exemplars, or with the feature switched off, answer."""


_Labels = list[tuple[str, str]]
_Row = dict[str, Any]


class PrometheusOptions(HttpOptions, frozen=True, kw_only=True):
    """Options of kind prometheus."""

    signals: dict[str, str] = msgspec.field(default_factory=lambda: dict(SIGNALS))
    """PromQL by the name of the signal."""
    step_s: Seconds = 15.0
    """Pause between two samples of a series; the scrape interval fits best."""
    exemplars: bool = True


class _Series(msgspec.Struct, frozen=True):
    metric: dict[str, str] = {}
    values: list[Any] = []


class _Exemplar(msgspec.Struct, frozen=True):
    labels: dict[str, str]
    value: float
    timestamp: float


class _Exemplars(msgspec.Struct, frozen=True, rename="camel"):
    series_labels: dict[str, str] = {}
    exemplars: list[Any] = []


class _Matrix(msgspec.Struct, frozen=True, rename="camel"):
    result_type: str
    result: list[Any]


class _Range(msgspec.Struct, frozen=True):
    data: _Matrix


class _Found(msgspec.Struct, frozen=True):
    data: list[Any] | None = None


class Prometheus:
    """One Prometheus, or another server of its query API."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self._options = read_options(config, PrometheusOptions)
        self._client = Client(config, self._options)
        self._step_ns = max(round(self._options.step_s * 1000), 1) * MS_NS

    def pull(self, window: PullWindow, rejected: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the samples of every signal at the steps within the window, and exemplars."""
        for name, query in self._options.signals.items():
            try:
                for rows in self._signal(name, query, window, rejected):
                    if rows:
                        yield pa.RecordBatch.from_pylist(rows, schema=SAMPLES)
            except SourceError as error:
                raise SourceError(
                    f"signal {name!r}: {error}", retry_after_s=error.retry_after_s
                ) from error

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _signal(
        self, name: str, query: str, window: PullWindow, rejected: Rejections
    ) -> Iterator[list[_Row]]:
        def read(part: PullWindow) -> Page[list[_Row]]:
            return Page(found=list(self._samples(name, query, part, rejected)), full=False)

        for part in _parts(window, POINTS_MAX * self._step_ns):
            yield from pages(part, read, step_ns=self._step_ns, rejected=rejected)
        if self._options.exemplars:
            yield list(self._exemplars(name, query, window, rejected))

    def _samples(
        self, name: str, query: str, part: PullWindow, rejected: Rejections
    ) -> Iterator[_Row]:
        step_ns = self._step_ns
        first_ns = -(-part.from_ns // step_ns) * step_ns
        last_ns = (part.until_ns - 1) // step_ns * step_ns
        if last_ns < first_ns:
            return
        asked: Params = {
            "query": query,
            "start": _seconds(first_ns),
            "end": _seconds(last_ns),
            "step": _seconds(step_ns),
        }
        found = self._ask("api/v1/query_range", asked).read_as(_Range).data
        if found.result_type != "matrix":
            raise SourceError(f"{self._client.where}: a {found.result_type[:20]} came, no matrix")
        for one in found.result:
            series = read_as(one, _Series, rejected)
            if series:
                labels = _labels(series.metric)
                for value in series.values:
                    yield from _row(name, value, labels, rejected)

    def _exemplars(
        self, name: str, query: str, window: PullWindow, rejected: Rejections
    ) -> Iterator[_Row]:
        asked: Params = {
            "query": query,
            "start": _seconds(window.from_ns // MS_NS * MS_NS),
            "end": _seconds((window.until_ns - 1) // MS_NS * MS_NS),
        }
        reply = self._ask("api/v1/query_exemplars", asked, tolerated=_NO_EXEMPLARS)
        if reply.status in _NO_EXEMPLARS:
            return
        for one in reply.read_as(_Found).data or ():
            series = read_as(one, _Exemplars, rejected)
            for each in series.exemplars if series else ():
                exemplar = read_as(each, _Exemplar, rejected)
                trace_id = ids_of(exemplar.labels)[0] if exemplar else None
                if series and exemplar and trace_id:
                    labels = _labels(series.series_labels)
                    value = [exemplar.timestamp, exemplar.value]
                    yield from _row(name, value, labels, rejected, trace_id)

    def _ask(self, path: str, asked: Params, *, tolerated: Collection[int] = ()) -> Reply:
        if len(str(asked["query"])) > _GET_CHARS_MAX:
            return self._client.post(path, form=asked, tolerated=tolerated)
        return self._client.get(path, asked, tolerated=tolerated)


def open_source(config: SourceConfig) -> PullSource:
    """Open a Prometheus; nothing is asked before the first pull."""
    return Prometheus(config)


def _parts(window: PullWindow, width_ns: int) -> Iterator[PullWindow]:
    for from_ns in range(window.from_ns, window.until_ns, width_ns):
        yield PullWindow(from_ns=from_ns, until_ns=min(from_ns + width_ns, window.until_ns))


def _row(
    name: str, value: Any, labels: _Labels, rejected: Rejections, trace_id: str | None = None
) -> Iterator[_Row]:
    """Yield the sample of ``[time in s, number as text]``, or count why there is none."""
    try:
        time_s, number = map(float, value)
    except (ValueError, TypeError):
        rejected.add(MISSHAPEN, sample(value))
        return
    if not 0 <= time_s < INT64_MAX / SECOND_NS:
        rejected.add(MISSHAPEN, sample(value))
    elif not math.isfinite(number):
        rejected.add(NOT_FINITE, f"{name} {number}")
    else:
        # Prometheus tells milliseconds apart.
        time_ns = round(time_s * 1000) * MS_NS
        yield {
            "name": name,
            "time_ns": time_ns,
            "value": number,
            "labels": labels,
            "trace_id": trace_id,
        }


def _labels(metric: dict[str, str]) -> _Labels:
    return [(key, value) for key, value in sorted(metric.items()) if key != "__name__"]


def _seconds(time_ns: int) -> str:
    second, fraction = divmod(time_ns, SECOND_NS)
    return f"{second}.{fraction // MS_NS:03d}"
