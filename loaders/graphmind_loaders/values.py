"""Attribute values as the text the span schema asks for, and times as epoch nanoseconds."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

INT64_MAX = 2**63 - 1

Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
"""An epoch time or duration that the span schema can hold."""

Microseconds = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX // 2000)]
"""An epoch time or duration; a start and a duration together fit the span schema."""

Seconds = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX // 10**9 - 1)]
"""An epoch time in whole seconds that the span schema can hold."""


def text_of(value: Any) -> str | None:
    """Write a JSON value as text: strings as they are, all else as compact JSON.

    >>> [text_of(value) for value in ("a", 3, 0.5, True, [1, "b"], None)]
    ['a', '3', '0.5', 'true', '[1,"b"]', None]
    """
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def texts_of(values: Mapping[str, Any] | None) -> dict[str, str | None]:
    """Write every value of a mapping as text."""
    return {key: text_of(value) for key, value in (values or {}).items()}


_FRACTION = re.compile(r"[.,](\d+)")


def iso_ns(text: str) -> int:
    """Read an ISO 8601 time, to the nanosecond; without a zone it is UTC.

    Raises ValueError for another shape, or a time before 1970 or after 2262.

    >>> iso_ns("2026-01-02T03:04:05.678901234+01:00")
    1767319445678901234
    """
    fraction = _FRACTION.search(text)
    digits = fraction.group(1) if fraction else ""
    moment = datetime.fromisoformat(_FRACTION.sub("", text, count=1))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    time_ns = round(moment.timestamp()) * 1_000_000_000 + int(digits[:9].ljust(9, "0"))
    if not 0 <= time_ns <= INT64_MAX:
        raise ValueError(f"expected a time between 1970 and 2262, got {text!r}")
    return time_ns


def us_to_ns(time_us: int | None) -> int | None:
    """Turn microseconds into nanoseconds, and leave an absent time absent."""
    return None if time_us is None else time_us * 1000


def end_of(start_ns: int | None, length_ns: int | None) -> int | None:
    """Return when a span ended, if both its start and its duration are known.

    Raises ValueError for a time after 2262.
    """
    if start_ns is None or length_ns is None:
        return None
    if start_ns + length_ns > INT64_MAX:
        raise ValueError(f"expected an end before 2262, got {length_ns} ns after the start")
    return start_ns + length_ns


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)")
_UNIT_NS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6,
    "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip


def duration_ns(text: str) -> int:
    """Read a duration as Go and protobuf JSON write it.

    Raises ValueError for another shape.

    >>> [duration_ns(text) for text in ("5000ns", "1m1.5s")]
    [5000, 61500000000]
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(map("".join, parts)) != text:
        raise ValueError(f"expected a duration such as 1.5s or 5000ns, got {text!r}")
    return round(sum(float(number) * _UNIT_NS[unit] for number, unit in parts))


_URL_SAFE = str.maketrans("-_", "+/")


def hex_of(text: str | None) -> str | None:
    """Turn an id in padded base64 into hex; any other text stays as it is.

    Ids have 8 or 16 bytes, so their base64 always ends in a padding sign.

    >>> hex_of("0tsfDQfIQyY=")
    'd2db1f0d07c84326'
    """
    if text is None or not text.endswith("="):
        return text
    try:
        return base64.b64decode(text.translate(_URL_SAFE), validate=True).hex()
    except ValueError:
        return text
