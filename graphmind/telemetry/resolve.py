"""Raw spans become resolved spans: attribute names become columns, by the resolver table."""

import re
from functools import cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.facts import RESOLVED
from graphmind.telemetry.lookup import Lookup, read_unique
from graphmind.telemetry.readings import access, reading
from graphmind.telemetry.resolver_table import COLUMNS, Rule, Table, default_table
from graphmind.telemetry.spans import STATUS_ERROR, STATUS_UNSET

OTHER_ERROR: Final = "_OTHER"
"""Error code of a failed span that names none (OpenTelemetry's word)."""

# Scalars of a known type: pyarrow infers the type of others by trying an import at every call.
_TEXT: Final = pa.string()
_EMPTY: Final = pa.scalar("", _TEXT)

_THRESHOLD: Final = re.compile(r"(?:^|[,;])ot=(?:[^,]*;)?th:([0-9a-f]{1,14})")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][\w-]*([.:/][A-Za-z_][\w-]*)*")


def resolve(batch: pa.RecordBatch, table: Table | None = None) -> pa.RecordBatch:
    """Turn a batch of SPANS into RESOLVED, span by span; nothing is inherited yet."""
    table = table or default_table()
    lookup = Lookup(batch)
    columns: dict[str, Any] = {name: batch.column(name) for name in batch.schema.names}
    columns |= {column: first_hit(lookup, table[column]) for column in COLUMNS}
    columns["attributes"] = lookup.unused(batch.column("attributes"), _known_names(table))
    columns["module"] = _module(columns)
    columns["kv_op"] = _kv_op(columns)
    columns["kv_store"] = _kv_store(columns)
    columns["endpoint"] = pc.if_else(
        pc.is_valid(columns["kv_system"]), pa.scalar(None, _TEXT), columns["endpoint"]
    )  # a store is told by its keys; its address is a place, often the region again
    columns["status"] = _status(columns)
    columns["error_code"] = _error_code(columns)
    columns["exception_ns"] = _exception_ns(batch.column("events"))
    columns["sample_probability"] = _sample_probability(columns)
    arrays = [_cast(columns[field.name], field.type) for field in RESOLVED]
    return pa.RecordBatch.from_arrays(arrays, schema=RESOLVED)


def first_hit(lookup: Lookup, rules: tuple[Rule, ...]) -> pa.Array:
    """Return per span the first name's text that its reading accepts."""
    hits = [_read(lookup, rule) for rule in rules if _applies(lookup, rule)]
    if len(hits) > 1:
        return pc.coalesce(*hits)
    return hits[0] if hits else pa.nulls(lookup.rows, _TEXT)


def _applies(lookup: Lookup, rule: Rule) -> bool:
    """Whether a span of the batch may carry what the rule asks for."""
    asked = (rule.name, *(rule.only_where or ())[:1])
    return all(lookup.has(name) for name in asked)


def _read(lookup: Lookup, rule: Rule) -> pa.Array:
    texts = lookup.texts(rule.name)
    if rule.only_where:
        name, wanted = rule.only_where
        said = pc.equal(pc.utf8_lower(lookup.texts(name)), pa.scalar(wanted, _TEXT))
        texts = pc.if_else(said, texts, pa.scalar(None, _TEXT))
    if rule.refined_by and lookup.has(rule.refined_by):
        texts = _join(texts, lookup.texts(rule.refined_by), rule.joined_by)
    return read_unique(texts, reading(rule.reading)) if rule.reading else texts


def _join(texts: pa.Array, more: pa.Array, sign: str) -> pa.Array:
    """Append a second text where there is one."""
    return pc.coalesce(pc.binary_join_element_wise(texts, more, pa.scalar(sign, _TEXT)), texts)


@cache
def _names_of(rules: tuple[tuple[Rule, ...], ...]) -> frozenset[str]:
    return frozenset(
        name
        for row in rules
        for rule in row
        for name in (rule.name, rule.refined_by, *(rule.only_where or ())[:1])
        if name
    )


def _known_names(table: Table) -> frozenset[str]:
    return _names_of(tuple(table[column] for column in COLUMNS))


def _module(columns: dict[str, Any]) -> pa.Array:
    """Name the module: by attribute, else the span's name where that is an identifier.

    In the reference platform (S01) each module is a span. Other spans are named after requests
    (`GET /users/7`, `chat gpt`): there the GenAI operation is the module, else the scope.
    """
    scope, name = columns["scope"], columns["name"]
    library = pc.fill_null(pc.match_substring(scope, "instrumentation"), False)
    identifier = read_unique(name, lambda text: text if _IDENTIFIER.fullmatch(text) else None)
    named = pc.if_else(pc.equal(scope, _EMPTY), None, scope)
    return pc.coalesce(
        columns["module"],
        pc.if_else(library, None, identifier),
        columns["operation"],
        named,
        name,
    )


def _kv_op(columns: dict[str, Any]) -> pa.Array:
    """Fall back to the span's name, and to a read, for a span that carries a key."""
    by_name = read_unique(columns["name"], access)
    has_key = pc.is_valid(columns["kv_key"])
    return pc.if_else(
        has_key, pc.coalesce(columns["kv_op"], by_name, pa.scalar("read", _TEXT)), None
    )


def _kv_store(columns: dict[str, Any]) -> pa.Array:
    """Tell stores apart by system and database, unless the span names its store.

    Not by address: replicas and regional relays serve one key under many addresses, and splitting
    a poisoned key by them hides it (seen on planted windows), while joining two keys of one name
    only dilutes them.
    """
    place = _join(columns["kv_system"], columns["kv_database"], "/")
    store = pc.coalesce(columns["kv_store"], place)
    return pc.if_else(pc.is_valid(columns["kv_key"]), store, None)


def _status(columns: dict[str, Any]) -> pa.Array:
    """Take the status; a span that left it unset has failed if its attributes say so."""
    says = pc.fill_null(pc.equal(columns["failure"], pa.scalar("true", _TEXT)), False)
    unset = pc.equal(columns["status"], STATUS_UNSET)
    return pc.if_else(pc.and_(unset, says), pa.scalar(STATUS_ERROR, pa.int8()), columns["status"])


def _exception_ns(events: pa.ListArray) -> pa.Array:
    """Return when the last exception was recorded on each span: it is the one that got away."""
    lengths = pc.fill_null(pc.list_value_length(events), 0).to_numpy()
    flat = events.flatten()
    raised = pc.fill_null(pc.equal(flat.field("name"), pa.scalar("exception", _TEXT)), False)
    at = np.flatnonzero(pc.and_(raised, pc.is_valid(flat.field("time_ns"))).to_numpy(False))
    last = np.full(len(events), -1, np.int64)
    last[np.repeat(np.arange(len(events)), lengths)[at]] = at
    return flat.field("time_ns").take(pa.array(last, mask=last < 0))


def _error_code(columns: dict[str, Any]) -> pa.Array:
    """Every failed span has a code; a span that succeeded has none."""
    failed = pc.equal(columns["status"], STATUS_ERROR)
    message = read_unique(columns["status_message"], _short_message)
    code = pc.coalesce(columns["error_code"], message, pa.scalar(OTHER_ERROR, _TEXT))
    return pc.if_else(failed, code, None)


def _short_message(text: str) -> str | None:
    """Make a message a code: first line, numbers and ids masked, 80 characters."""
    first = text.strip().partition("\n")[0]
    return re.sub(r"\b[0-9a-f-]*\d[0-9a-f-]*\b", "#", first)[:80] or None


def _sample_probability(columns: dict[str, Any]) -> pa.Array:
    """Take the attribute, else OpenTelemetry's threshold in the trace state."""
    own = columns["sample_probability"]
    state = columns["trace_state"]
    if state.null_count == len(state):
        return own
    return pc.coalesce(own, read_unique(state, _threshold_probability))


def _threshold_probability(state: str) -> str | None:
    """`ot=th:c` rejects below the threshold: probability 1 - 0xc0000000000000 / 2**56."""
    match = _THRESHOLD.search(state)
    return str(1 - int(match[1].ljust(14, "0"), 16) / 2**56) if match else None


def _cast(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if values.type == kind:
        return values
    if pa.types.is_boolean(kind):
        return pc.equal(values, "true")
    if pa.types.is_integer(kind):
        floats = pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False)
        counts = np.clip(np.nan_to_num(floats), 0, np.iinfo(np.int32).max).astype(np.int64)
        return pa.array(counts, kind, mask=np.isnan(floats))
    return pc.cast(values, kind)
