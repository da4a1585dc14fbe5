"""Streams that are decompressed while they are read: gzip and zstd, told by their first bytes.

Members that follow each other are read as one stream, also those that the Collector's file
exporter writes, each after its length. What was read before a cut is kept.
"""

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

import zstandard

_CHUNK_BYTES = 2**16  # small, because a chunk may expand a thousandfold
_LENGTH_BYTES = 4
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPABLE = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
_ZSTD_WINDOW_BYTES = 2**31  # the widest the format's command-line tool writes

CUT_OFF = "compressed data is cut off"
"""Reason: the file ends within a compressed member."""


class _Member(Protocol):
    """A decompressor of one member, as zlib and zstandard give them."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _gzip_member() -> _Member:
    return zlib.decompressobj(wbits=31)


def _zstd_member() -> _Member:
    return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()


def chunks_of(stream: BinaryIO, broken: Callable[[str], None]) -> Iterator[bytes]:
    """Yield the bytes of a stream, decompressed if they are compressed; no chunk is empty.

    ``broken`` is called with the reason if compressed bytes are cut off or damaged; the chunks
    then end where the damage is.
    """
    start = stream.read(_CHUNK_BYTES)
    if start.startswith(_GZIP):
        chunks = _expand(start, stream, _gzip_member, broken)
    elif start.startswith((_ZSTD, *_SKIPPABLE)):
        chunks = _expand(start, stream, _zstd_member, broken)
    elif start[_LENGTH_BYTES:].startswith(_ZSTD):
        chunks = _messages(start, stream, broken)
    else:
        chunks = _raw(start, stream)
    return filter(None, chunks)


def _raw(start: bytes, stream: BinaryIO) -> Iterator[bytes]:
    while start:
        yield start
        start = stream.read(_CHUNK_BYTES)


def _expand(
    start: bytes, stream: BinaryIO, new_member: Callable[[], _Member], broken: Callable[[str], None]
) -> Iterator[bytes]:
    member: _Member | None = None
    for chunk in _raw(start, stream):
        # Zeros between members are padding, as of a tape or a block device.
        data = chunk if member else chunk.lstrip(b"\0")
        while data:
            member = member or new_member()
            try:
                yield member.decompress(data)
            except (zlib.error, zstandard.ZstdError) as error:
                broken(f"damaged compressed data: {error}")
                return
            data = member.unused_data.lstrip(b"\0") if member.eof else b""
            member = None if member.eof else member
    if member:
        broken(CUT_OFF)


def _messages(start: bytes, stream: BinaryIO, broken: Callable[[str], None]) -> Iterator[bytes]:
    """Yield messages compressed one by one: JSON one a line, others after their length again."""
    whole = io.BufferedReader(Chunks(_raw(start, stream)))
    while prefix := whole.read(_LENGTH_BYTES):
        size = int.from_bytes(prefix)
        frame = whole.read(size)
        if len(frame) < size:
            broken(CUT_OFF)
        try:
            message = _zstd_member().decompress(frame)
        except zstandard.ZstdError as error:
            broken(f"damaged compressed data: {error}")
            continue
        is_json = message.startswith((b"{", b"["))
        yield message + b"\n" if is_json else len(message).to_bytes(_LENGTH_BYTES) + message


class Chunks(io.RawIOBase):
    """A raw stream over an iterator of chunks, to be read through ``io.BufferedReader``."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Tell that reading is possible."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer from the next chunk, or what is left of the last one."""
        if not self._left:
            self._left = memoryview(next(self._chunks, b""))
        taken = self._left[: len(buffer)]
        self._left = self._left[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)
