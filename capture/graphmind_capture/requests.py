"""Spans of incoming requests to FastAPI and Starlette applications.

Its own, because OpenTelemetry's and FastAPI's take three to five times as long (README). It wraps
the one door of every application, so it matters not whether an application was made before or
after. Neither queries nor headers are recorded: they may hold secrets.
"""

import functools
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any, Final

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

_MARK: Final = "graphmind.traced"
_NATIVE: Final = "fastapi.telemetry"
"""Where newer FastAPI keeps its own telemetry; there, but None, switches that off."""
_EXCLUDED: Final = ("OTEL_PYTHON_FASTAPI_EXCLUDED_URLS", "OTEL_PYTHON_EXCLUDED_URLS")

Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]


def trace_requests(provider: trace.TracerProvider) -> Callable[[], None]:
    """Trace all applications from now on; return how to stop. Raises ImportError."""
    tracer = provider.get_tracer("graphmind_capture.instrumentation.requests")
    undo = []
    for module, name in (("fastapi", "FastAPI"), ("starlette.applications", "Starlette")):
        owner = getattr(import_module(module), name)
        undo.append(_trace_calls(owner, tracer, excluded_paths()))

    def stop() -> None:
        for each in undo:
            each()

    return stop


def _trace_calls(
    owner: Any, tracer: Tracer, excluded: re.Pattern[str] | None
) -> Callable[[], None]:
    inner = owner.__call__

    async def called(app: Any, scope: Scope, receive: Any, send: Send) -> None:
        if (
            scope["type"] != "http"
            or _MARK in scope  # an application mounted in another one
            or getattr(app, "_is_instrumented_by_opentelemetry", False)
        ):
            await inner(app, scope, receive, send)
            return
        scope[_MARK] = True
        scope.setdefault(_NATIVE, None)
        if excluded is not None and excluded.search(scope["path"]):
            await inner(app, scope, receive, send)
        else:
            await _traced(tracer, functools.partial(inner, app), scope, receive, send)

    owner.__call__ = called
    return lambda: setattr(owner, "__call__", inner)


def excluded_paths() -> re.Pattern[str] | None:
    """Return what OpenTelemetry's variables exclude: patterns, joined by commas."""
    text = next((os.environ[name] for name in _EXCLUDED if os.environ.get(name)), "")
    patterns = [pattern.strip() for pattern in text.split(",") if pattern.strip()]
    return re.compile("|".join(patterns)) if patterns else None


async def _traced(tracer: Tracer, inner: Any, scope: Scope, receive: Any, send: Send) -> None:
    method = scope["method"]
    said = {
        "http.request.method": method,
        "url.path": scope.get("root_path", "") + scope["path"],
        "url.scheme": scope.get("scheme", "http"),
    }
    parent = _sent_context(scope)
    span = tracer.start_span(method, parent, SpanKind.SERVER, said)
    token = context.attach(trace.set_span_in_context(span, parent))

    async def sent(message: Any) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            _answered(span, scope, message["status"])
        await send(message)
        if (
            kind == "http.response.body"
            and not message.get("more_body")
            # A failure is raised again after its answer; what follows others is background work.
            and span.is_recording()
            and _status_of(span) is not StatusCode.ERROR
        ):
            span.end()

    try:
        await inner(scope, receive, sent)
    except Exception as error:
        if span.is_recording():
            span.record_exception(error, escaped=True)
            span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        raise
    finally:
        if span.is_recording():
            span.end()
        context.detach(token)


def _answered(span: Span, scope: Scope, status: int) -> None:
    if not span.is_recording():
        return
    span.set_attribute("http.response.status_code", status)
    path = getattr(scope.get("route"), "path", None)
    if path:
        route = f"{scope.get('root_path', '')}{path}"
        span.set_attribute("http.route", route)
        span.update_name(f"{scope['method']} {route}")
    if status >= 500:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


def _status_of(span: Any) -> StatusCode:
    status: Status = span.status
    return status.status_code


def _sent_context(scope: Scope) -> Context:
    """Return the context that the caller sent, within the current one."""
    wanted = propagate.get_global_textmap().fields
    carrier: dict[str, str] = {}
    for name, value in scope["headers"]:
        text = name.decode("latin-1")
        if text in wanted:
            carrier[text] = (
                f"{carrier[text]},{value.decode('latin-1')}"
                if text in carrier
                else (value.decode("latin-1"))
            )
    return propagate.extract(carrier) if carrier else context.get_current()
