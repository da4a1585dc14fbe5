"""Log records become lines: attribute names become columns, each record gets its digest."""

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.labels import Labels
from graphmind.telemetry.logs import LINES, SEVERITY_ERROR, SEVERITY_INFO, SEVERITY_WARN
from graphmind.telemetry.lookup import read_unique
from graphmind.telemetry.rejections import SAMPLES_MAX, Rejections
from graphmind.telemetry.resolve import OTHER_ERROR
from graphmind.telemetry.resolver_table import Table, default_table

BODY_CHARS_MAX: Final = 2_000
"""A longer body is cut (chosen): a stack trace's first lines and the call that failed fit."""

_TEXT: Final = pa.string()
_SECOND_NS: Final = 1_000_000_000
_BETWEEN: Final = "\x1f"
_WORDS: Final = {
    **dict.fromkeys(("trace", "finest", "verbose"), 1),
    **dict.fromkeys(("debug", "dbg", "fine", "10"), 5),
    **dict.fromkeys(("info", "information", "informational", "notice", "20"), SEVERITY_INFO),
    **dict.fromkeys(("warn", "warning", "wrn", "30"), SEVERITY_WARN),
    **dict.fromkeys(("error", "err", "severe", "eror", "40"), SEVERITY_ERROR),
    **dict.fromkeys(
        ("fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "50"), 21
    ),
}
"""Severity numbers of OpenTelemetry by what loggers write; tens are those of Python."""
_RAISED: Final = (
    r"(?:^|[\s\"'(:])(?P<type>(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception))(?:$|[:\s(,])"
)
"""How a text names an exception, as the last line of a traceback does."""
_HEX: Final = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{16})?")
_IN_TEXT: Final = {
    name: rf"(?i)\b{name}_?id\"?\s?[=:]\s?\"?(?P<id>[0-9a-f]{{{digits}}})\b"
    for name, digits in (("trace", 32), ("span", 16))
}


def sift_logs(
    batch: pa.RecordBatch, rejected: Rejections, *, now_ns: int, future_s: float
) -> pa.RecordBatch:
    """Return the records of a batch of LOGS that have a possible time; count the others."""
    latest = now_ns + int(future_s * _SECOND_NS)
    time = batch.column("time_ns")
    keep = pc.is_valid(time)
    for reason, invalid in (
        ("log record without a time", pc.is_null(time)),
        ("log record before 1970", pc.fill_null(pc.less(time, 0), False)),
        ("log record in the future", pc.fill_null(pc.greater(time, latest), False)),
    ):
        count = pc.sum(invalid).as_py() or 0
        if count:
            keep = pc.and_(keep, pc.invert(invalid))
            rejected.add(reason, count=count)
            for body in batch.column("body").filter(invalid).slice(0, SAMPLES_MAX).to_pylist():
                rejected.add(reason, body or "", count=0)
    return batch if pc.all(keep).as_py() is not False else batch.filter(keep)


def lines(batch: pa.RecordBatch, table: Table | None = None) -> pa.RecordBatch:
    """Turn a batch of LOGS, each with a time, into LINES; no pattern is mined yet."""
    body = batch.column("body")
    labels = Labels(
        table or default_table(),
        batch.column("attributes"),
        resource=batch.column("resource"),
        name=batch.column("event_name"),
        body=body,
    )
    exception = labels.column("exception_type")
    text = _text(batch, labels, exception)
    severity = _severity(batch.column("severity"), labels.column("severity"))
    columns = {
        "line_id": digests(batch),
        "time_ns": batch.column("time_ns"),
        "severity": severity,
        "trace_id": _id("trace", batch.column("trace_id"), labels.column("trace_id"), body),
        "span_id": _id("span", batch.column("span_id"), labels.column("span_id"), body),
        "service": labels.column("service"),
        "agent": pc.coalesce(labels.column("agent"), labels.column("agent_fallback")),
        "module": pc.coalesce(labels.column("module"), _filled(batch.column("scope"))),
        "region": labels.column("region"),
        "task_id": labels.column("task_id"),
        "error_code": labels.column("error_code"),
        "exception_type": _exception(exception, text, severity),
        "fallback": pc.equal(labels.column("fallback"), "true"),
        "pattern": pa.nulls(batch.num_rows, _TEXT),
        "body": pc.utf8_slice_codeunits(text, 0, BODY_CHARS_MAX),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in LINES.names], schema=LINES)


def digests(batch: pa.RecordBatch) -> pa.Array:
    """Return the digest of all that each record says; the order of its attributes says nothing."""
    resource = batch.column("resource")
    of_resource = pc.take(_joined(resource.dictionary), resource.indices)
    said = [
        pc.cast(batch.column(name), _TEXT)
        for name in ("time_ns", "severity", "trace_id", "span_id", "scope", "event_name")
    ]
    said += [_joined(batch.column("attributes")), of_resource, batch.column("body")]
    texts = pc.binary_join_element_wise(
        *said, pa.scalar(_BETWEEN, _TEXT), null_handling="replace", null_replacement="\x00"
    )
    return pa.array(
        [blake2b(text, digest_size=16).hexdigest() for text in texts.cast(pa.binary()).to_pylist()],
        _TEXT,
    )


def _joined(attributes: pa.MapArray) -> pa.Array:
    """Write each map as one text, sorted by name."""
    offsets = attributes.offsets.to_numpy().astype(np.int64)
    start, end = int(offsets[0]), int(offsets[-1])
    keys = attributes.keys.slice(start, end - start)
    values = pc.fill_null(attributes.items.slice(start, end - start), "\x00")
    pairs = pc.binary_join_element_wise(keys, values, pa.scalar("\x1e", _TEXT))
    codes = pairs.dictionary_encode()
    rank = np.argsort(pc.sort_indices(codes.dictionary).to_numpy())
    owners = np.repeat(np.arange(len(attributes)), np.diff(offsets))
    order = np.lexsort((rank[codes.indices.to_numpy()], owners))
    lists = pa.ListArray.from_arrays(
        pa.array(offsets - start, pa.int32()), pairs.take(pa.array(order))
    )
    return pc.binary_join(lists, pa.scalar(_BETWEEN, _TEXT))


def _text(batch: pa.RecordBatch, labels: Labels, exception: pa.Array) -> pa.Array:
    """Return what a record says to a reader: body, and the exception that it carries besides."""
    message = labels.column("exception_message")
    raised = pc.coalesce(
        pc.binary_join_element_wise(exception, message, pa.scalar(": ", _TEXT)), message
    )
    body = _filled(batch.column("body"))
    inside = pc.fill_null(pc.starts_with(body, "{"), False)
    body = pc.coalesce(pc.if_else(inside, labels.column("message"), None), body)
    both = pc.binary_join_element_wise(body, raised, pa.scalar("\n", _TEXT))
    name = _filled(batch.column("event_name"))
    return pc.coalesce(both, body, raised, name)


def _filled(texts: pa.Array) -> pa.Array:
    """Let a blank text be none."""
    blank = pc.match_substring_regex(texts, r"^\s*$")
    return pc.if_else(pc.fill_null(blank, True), pa.scalar(None, _TEXT), texts)


def _severity(numbers: pa.Array, words: pa.Array) -> pa.Array:
    """Take the number where there is one, else what the word means; 0 where nothing is said."""
    stated = pc.and_(pc.greater(numbers, 0), pc.less_equal(numbers, 24))
    meant = read_unique(words, lambda word: str(_WORDS.get(word.strip().lower(), 0)))
    fallback = pc.fill_null(pc.cast(meant, pa.int8()), 0)
    return pc.if_else(pc.fill_null(stated, False), numbers, fallback)


def _id(kind: str, own: pa.Array, named: pa.Array, body: pa.Array) -> pa.Array:
    """Take the record's own id, else an attribute's, else one that the text states."""
    own = pc.if_else(
        pc.fill_null(pc.match_substring_regex(own, "^0*$"), True), pa.scalar(None, _TEXT), own
    )
    if not own.null_count:
        return own
    named = read_unique(named, _hex)
    found = pc.struct_field(pc.extract_regex(body, _IN_TEXT[kind]), "id")
    return pc.coalesce(own, named, read_unique(found, _hex))


def _hex(text: str) -> str | None:
    """Accept an id as OpenTelemetry writes it."""
    lower = text.strip().lower()
    return lower if _HEX.fullmatch(lower) and lower.strip("0") else None


def _exception(named: pa.Array, text: pa.Array, severity: pa.Array) -> pa.Array:
    """Take the attribute; else the exception that the text of a bad line names."""
    bad = pc.or_(pc.greater_equal(severity, SEVERITY_WARN), pc.equal(severity, 0))
    asked = pc.if_else(pc.and_(bad, pc.is_null(named)), text, pa.scalar(None, _TEXT))
    if asked.null_count == len(asked):
        return named
    return pc.coalesce(named, pc.struct_field(pc.extract_regex(asked, _RAISED), "type"))


def complete_codes(spans: pa.Table, logged: pa.Table) -> pa.Table:
    """Give failed spans that name no error the code of what was logged within them.

    ``spans`` are RESOLVED, ``logged`` LINES. Of several lines of a span the last speaks: what got
    away is logged last. A code goes before an exception's type.
    """
    codes = _logged_codes(logged)
    unnamed = pc.fill_null(pc.equal(spans["error_code"], OTHER_ERROR), False)
    if not codes or not pc.any(unnamed).as_py():
        return spans
    given = spans["error_code"].to_pylist()
    for row in pc.indices_nonzero(unnamed).to_pylist():
        place = spans["trace_id"][row].as_py(), spans["span_id"][row].as_py()
        given[row] = codes.get(place, OTHER_ERROR)
    at = spans.schema.get_field_index("error_code")
    return spans.set_column(at, spans.schema.field(at), pa.array(given, _TEXT))


def _logged_codes(logged: pa.Table) -> dict[tuple[str, str], str]:
    wanted = ("trace_id", "span_id", "time_ns", "error_code", "exception_type")
    rows: Iterator[dict[str, object]] = iter(logged.select(wanted).sort_by("time_ns").to_pylist())
    codes: dict[tuple[str, str], str] = {}
    for row in rows:
        code = row["error_code"] or row["exception_type"]
        if row["trace_id"] and row["span_id"] and code:
            codes[str(row["trace_id"]), str(row["span_id"])] = str(code)
    return codes
