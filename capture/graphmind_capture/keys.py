"""How a key is written on a span: as it is, or as an HMAC that only its owner can repeat."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from graphmind_capture.commands import BOTH, Keys

LENGTH_MAX: Final = 256
"""Longer keys are cut and told apart by a digest (chosen)."""
_DIGEST_HEX: Final = 16
_CACHED: Final = 4_096

Writer = Callable[[Any], str]


def key_writer(secret: bytes | None, *, keep_prefix: bool = True) -> Writer:
    """Return how keys are written; with a secret, hashed behind what precedes the first `:`."""

    @lru_cache(maxsize=_CACHED)
    def hashed(text: str) -> str:
        prefix, colon, _ = text.partition(":")
        digest = hmac.new(
            secret or b"", text.encode("utf-8", "surrogatepass"), hashlib.sha256
        ).hexdigest()[:_DIGEST_HEX]
        return f"{prefix[:64]}:{digest}" if keep_prefix and colon else digest

    if secret:
        return lambda key: hashed(_text(key))
    return lambda key: _bounded(_text(key))


def merged(pairs: Keys, write: Writer) -> dict[str, str]:
    """Return each key once, with all that is done to it."""
    result: dict[str, str] = {}
    for key, op in pairs:
        name = write(key)
        result[name] = op if result.get(name, op) == op else BOTH
    return result


def joined(commands: Iterable[Keys]) -> Keys:
    """Return the keys of several commands."""
    return [pair for keys in commands for pair in keys]


def _text(key: Any) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bytes | bytearray | memoryview):
        return bytes(key).decode("utf-8", "replace")
    return str(key)


def _bounded(text: str) -> str:
    if len(text) <= LENGTH_MAX:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_HEX]
    return f"{text[: LENGTH_MAX - _DIGEST_HEX - 1]}~{digest}"
