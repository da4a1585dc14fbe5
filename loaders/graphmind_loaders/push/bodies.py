"""Bodies of requests: how much of them may be held, and unpacked within a bound."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from graphmind.errors import SourceError
from graphmind_loaders.push.refusals import OVERLOADED, TOO_LARGE, Refused

PACKED = ("gzip", "deflate")
"""Content encodings that are unpacked: OTLP asks for the first, exporters offer the second too."""
PACKED_FIRST_BYTES = (b"\x1f\x8b", b"\x78")
"""By which packed bodies are told from protobuf: no request of OTLP has a field that begins so."""
_EITHER_WBITS = 32 + zlib.MAX_WBITS  # gzip or zlib, by the first bytes
_STEP_BYTES = 2**20  # chosen: what is unpacked at a time
BODIES_HELD_MAX = 4
"""Times the largest body that is held of all requests together (chosen: 256 MiB by default)."""
_RETRY_S = 1.0


class Held:
    """Bytes that one request holds."""

    def __init__(self, budget: "Budget") -> None:
        self._budget = budget
        self.bytes = 0

    def add(self, count: int) -> None:
        """Hold more. Raises Refused where all requests together would hold too much."""
        self._budget.take(count)
        self.bytes += count


class Budget:
    """Bytes that all requests under way may hold, from their first byte to their answer."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._lock = Lock()

    @property
    def held_bytes(self) -> int:
        """What is held now."""
        return self._bytes

    @contextmanager
    def request(self) -> Iterator[Held]:
        """Hold bytes for as long as the block runs."""
        held = Held(self)
        try:
            yield held
        finally:
            self.take(-held.bytes)

    def take(self, count: int) -> None:
        """Take bytes, or give them back. Raises Refused."""
        with self._lock:
            if count > 0 and self._bytes + count > self._bytes_max:
                raise Refused(
                    OVERLOADED,
                    f"requests under way hold {self._bytes} of {self._bytes_max} bytes: send again "
                    "later, or in smaller requests",
                    retry_after_s=_RETRY_S,
                )
            self._bytes += count


def too_large(got: str, bytes_max: int) -> Refused:
    """Refuse a body for its size."""
    return Refused(
        TOO_LARGE,
        f"expected a body of at most {bytes_max} bytes once unpacked, got {got}: send smaller "
        "batches, or raise GRAPHMIND_OTLP_BODY_MAX",
    )


def unpacked(body: bytes, *, bytes_max: int, held: Held) -> bytes:
    """Unpack gzip or deflate, never more than ``bytes_max`` bytes of it.

    Raises Refused for more, and SourceError for what is neither or ends too early.
    """
    parts: list[bytes] = []
    size = 0
    for part in _parts(body):
        size += len(part)
        if size > bytes_max:
            raise too_large(f"{len(body)} bytes that unpack to more", bytes_max)
        held.add(len(part))
        parts.append(part)
    return b"".join(parts)


def _parts(body: bytes) -> Iterator[bytes]:
    """Yield what the members of a gzip file hold, a step at a time."""
    rest = body
    while rest or not body:
        member = zlib.decompressobj(_EITHER_WBITS)
        while not member.eof:
            try:
                part = member.decompress(rest, _STEP_BYTES)
            except zlib.error as error:
                raise _not_packed(body, str(error)) from error
            rest = member.unconsumed_tail
            if not part and not member.eof:
                raise _not_packed(body, "it ends too early")
            if part:
                yield part
        rest = member.unused_data
        if not rest:
            return


def _not_packed(body: bytes, why: str) -> SourceError:
    return SourceError(
        f"expected a body packed with gzip or deflate, as stated, got {len(body)} bytes that do "
        f"not unpack ({why}): pack the whole body, or state no Content-Encoding"
    )
