"""What a log line says by itself: fields of JSON or logfmt, severity, trace and span."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from graphmind.telemetry.logs import SEVERITY_ERROR, SEVERITY_INFO, SEVERITY_WARN
from graphmind_loaders.values import text_of

Texts = dict[str, str | None]

_LINE_CHARS_MAX: Final = 65_536  # chosen: longer lines are not searched for fields
_PAIR: Final = re.compile(r'([A-Za-z_][\w.\-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+|$)', re.ASCII)
_TRACE: Final = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{16})?")
_SPAN: Final = re.compile(r"[0-9a-f]{16}")
_LEVELS: Final = ("severity_text", "severity", "level", "lvl", "loglevel", "detected_level")
_MESSAGES: Final = ("message", "msg")
_SEVERITIES: Final = {
    "trace": 1,
    "debug": 5,
    "info": SEVERITY_INFO,
    "information": SEVERITY_INFO,
    "notice": SEVERITY_INFO + 1,
    "warn": SEVERITY_WARN,
    "warning": SEVERITY_WARN,
    "error": SEVERITY_ERROR,
    "err": SEVERITY_ERROR,
    "exception": SEVERITY_ERROR,
    "critical": 21,
    "crit": 21,
    "alert": 22,
    "emergency": 23,
    "fatal": 21,
    "panic": 21,
}
"""Words that programs use, as numbers of OpenTelemetry."""


def fields_of(line: str) -> Texts:
    """Return the fields of a line that is a JSON object or logfmt throughout, else none.

    >>> fields_of('level=warn msg="stale kv" attempt=2')
    {'level': 'warn', 'msg': 'stale kv', 'attempt': '2'}
    >>> fields_of("retry x=1 failed")
    {}
    """
    line = line.strip()
    if len(line) > _LINE_CHARS_MAX:
        return {}
    return _json(line) if line.startswith("{") else _logfmt(line)


def message_of(line: str, fields: Mapping[str, str | None]) -> str:
    """Return what the line says to a reader: its message if it has fields, else all of it."""
    return next((text for key in _MESSAGES if (text := fields.get(key))), line)


def severity_of(*places: Mapping[str, str | None]) -> int:
    """Return the severity that the first place states, as OpenTelemetry numbers it; 0 if none."""
    for place in places:
        number = place.get("severity_number") or ""
        if number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= 24:
            return int(number)
        for name in _LEVELS:
            known = _SEVERITIES.get((place.get(name) or "").strip().lower())
            if known:
                return known
    return 0


def ids_of(*places: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    """Return trace id and span id, each from the first place that has one in any spelling."""
    trace_id = span_id = None
    for place in places:
        for key, value in place.items():
            name = _plain(key)
            if trace_id is None and name in {"traceid", "oteltraceid"}:
                trace_id = _id(value, _TRACE)
            elif span_id is None and name in {"spanid", "otelspanid"}:
                span_id = _id(value, _SPAN)
    return trace_id, span_id


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace(".", "").replace("-", "")


def _id(value: str | None, shape: re.Pattern[str]) -> str | None:
    text = (value or "").strip().lower()
    return text if shape.fullmatch(text) and text.strip("0") else None


def _json(line: str) -> Texts:
    try:
        fields = msgspec.json.decode(line, type=dict[str, object])
    except (ValueError, RecursionError):
        return {}
    return {key: text_of(value) for key, value in fields.items()}


def _logfmt(line: str) -> Texts:
    fields: Texts = {}
    at = 0
    while at < len(line):
        pair = _PAIR.match(line, at)
        if pair is None:
            return {}
        fields[pair[1]] = _unquoted(pair[2])
        at = pair.end()
    return fields


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1])
