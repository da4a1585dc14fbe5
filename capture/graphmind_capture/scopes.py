"""Agent, region and task: set by scopes, carried by baggage, copied to each span at its start."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, Self, TypeVar

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)

from graphmind_capture.attributes import COPIED, TASK, TASK_ID

TEXT_MAX: Final = 128
"""Longer values are cut: baggage comes from whoever calls (chosen)."""
_OWN: Final = context.create_key("graphmind-own")
"""Says in the context what scopes of this process have set."""
_NOTHING: Final[Mapping[str, str]] = {}

F = TypeVar("F", bound=Callable[..., Any])


class Scope:
    """Gives spans started within it, here and in the services called, what it was made with.

    A context manager, or a decorator of a function or coroutine function.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name: clean(value) for name, value in values.items()}
        self._tokens: list[Any] = []

    def __enter__(self) -> Self:
        here = context.get_current()
        for name, value in self._values.items():
            here = baggage.set_baggage(name, value, here)
        own = {**_own(here), **self._values}
        self._tokens.append(context.attach(context.set_value(_OWN, own, here)))
        span = trace.get_current_span()
        if span.is_recording():  # a task is the whole trace's: the span around says it too
            of_task = {n: v for n, v in self._values.items() if n in (TASK_ID, TASK)}
            span.set_attributes(of_task)
        return self

    def __exit__(self, *_: object) -> None:
        context.detach(self._tokens.pop())

    def __call__(self, function: F) -> F:
        """Return the function, each call in a scope of its own."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{function.__qualname__} is a generator: its scope would leak to whoever "
                "iterates it; use `with` inside it, around what does not yield"
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with Scope(self._values):
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]  # functools.wraps keeps the signature

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with Scope(self._values):
                return function(*args, **kwargs)

        return called  # type: ignore[return-value]  # functools.wraps keeps the signature


def clean(text: object) -> str:
    """Return printable text of bounded length."""
    return "".join(c for c in str(text)[:TEXT_MAX] if c.isprintable())


def copied(here: Context, said: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, str]:
    """Return what a span that starts takes over.

    What it says itself wins, then scopes of this process, then the process's ``own`` values, then
    what callers sent.
    """
    scoped = _own(here)
    sent = baggage.get_all(here)
    if not scoped and not sent and not own:
        return {}
    result = {}
    for name in COPIED:
        if name in said:
            continue
        value = scoped.get(name) or own.get(name)
        if value is None and isinstance(sent.get(name), str):
            value = clean(sent[name])
        if value:
            result[name] = value
    return result


def _own(here: Context) -> Mapping[str, str]:
    value = context.get_value(_OWN, here)
    return value if isinstance(value, dict) else _NOTHING


class OwnPropagator(TextMapPropagator):
    """Sends the process's agent and region along as baggage, around another propagator."""

    def __init__(self, inner: TextMapPropagator, own: Mapping[str, str]) -> None:
        self.inner = inner
        self._own = dict(own)

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        """Read what a caller sent."""
        return self.inner.extract(carrier, context, getter)

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """Write what a server is to know."""
        here = current() if context is None else context
        scoped = _own(here)
        for name, value in self._own.items():
            if name not in scoped:
                here = baggage.set_baggage(name, value, here)
        self.inner.inject(carrier, here, setter)

    @property
    def fields(self) -> set[str]:
        """Names of the headers that are written."""
        return self.inner.fields


def current() -> Context:
    """Return the current context."""
    return context.get_current()
