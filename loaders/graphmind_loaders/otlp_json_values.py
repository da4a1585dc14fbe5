"""Attribute values of OTLP JSON, and what carries them in every signal."""

from typing import Any, TypeVar

import msgspec

from graphmind.errors import SourceError
from graphmind_loaders.values import text_of


class AnyValue(msgspec.Struct, gc=False, frozen=True, rename="camel"):
    """One of these is set."""

    string_value: str | None = None
    int_value: int | str | None = None
    bool_value: bool | None = None
    double_value: float | str | None = None
    bytes_value: str | None = None
    array_value: "_Values | None" = None
    kvlist_value: "_KeyValues | None" = None


class KeyValue(msgspec.Struct, gc=False, frozen=True):
    """One attribute."""

    key: str
    value: AnyValue | None = None


class _Values(msgspec.Struct, frozen=True):
    values: list[AnyValue] | None = None


class _KeyValues(msgspec.Struct, frozen=True):
    values: list[KeyValue] | None = None


Attributes = list[KeyValue] | None


class Scope(msgspec.Struct, frozen=True):
    """What made the records."""

    name: str | None = None


class Resource(msgspec.Struct, frozen=True):
    """The process that made the records."""

    attributes: Attributes = None


T = TypeVar("T")


def request_as(body: bytes, kind: type[T]) -> T:
    """Read the frame of a request, its records as they come. Raises SourceError."""
    try:
        return msgspec.convert(msgspec.json.decode(body), kind, strict=False)
    except (ValueError, RecursionError) as error:
        raise not_json(body, error) from error


def not_json(body: bytes, error: Exception) -> SourceError:
    """Say that a body is no OTLP JSON, and why."""
    return SourceError(
        f"expected an OTLP request as JSON, got {len(body)} bytes that are none ({error}): send "
        "each signal to its own path, in the format that the Content-Type states"
    )


def attributes_of(pairs: Attributes) -> dict[str, str | None]:
    """Return attributes by key, each value as text."""
    return {
        pair.key: any_text(value)
        if (value := pair.value) is None or value.string_value is None
        else value.string_value
        for pair in pairs or ()
    }


def any_text(value: AnyValue | None) -> str | None:
    """Write a value as text."""
    if value is None:
        return None
    # Numbers are the most frequent values after strings: spare them the way through JSON.
    if value.int_value is not None:
        return str(value.int_value)
    return text_of(_plain(value, depth=0))


_DEPTH_MAX = 32  # chosen: deeper values are cut off, and nobody reads them


def _plain(value: AnyValue, depth: int) -> Any:
    """Return the JSON value that an AnyValue stands for; a number as text stays text."""
    if value.array_value and depth < _DEPTH_MAX:
        return [_plain(item, depth + 1) for item in value.array_value.values or ()]
    if value.kvlist_value and depth < _DEPTH_MAX:
        pairs = value.kvlist_value.values or ()
        return {pair.key: _plain(pair.value, depth + 1) if pair.value else None for pair in pairs}
    for plain in (value.string_value, value.bool_value, value.double_value, value.bytes_value):
        if plain is not None:
            return plain
    try:
        return None if value.int_value is None else int(value.int_value)
    except ValueError:  # a string that is no number stays what it is
        return value.int_value
