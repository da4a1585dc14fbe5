"""Switches on the instrumentations that are installed, and says which are not."""

import logging
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final

from opentelemetry.sdk.trace import TracerProvider

from graphmind_capture.keys import Writer
from graphmind_capture.redis_keys import pipeline_wrapper, request_hook

_LOG = logging.getLogger(__name__)
_PACKAGE: Final = "opentelemetry.instrumentation"
_CLASSES: Final = {
    "fastapi": ("FastAPIInstrumentor",),
    "httpx": ("HTTPXClientInstrumentor",),
    "grpc": (
        *("GrpcInstrumentorClient", "GrpcInstrumentorServer"),
        *("GrpcAioInstrumentorClient", "GrpcAioInstrumentorServer"),
    ),
    "redis": ("RedisInstrumentor",),
}
KNOWN: Final = tuple(_CLASSES)
_PIPELINES: Final = (
    ("redis.client", "Pipeline"),
    ("redis.asyncio.client", "Pipeline"),
    ("redis.cluster", "ClusterPipeline"),
    ("redis.asyncio.cluster", "ClusterPipeline"),
)

Undo = Callable[[], None]


def instrument(
    wanted: Iterable[str], provider: TracerProvider, write: Writer, app: Any
) -> tuple[list[str], list[Undo]]:
    """Switch on what is wanted and there; return its names, and how to switch it off again."""
    done, undo = [], []
    for name in wanted:
        try:
            module = import_module(f"{_PACKAGE}.{name}")
        except ImportError as error:
            _LOG.warning("not traced: %s (%s); install graphmind-capture[%s]", name, error, name)
            continue
        if name == "redis":
            undo.append(_wrap_pipelines(write))
        for class_name in _CLASSES[name]:
            instrumentor = getattr(module, class_name)()
            if instrumentor.is_instrumented_by_opentelemetry:
                _LOG.warning("%s was traced already; capture takes it over", name)
                instrumentor.uninstrument()
            instrumentor.instrument(tracer_provider=provider, **_options(name, write))
            undo.append(instrumentor.uninstrument)
        if name == "fastapi" and app is not None:
            undo.append(_instrument_app(module.FastAPIInstrumentor, app, provider))
        done.append(name)
    return done, undo


def _options(name: str, write: Writer) -> dict[str, Any]:
    if name == "fastapi":  # a span for each message of the protocol tells nothing
        return {"exclude_spans": ["receive", "send"]}
    return {"request_hook": request_hook(write)} if name == "redis" else {}


def _instrument_app(instrumentor: Any, app: Any, provider: TracerProvider) -> Undo:
    """Trace an application made before; FastAPI builds its middleware at the first request."""
    if getattr(app, "_is_instrumented_by_opentelemetry", False):
        instrumentor.uninstrument_app(app)
    instrumentor.instrument_app(app, tracer_provider=provider, **_options("fastapi", str))
    if app.middleware_stack is not None:
        app.middleware_stack = app.build_middleware_stack()
    return lambda: _uninstrument_app(instrumentor, app)


def _uninstrument_app(instrumentor: Any, app: Any) -> None:
    if getattr(app, "_is_instrumented_by_opentelemetry", False):
        instrumentor.uninstrument_app(app)


def _wrap_pipelines(write: Writer) -> Undo:
    """Wrap before the instrumentation does: called within its span, the wrapper finds it."""
    wrapt: Any = import_module("wrapt")  # the instrumentation depends on it
    owners = []
    for module, name in _PIPELINES:
        owner = getattr(import_module(module), name, None)
        if owner is not None:
            wrapt.wrap_function_wrapper(owner, "execute", pipeline_wrapper(write))
            owners.append(owner)
    return lambda: _unwrap(owners)


def _unwrap(owners: list[Any]) -> None:
    for owner in owners:
        wrapped = getattr(owner.execute, "__wrapped__", None)
        if wrapped is not None:
            owner.execute = wrapped
