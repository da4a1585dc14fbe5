"""From the body of a request to the sink, whichever transport it came by."""

import hmac
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import pyarrow as pa

from graphmind.settings import Settings
from graphmind.sources import Sink
from graphmind.telemetry.logs import LOGS
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.sift import sift
from graphmind.telemetry.spans import SPANS
from graphmind_loaders.push.refusals import STORE_FAILED, STORE_RETRY_S, UNAUTHORIZED, Refused
from graphmind_loaders.push.signals import Signal
from graphmind_loaders.start_markers import started, unended

STORED_WITHIN_S = 30.0
"""A request whose records are not stored by then is refused, to be sent again (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What became of a body: records on their way into the store, and what was left out."""

    stored: tuple[Future[None], ...]
    records: int
    rejected: Rejections


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Decodes, sifts and offers. Any thread may call."""

    sink: Sink
    settings: Settings
    now_ns: Callable[[], int] = time.time_ns

    def offer(self, signal: Signal, content_type: str, body: bytes) -> Offered:
        """Offer what a body holds. Raises SourceError for bad data, and Overloaded."""
        return self.taken(*self.decoded(signal, content_type, body))

    def decoded(
        self, signal: Signal, content_type: str, body: bytes
    ) -> tuple[list[pa.RecordBatch], Rejections]:
        """Decode and sift a body. Raises SourceError for bad data."""
        rejected = Rejections()
        batches = [
            kept
            for batch in signal.decoders[content_type](body, rejected)
            for kept in self._kept(batch, rejected)
            if kept.num_rows
        ]
        return batches, rejected

    def taken(self, batches: Sequence[pa.RecordBatch], rejected: Rejections) -> Offered:
        """Offer what was decoded. Raises Overloaded."""
        return Offered(
            stored=tuple(self.sink.offer(batch) for batch in batches),
            records=sum(batch.num_rows for batch in batches),
            rejected=rejected,
        )

    def _kept(self, batch: pa.RecordBatch, rejected: Rejections) -> Iterator[pa.RecordBatch]:
        if batch.schema == LOGS:
            batch, spans = started(batch)
            yield self._sifted(spans, rejected)
        yield self._sifted(unended(batch), rejected) if batch.schema == SPANS else batch

    def _sifted(self, spans: pa.RecordBatch, rejected: Rejections) -> pa.RecordBatch:
        return sift(spans, rejected, now_ns=self.now_ns(), future_s=self.settings.future_s)

    def admit(self, authorization: str) -> None:
        """Check the value of an Authorization header. Raises Refused."""
        token = self.settings.otlp_token
        scheme, _, shown = authorization.partition(" ")
        same = hmac.compare_digest(shown.strip().encode(), token.encode())
        if token and not (same and scheme.lower() == "bearer"):
            got = "another one" if shown else "none"
            raise Refused(
                UNAUTHORIZED,
                f"expected the bearer token of GRAPHMIND_OTLP_TOKEN, got {got}: set the header "
                "'authorization: Bearer ...' in the exporter (OTEL_EXPORTER_OTLP_HEADERS)",
                headers=(("www-authenticate", 'Bearer realm="otlp"'),),
            )


def not_stored_in_time() -> Refused:
    """Refuse a request whose records are still not stored."""
    return Refused(
        STORE_FAILED,
        f"not stored within {STORED_WITHIN_S:.0f} s: send it again; what is kept twice counts once",
        retry_after_s=STORE_RETRY_S,
    )
