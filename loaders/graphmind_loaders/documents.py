"""JSON documents of a stream: one a line, one in all, or several indented ones in a row.

What is not quite JSON is read as far as it can be, and counted.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec

from graphmind.telemetry.rejections import SAMPLE_CHARS_MAX, Rejections
from graphmind_loaders.shape import Path, whole_records

BROKEN = "broken JSON"
NOT_UTF8 = "not UTF-8: read with replacement characters"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def split(stream: BinaryIO) -> Iterator[bytes]:
    """Yield each JSON document of a stream, however it is laid out; broken ones too."""
    lines: list[bytes] = []
    for raw in stream:
        line = raw.strip().removeprefix(_BYTE_ORDER_MARK)
        if not line:
            continue
        if lines and _starts_anew(lines, line):
            yield b"\n".join(lines)
            lines = []
        lines.append(line)
    if lines:
        yield b"\n".join(lines)


def _starts_anew(lines: list[bytes], line: bytes) -> bool:
    """Tell whether a line cannot go on with the document of the lines before it.

    In valid JSON a bracket that closes a line is followed by a comma or another one, and a
    bracket that opens a line stands after a comma, a colon or another one. A line cut off at just
    such a place is told by the key it has in common with the next.
    """
    if lines[-1][-1:] in b"}]":
        return line[:1] not in b",]}"
    if line[:1] in b"{[" and lines[-1][-1:] not in b"[,:":
        return True
    return lines[0][:1] not in b"{[" or (line[:2] == b'{"' and _key(line) == _key(lines[0]))


def _key(line: bytes) -> list[bytes]:
    """Return what a line has before its first key, and the key."""
    return line.split(b'"', 2)[:2]


def values(
    stream: BinaryIO, rejected: Rejections, is_record: Callable[[Path], bool]
) -> Iterator[Any]:
    """Yield the value of each JSON document of a stream; see ``parsed``."""
    for document in split(stream):
        yield from parsed(document, rejected, is_record)


def parsed(document: bytes, rejected: Rejections, is_record: Callable[[Path], bool]) -> list[Any]:
    """Return the one value of a document, or none if nothing in it can be read.

    NaN, control characters in strings and halves of characters are let pass. A broken document
    is counted and keeps its records (see ``whole_records``) up to the break.
    """
    try:
        return [msgspec.json.decode(document)]
    except (ValueError, RecursionError):
        text = document.decode("utf-8", "replace")
    if "\N{REPLACEMENT CHARACTER}" in text and not _is_utf8(document):
        rejected.add(NOT_UTF8, text)
    text = _LONE_SURROGATE.sub(r"\\ufffd", text)
    if text[:1] not in {"{", "["}:
        rejected.add(BROKEN, text)
        return []
    try:
        value, end = _DECODER.raw_decode(text)
        if text[end:].strip():
            rejected.add(BROKEN, f"more after the end: {text[end : end + SAMPLE_CHARS_MAX]}")
    except (ValueError, RecursionError) as error:
        rejected.add(BROKEN, f"{error}: {text[:SAMPLE_CHARS_MAX]}")
        return _kept(whole_records(text[: getattr(error, "pos", None)], is_record))
    return [value]


_DECODER = json.JSONDecoder(strict=False, parse_constant=str)


def _kept(text: str | None) -> list[Any]:
    try:
        return [] if text is None else [_DECODER.raw_decode(text)[0]]
    except (ValueError, RecursionError):
        return []


_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def _is_utf8(document: bytes) -> bool:
    try:
        document.decode()
    except UnicodeDecodeError:
        return False
    return True
