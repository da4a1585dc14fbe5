"""The protobuf wire format, as far as needed to walk messages that may be cut off."""

from collections.abc import Iterator
from typing import NamedTuple

VARINT, LENGTH_DELIMITED = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
_VARINT_BYTES_MAX = 10


class Field(NamedTuple):
    """One field of a message; ``whole`` is false if the message ends or breaks within it."""

    number: int
    wire_type: int
    payload: memoryview
    whole: bool


def fields(message: memoryview) -> Iterator[Field]:
    """Yield the fields of a message in order; after one that is not whole comes none."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire_type = tag & 7
        size, start = _extent(message, at, wire_type)
        if tag < 0 or size < 0:
            yield Field(0, wire_type, message[at:], whole=False)
            return
        at = start + size
        yield Field(tag >> 3, wire_type, message[start:at], whole=at <= len(message))


def _extent(message: memoryview, at: int, wire_type: int) -> tuple[int, int]:
    """Return the bytes a value takes (-1 if it is broken) and where it starts."""
    if wire_type == LENGTH_DELIMITED:
        return _varint(message, at)
    if wire_type == VARINT:
        value, end = _varint(message, at)
        return (end - at if value >= 0 else -1), at
    return _FIXED_BYTES.get(wire_type, -1), at


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return the number and the place after it; -1 if there is none."""
    value = 0
    for shift, byte in enumerate(message[at : at + _VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, at + shift + 1
    return -1, len(message)
