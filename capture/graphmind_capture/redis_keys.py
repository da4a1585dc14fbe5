"""Puts keys and operations on Redis spans, those of pipelines too; never a value.

A span of one key carries it. Where a command or a pipeline names several, they travel on its span
as two lists, and ``spread`` hangs one child a key below it before export: graphmind's lineage
reads one key a span. The children share the span's times: when each key was touched in between,
the client cannot know.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanContext, Status

from graphmind_capture import attributes as names
from graphmind_capture.commands import Keys, command_keys
from graphmind_capture.keys import Writer, joined, merged
from graphmind_capture.spans import changed

KEYS_MAX: Final = 64
"""Keys told of one command or pipeline; the rest is counted on its span (chosen)."""
COMMANDS_MAX: Final = 1_000
"""Commands of a pipeline that are looked at; only so many cost time (chosen)."""
_LOG = logging.getLogger(__name__)
_IDS = RandomIdGenerator()
_PLACE: Final = (
    *("db.system", "db.system.name", "db.redis.database_index", "db.namespace"),
    *("net.peer.name", "net.peer.port", "server.address", "server.port", *names.COPIED),
)
"""What a child says as its parent does: which store, for whom."""


def request_hook(write: Writer) -> Callable[..., None]:
    """Return the hook that the Redis instrumentation calls before a command."""

    def note(span: Any, _client: Any, args: tuple[Any, ...], _kwargs: Any) -> None:
        if span.is_recording():
            _note(span, command_keys(args), write)

    return note


def pipeline_wrapper(write: Writer) -> Callable[..., Any]:
    """Return a wrapper of ``Pipeline.execute``, called within the pipeline's span.

    For asyncio too: it only looks at the commands before the call.
    """

    def wrapped(function: Any, pipeline: Any, args: Any, kwargs: Any) -> Any:
        try:
            span = trace.get_current_span()
            if span.is_recording():
                queued = list(_commands(pipeline))[:COMMANDS_MAX]
                _note(span, joined(command_keys(command) for command in queued), write)
        except Exception:  # noqa: BLE001 - the one edge to business code: nothing here may stop a command
            _LOG.warning("keys of a pipeline were not read", exc_info=True)
        return function(*args, **kwargs)

    return wrapped


def _note(span: Any, pairs: Keys, write: Writer) -> None:
    keys = merged(pairs[: COMMANDS_MAX * 4], write)
    if len(keys) == 1:
        ((key, op),) = keys.items()
        span.set_attributes({names.KEY: key, names.OP: op})
    elif keys:
        told = list(keys.items())[:KEYS_MAX]
        span.set_attributes(
            {names.KEYS: [key for key, _ in told], names.OPS: [op for _, op in told]}
        )
        if len(keys) > len(told):
            span.set_attribute(names.KEYS_OMITTED, len(keys) - len(told))


def _commands(pipeline: Any) -> list[Any]:
    """Return the queued commands; where they stand differs between clients and versions."""
    strategy = getattr(pipeline, "_execution_strategy", None)
    for owner, name in (
        (strategy, "command_queue"),
        (strategy, "_command_queue"),
        (pipeline, "command_stack"),
        (pipeline, "_command_stack"),
    ):
        stack = getattr(owner, name, None)
        if stack:
            return [entry.args if hasattr(entry, "args") else entry[0] for entry in stack]
    return []


def spread(span: ReadableSpan) -> list[ReadableSpan]:
    """Return the span itself, and below it one child for each of several keys."""
    said = dict(span.attributes or {})
    keys: Any = said.pop(names.KEYS, None)
    ops: Any = said.pop(names.OPS, None)
    if not keys or not ops:
        return [span]
    shared: dict[str, Any] = {name: said[name] for name in _PLACE if name in said}
    children = [
        changed(
            span,
            name=op,
            attributes={**shared, names.KEY: key, names.OP: op},
            context=_child_context(span),
            parent=span.context,
            status=Status(),
            events=(),
        )
        for key, op in zip(keys, ops, strict=True)
    ]
    return [changed(span, attributes=said), *children]


def _child_context(span: ReadableSpan) -> SpanContext:
    own = span.context
    assert own is not None, "an ended span has a context"
    return SpanContext(
        own.trace_id,
        _IDS.generate_span_id(),
        is_remote=False,
        trace_flags=own.trace_flags,
        trace_state=own.trace_state,
    )
