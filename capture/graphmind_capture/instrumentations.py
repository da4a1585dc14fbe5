"""Switches on the instrumentations that are installed, and says which are not."""

import logging
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final

from opentelemetry.sdk.trace import TracerProvider

from graphmind_capture.keys import Writer
from graphmind_capture.redis_keys import pipeline_wrapper, request_hook
from graphmind_capture.requests import trace_requests

_LOG = logging.getLogger(__name__)
_PACKAGE: Final = "opentelemetry.instrumentation"
_CLASSES: Final = {
    "httpx": ("HTTPXClientInstrumentor",),
    "grpc": (
        *("GrpcInstrumentorClient", "GrpcInstrumentorServer"),
        *("GrpcAioInstrumentorClient", "GrpcAioInstrumentorServer"),
    ),
    "redis": ("RedisInstrumentor",),
}
KNOWN: Final = ("fastapi", *_CLASSES)
_PIPELINES: Final = (
    ("redis.client", "Pipeline"),
    ("redis.asyncio.client", "Pipeline"),
    ("redis.cluster", "ClusterPipeline"),
    ("redis.asyncio.cluster", "ClusterPipeline"),
)

Undo = Callable[[], None]


def instrument(
    wanted: Iterable[str], provider: TracerProvider, write: Writer
) -> tuple[list[str], list[Undo]]:
    """Switch on what is wanted and there; return its names, and how to switch it off again."""
    done, undo = [], []
    for name in wanted:
        try:
            if name == "fastapi":
                undo.append(trace_requests(provider))
            else:
                undo += _instrumented(name, provider, write)
        except ImportError as error:
            _LOG.warning("not traced: %s, which is not installed (%s)", name, error)
        else:
            done.append(name)
    return done, undo


def _instrumented(name: str, provider: TracerProvider, write: Writer) -> list[Undo]:
    module = import_module(f"{_PACKAGE}.{name}")
    undo = [_wrap_pipelines(write)] if name == "redis" else []
    options = {"request_hook": request_hook(write)} if name == "redis" else {}
    for class_name in _CLASSES[name]:
        instrumentor = getattr(module, class_name)()
        if instrumentor.is_instrumented_by_opentelemetry:
            _LOG.warning("%s was traced already; capture takes it over", name)
            instrumentor.uninstrument()
        instrumentor.instrument(tracer_provider=provider, **options)
        undo.append(instrumentor.uninstrument)
    return undo


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
