"""Traces of a Zipkin v2 API; a search gives whole traces that began within the window."""

import io
from collections.abc import Iterator

import pyarrow as pa

from graphmind.sources import PullSource, PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders import zipkin
from graphmind_loaders.pull.client import Client, Params
from graphmind_loaders.pull.options import Count, HttpOptions, read_options
from graphmind_loaders.pull.windows import MS_NS, Page, pages, trace_ids, unseen


class ZipkinOptions(HttpOptions, frozen=True, kw_only=True):
    """Options of kind zipkin."""

    service: str = ""
    """Only traces of this service; empty: all."""
    annotation_query: str = ""
    """Zipkin's filter by tags, such as ``error``."""
    limit: Count = 500  # chosen: a few MB of JSON
    """Traces asked for at a time; more make the window be cut."""


class Zipkin:
    """One Zipkin, or another server of its API."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self._options = read_options(config, ZipkinOptions)
        self._client = Client(config, self._options)

    def pull(self, window: PullWindow, rejected: Rejections) -> Iterator[pa.RecordBatch]:
        """Yield the traces that began in the window."""
        seen: set[str] = set()
        for batches in pages(
            window, lambda part: self._page(part, rejected), step_ns=MS_NS, rejected=rejected
        ):
            yield from unseen(batches, seen)

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _page(self, window: PullWindow, rejected: Rejections) -> Page[list[pa.RecordBatch]]:
        reply = self._client.get("api/v2/traces", self._parameters(window))
        reply.read_as(list[list[dict[str, object]]])
        batches = list(zipkin.read(io.BytesIO(reply.content), rejected))
        return Page(found=batches, full=len(trace_ids(batches)) >= self._options.limit)

    def _parameters(self, window: PullWindow) -> Params:
        # Whole milliseconds around the window: a trace at either edge comes twice, never not.
        end_ms = -(-window.until_ns // MS_NS)
        asked: dict[str, str | int] = {
            "endTs": end_ms,
            "lookback": end_ms - window.from_ns // MS_NS,
            "limit": self._options.limit,
        }
        if self._options.service:
            asked["serviceName"] = self._options.service
        if self._options.annotation_query:
            asked["annotationQuery"] = self._options.annotation_query
        return asked


def open_source(config: SourceConfig) -> PullSource:
    """Open a Zipkin; nothing is asked before the first pull."""
    return Zipkin(config)
