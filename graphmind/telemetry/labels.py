"""Columns out of the attributes of log records and the labels of metrics, by the resolver table."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.lookup import Lookup
from graphmind.telemetry.resolve import first_hit
from graphmind.telemetry.resolver_table import Rule, Table
from graphmind.telemetry.spans import ATTRIBUTES, SPANS

FIELDS_MAX: Final = 64
"""Fields read of a record that is JSON (chosen): what names a place stands among the first."""

_TEXT: Final = pa.string()
_NO_EVENTS: Final = SPANS.field("events").type
MORE: Final[Mapping[str, tuple[str, ...]]] = {
    "service": ("service", "app", "job"),
    "answer": ("code", "status", "status_code", "error", "error_type", "reason", "result"),
    "exception_type": ("exception.type", "exc_type", "error.kind", "exception_class"),
    "exception_message": ("exception.message", "exc_message", "error.message"),
    "severity": ("severity_text", "severity", "level", "log.level", "loglevel", "detected_level"),
    "message": ("message", "msg", "event"),
    "trace_id": ("trace_id", "trace.id", "traceid", "traceId", "traceID", "otelTraceID"),
    "span_id": ("span_id", "span.id", "spanid", "spanId", "spanID", "otelSpanID"),
}
"""Names that only logs and metrics use, after those of the table; what Loki and Prometheus call a
stream or a target by default stands last."""


def signal_table(table: Table) -> Table:
    """Return the table with the names that logs and metrics use besides.

    Loki and Prometheus write `gen_ai_agent_name`: their label names know no dots.
    """
    return _signal_table(tuple(table.items()))


@cache
def _signal_table(rows: tuple[tuple[str, tuple[Rule, ...]], ...]) -> Table:
    more = {column: tuple(Rule(name=name) for name in names) for column, names in MORE.items()}
    spoken = {column: rules + more.pop(column, ()) for column, rules in rows} | more
    return {column: tuple(_both_ways(rules)) for column, rules in spoken.items()}


def _both_ways(rules: Iterable[Rule]) -> Iterable[Rule]:
    for rule in rules:
        yield rule
        where = rule.only_where
        flat = replace(
            rule,
            name=_flat(rule.name),
            refined_by=_flat(rule.refined_by),
            only_where=(_flat(where[0]), where[1]) if where else None,
        )
        if flat != rule:
            yield flat


def _flat(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")


class Labels:
    """Finds columns in the attributes of many records, else of their resources, else in JSON."""

    def __init__(
        self,
        table: Table,
        attributes: pa.MapArray,
        *,
        resource: pa.DictionaryArray | None = None,
        name: pa.Array | None = None,
        body: pa.Array | None = None,
    ) -> None:
        """Read records; ``body`` is looked into where it is a JSON object."""
        self._table = signal_table(table)
        self._rows = len(attributes)
        self._lookups = [_lookup(attributes, resource, name)]
        if body is not None and (fields := _json_fields(body)) is not None:
            self._lookups.append(_lookup(fields, None, None))

    def column(self, column: str) -> pa.Array:
        """Return per record what the first of the column's names says, null where none does."""
        found = [first_hit(lookup, self._table[column]) for lookup in self._lookups]
        return pc.coalesce(*found) if len(found) > 1 else found[0]


def _lookup(
    attributes: pa.MapArray, resource: pa.DictionaryArray | None, name: pa.Array | None
) -> Lookup:
    rows = len(attributes)
    if resource is None:
        nothing = pa.array([[]], ATTRIBUTES)
        resource = pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int32()), nothing)
    columns = {
        "name": pa.nulls(rows, _TEXT) if name is None else name,
        "attributes": attributes,
        "events": pa.nulls(rows, _NO_EVENTS),
        "resource": resource,
    }
    return Lookup(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)))


def _json_fields(body: pa.Array) -> pa.MapArray | None:
    """Return the scalar fields of bodies that are JSON objects, one level down; None without any.

    Where a body is none, or broken, it has no fields.
    """
    opens = pc.fill_null(pc.starts_with(body, "{"), False)
    if not pc.any(opens).as_py():
        return None
    fields: list[list[tuple[str, str]]] = [[] for _ in range(len(body))]
    for row in pc.indices_nonzero(opens).to_pylist():
        fields[row] = _scalars(body[row].as_py())
    return pa.array(fields, ATTRIBUTES)


def _scalars(text: str) -> list[tuple[str, str]]:
    try:
        document = orjson.loads(text)
    except ValueError:
        return []
    if not isinstance(document, dict):
        return []
    flat: list[tuple[str, str]] = []
    for name, value in document.items():
        if isinstance(value, dict):
            flat += ((f"{name}.{inner}", _text(each)) for inner, each in value.items())
        else:
            flat.append((name, _text(value)))
        if len(flat) >= FIELDS_MAX:
            break
    return flat[:FIELDS_MAX]


def _text(value: Any) -> str:
    """Write a value as attributes write it; null is as good as absent."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()
