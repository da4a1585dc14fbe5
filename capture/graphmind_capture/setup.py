"""The one call, and what it returns."""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

from graphmind_capture import attributes as names
from graphmind_capture.capture import Capture
from graphmind_capture.inflight import calls_a_model
from graphmind_capture.instrumentations import KNOWN, Undo, instrument
from graphmind_capture.keys import Writer, key_writer
from graphmind_capture.parts import Keep, Rules, Watch
from graphmind_capture.scopes import OwnPropagator, clean

ENDPOINT: Final = "http://127.0.0.1:4318"
EXPORT_TIMEOUT_S: Final = 5.0
"""An export is given up after so long, retries included (chosen: the queue outlasts it)."""
_LOG = logging.getLogger(__name__)


class CaptureError(ValueError):
    """``setup`` was called with what it cannot use."""


_active: Capture | None = None


def setup(
    service: str,
    *,
    agent: str | None = None,
    region: str | None = None,
    namespace: str | None = None,
    endpoint: str | None = None,
    headers: Mapping[str, str] | None = None,
    sample_healthy: float = 1.0,
    slow_s: float = 5.0,
    watch: Watch | Sequence[str] | None = None,
    marker_after_s: float = 1.0,
    keep: Keep | None = None,
    fold: bool = True,
    hash_keys_with: str | bytes | None = None,
    keep_key_prefix: bool = True,
    instrument_only: Sequence[str] = KNOWN,
    tracer_provider: TracerProvider | None = None,
    exporter: SpanExporter | None = None,
    queue_spans: int = 20_000,
) -> Capture:
    """Trace FastAPI, httpx, gRPC and Redis in this process, as far as it is installed.

    - service: Name of the service.
    - agent: The agent that this process is; scopes override it.
    - region: Where it runs.
    - namespace: Groups services, ``service.namespace``.
    - endpoint: Collector or graphmind; default ``OTEL_EXPORTER_OTLP_ENDPOINT``, else loopback.
    - headers: Sent with each export, for example a token.
    - sample_healthy: Share of healthy traces that is kept, above 0; the same in all services.
    - slow_s: Longer traces are kept always.
    - watch: Open spans that get start markers and gauges: a test of the span, or names of
      attributes of which it has one. Default: calls of models.
    - marker_after_s: A start marker is sent once a watched span has been open so long.
    - keep: A test of ended spans that keeps their traces, besides errors and slowness.
    - fold: Whether runs of equal short spans are folded.
    - hash_keys_with: Secret with which keys are hashed.
    - keep_key_prefix: Whether a hashed key keeps what precedes its first `:`.
    - instrument_only: Some of `fastapi`, `httpx`, `grpc`, `redis`.
    - tracer_provider: Provider to join; default: the global one, else a new one made global.
    - exporter: Instead of OTLP over HTTP.
    - queue_spans: Spans that wait to be sent before more are dropped.

    Called again, it returns the first Capture and says so in the log. Raises CaptureError.
    """
    global _active  # noqa: PLW0603 - what instrumentations patch is global too
    if _active is not None and _active.active:
        _LOG.warning("setup was called before, for %s; nothing was changed", _active.service)
        return _active
    _check(service, sample_healthy, slow_s, marker_after_s, instrument_only)
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        _LOG.info("OTEL_SDK_DISABLED: nothing is traced")
        return Capture(service, {})
    write = key_writer(_secret(hash_keys_with), keep_prefix=keep_key_prefix)
    sender = exporter or _exporter(endpoint, headers)
    provider = tracer_provider or _provider(_resource(service, agent, region, namespace))
    rules = Rules(
        sample_healthy=sample_healthy,
        slow_s=slow_s,
        marker_after_s=marker_after_s,
        watch=_watch(watch),
        keep=keep,
        own=_own(provider.resource, agent, region),
    )
    _active = Capture(service, rules.own)
    _active.start(provider, sender, rules, folding=fold, spans_max=queue_spans)
    _switch_on(_active, provider, instrument_only, write)
    return _active


def _switch_on(
    capture: Capture, provider: TracerProvider, wanted: Sequence[str], write: Writer
) -> None:
    capture.traced, undo = instrument(wanted, provider, write)
    capture.undo_later([*undo, _propagate(capture.own)])
    _LOG.info("traced: %s", ", ".join(capture.traced) or "spans of your own only")


def _check(
    service: str,
    sample_healthy: float,
    slow_s: float,
    marker_after_s: float,
    instrument_only: Sequence[str],
) -> None:
    if not service:
        raise CaptureError("service should be the name of the service, got an empty text")
    if not 0 < sample_healthy <= 1:
        raise CaptureError(
            f"sample_healthy should be above 0 and at most 1, got {sample_healthy}: without "
            "healthy traces nothing can be compared"
        )
    if slow_s <= 0 or marker_after_s <= 0:
        raise CaptureError(f"slow_s and marker_after_s should be > 0, got {slow_s, marker_after_s}")
    unknown = sorted(set(instrument_only) - set(KNOWN))
    if unknown:
        raise CaptureError(f"instrument_only knows {', '.join(KNOWN)}, got {', '.join(unknown)}")


def _resource(
    service: str, agent: str | None, region: str | None, namespace: str | None
) -> Resource:
    said = {
        "service.name": service,
        "service.namespace": namespace,
        names.AGENT: agent,
        names.REGION: region,
    }
    return Resource.create({name: value for name, value in said.items() if value})


def _provider(resource: Resource) -> TracerProvider:
    """Join the process's provider, or make one."""
    there = trace.get_tracer_provider()
    if isinstance(there, TracerProvider):
        _LOG.warning("joining the tracer provider that is there; its resource stays as it is")
        return there
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    trace.set_tracer_provider(provider)
    return provider


def _own(resource: Resource, agent: str | None, region: str | None) -> dict[str, str]:
    said = resource.attributes
    values = {
        names.AGENT: agent or said.get(names.AGENT),
        names.REGION: region or said.get(names.REGION),
    }
    return {name: clean(value) for name, value in values.items() if value}


def _exporter(endpoint: str | None, headers: Mapping[str, str] | None) -> SpanExporter:
    stated = any(
        os.environ.get(f"OTEL_EXPORTER_OTLP_{name}") for name in ("ENDPOINT", "TRACES_ENDPOINT")
    )
    if endpoint is None and not stated:
        endpoint = ENDPOINT
    if endpoint is not None and not endpoint.startswith(("http://", "https://")):
        raise CaptureError(f"endpoint should be like {ENDPOINT}, got {endpoint!r}")
    squeezed = any(
        os.environ.get(f"OTEL_EXPORTER_OTLP_{name}")
        for name in ("COMPRESSION", "TRACES_COMPRESSION")
    )
    timed = any(
        os.environ.get(f"OTEL_EXPORTER_OTLP_{name}") for name in ("TIMEOUT", "TRACES_TIMEOUT")
    )
    return OTLPSpanExporter(
        endpoint=endpoint and f"{endpoint.rstrip('/').removesuffix('/v1/traces')}/v1/traces",
        headers=dict(headers) if headers else None,
        timeout=None if timed else EXPORT_TIMEOUT_S,
        compression=None if squeezed else Compression.Gzip,
    )


def _watch(watch: Watch | Sequence[str] | None) -> Watch:
    if watch is None:
        return calls_a_model
    if callable(watch):
        return watch
    wanted = tuple(watch)

    def has_one(span: ReadableSpan) -> bool:
        said = span.attributes or {}
        return any(name in said for name in wanted)

    return has_one


def _secret(secret: str | bytes | None) -> bytes | None:
    if secret is not None and not secret:
        raise CaptureError("hash_keys_with should be a secret, got an empty one")
    return secret.encode() if isinstance(secret, str) else secret


def _propagate(own: Mapping[str, str]) -> Undo:
    """Send the process's own agent and region along; return how to stop that."""
    inner = propagate.get_global_textmap()
    if "baggage" not in inner.fields:
        _LOG.warning("OTEL_PROPAGATORS leaves out baggage: agent and task stay in this process")
    propagate.set_global_textmap(OwnPropagator(inner, own))
    return lambda: propagate.set_global_textmap(inner)
