"""Look-ups of people in DuckDB: facts are scanned by time first, since they are stored by it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.database import end_of, sql
from graphmind.archive.memo import Memo
from graphmind.archive.queries import (
    LISTED,
    ItemHealth,
    ItemName,
    Split,
    Time,
    TracePlace,
    Wanted,
)
from graphmind.telemetry.facts import TRACES

CONDITIONS: Final = {
    "since_ns": "start_ns >= $since_ns",
    "until_ns": "start_ns < $until_ns",
    "outcome": "outcome = $outcome",
    "task": "task = $task",
    "symptom": "trace_id IN (SELECT trace_id FROM symptoms WHERE kind = $symptom AND {began})",
    "failing": (
        "$failing = (trace_id IN (SELECT trace_id FROM symptoms"
        " WHERE channel IS NOT NULL AND {began}))"
    ),
}
"""Of a filter's plain fields; one that is not given is no part of the statement: a scan that need
not ask who failed does not."""
AMONG: Final = "trace_id IN (FROM wanted)"
BETWEEN: Final = "start_ns BETWEEN $near_first_ns AND $near_last_ns"
TOUCHES: Final = (
    "trace_id IN (SELECT trace_id FROM items JOIN wanted_items USING (kind, name) WHERE {since} "
    "GROUP BY trace_id HAVING count(DISTINCT (kind, name)) = $items)"
)
AROUND_NS: Final = (3_600_000_000_000, 86_400_000_000_000, 2**62)
"""How far from a trace its like is looked for: an hour, a day, everywhere."""
SINCE: Final = "(first_ns IS NULL OR first_ns >= $since_ns)"
"""A trace touches nothing before it begins: what lies before need not be looked at."""
BEGAN: Final = "(began_ns IS NULL OR began_ns >= $since_ns)"
BEFORE: Final = " AND (first_ns IS NULL OR first_ns <= $last_ns)"
NEWER_LEFT: Final = "(start_ns < $after_ns OR (start_ns = $after_ns AND trace_id > $after_id))"
OLDER_LEFT: Final = "(start_ns > $after_ns OR (start_ns = $after_ns AND trace_id > $after_id))"

_EVER: Final = Time(since_ns=-(2**63), until_ns=2**63 - 1)
_NAMED: Final = pa.schema([pa.field("kind", pa.string()), pa.field("name", pa.string())])
_GROUPED: Final = _NAMED.append(pa.field("number", pa.int64()))
Cursor = duckdb.DuckDBPyConnection
Snapshot = Callable[[], AbstractContextManager[Cursor]]
_Every = tuple[list[dict[str, Any]], dict[str, list[str]]]

TEXTS_MAX: Final = 16
"""Incidents kept as text, asked for last: a page asks for one seven times (chosen)."""


class DuckQueries:
    """Implements ``Queries`` beside an archive, whose snapshots it reads."""

    def __init__(self, snapshot: Snapshot, fresh: Snapshot) -> None:
        """Take over how the archive opens a snapshot, and one of what is stored just now."""
        self._snapshot = snapshot
        self._fresh = fresh
        self._every: Memo[None, _Every] = Memo(1)
        self._texts: Memo[str, str | None] = Memo(TEXTS_MAX)

    def page(
        self, wanted: Wanted, *, after: TracePlace | None, limit: int, oldest_first: bool = False
    ) -> pa.Table:
        """Traces (schema LISTED) after a place; see the port."""
        order = "ASC" if oldest_first else "DESC"
        with self._snapshot() as cursor:
            conditions, terms = _conditions(cursor, wanted)
            if after is not None:
                conditions.append(OLDER_LEFT if oldest_first else NEWER_LEFT)
                terms |= {"after_ns": after[0], "after_id": after[1]}
            statement = sql("page_traces", conditions=_all(conditions), order=order)
            page = cursor.sql(statement, params={**terms, "limit": limit}).to_arrow_table()
            return _told(cursor, page) if page.num_rows else LISTED.empty_table()

    def ids(self, wanted: Wanted, *, most: int) -> pa.Array:
        """Ids of the traces wanted, oldest first."""
        with self._snapshot() as cursor:
            conditions, terms = _conditions(cursor, wanted)
            statement = sql("wanted_ids", conditions=_all(conditions))
            found = cursor.sql(statement, params={**terms, "most": most}).to_arrow_table()
        return found["trace_id"].combine_chunks().cast(pa.string())

    def time_of(self, trace_ids: pa.Array) -> Time:
        """From the first to the last start of traces."""
        with self._snapshot() as cursor:
            first, _, last = _span(cursor, trace_ids, None)
        return Time(since_ns=first or 0, until_ns=0 if last is None else last + 1)

    def last_start(self, *, before_ns: int | None = None) -> int | None:
        """When the last trace began, ns."""
        return self.last_of(Wanted(until_ns=before_ns))

    def last_of(self, wanted: Wanted) -> int | None:
        """When the last of the traces wanted began, ns."""
        with self._snapshot() as cursor:
            conditions, terms = _conditions(cursor, wanted)
            statement = sql("last_start", conditions=_all(conditions))
            last: int | None = cursor.execute(statement, terms).fetchall()[0][0]
        return last

    def lifts(self, trace_id: str, time: Time) -> list[ItemHealth]:
        """How the traces fare that touch what one trace touched."""
        with self._snapshot() as cursor:
            terms = {**_ended(cursor, time), "trace_id": trace_id}
            rows = cursor.execute(sql("lifts"), terms).fetchall()
        return [
            ItemHealth(kind=kind, name=name, traces=traces, failing=failing)
            for kind, name, traces, failing in rows
        ]

    def touching(
        self,
        groups: Sequence[Sequence[ItemName]],
        trace_ids: pa.Array,
        *,
        near: Time | None = None,
    ) -> list[frozenset[str]]:
        """For each group of items, which of the traces touch all of it."""
        found: list[set[str]] = [set() for _ in groups]
        with self._snapshot() as cursor:
            cursor.register("wanted_groups", _grouped(groups))
            first, last, _ = _span(cursor, trace_ids, near)
            span = {"first_ns": first, "last_ns": last}
            for number, trace_id in cursor.execute(sql("touching"), span).fetchall():
                found[number].add(trace_id)
        return [frozenset(ids) for ids in found]

    def splits(
        self,
        groups: Sequence[Sequence[ItemName]],
        *,
        without: Sequence[ItemName],
        channels: Sequence[str],
        time: Time,
    ) -> list[Split]:
        """Count the traces of a time that do not touch all of ``without``, by each group."""
        rows = [*_grouped(groups).to_pylist(), *_numbered(without, -1)]
        names = ("failed_with", "passed_with", "failed_without", "passed_without")
        with self._snapshot() as cursor:
            cursor.register("wanted_groups", pa.Table.from_pylist(rows, schema=_GROUPED))
            terms = {**_ended(cursor, time), "channels": list(channels)}
            found = cursor.execute(sql("split"), terms).fetchall()
        return [Split(**dict(zip(names, counts, strict=True))) for _, *counts in found]

    def exposed(self, group: Sequence[ItemName], time: Time, *, names_max: int) -> dict[str, Any]:
        """Sum up the traces that touch all of a group."""
        with self._snapshot() as cursor:
            cursor.register("wanted_groups", _grouped([group]))
            terms = _ended(cursor, time)
            cursor.execute(sql("select_exposed"), terms)
            near = {name: terms[name] for name in ("since_ns", "last_ns")}
            [(traces, failing, last_ns)] = cursor.execute(sql("exposed"), near).fetchall()
            named = {**near, "names_max": names_max}
            rows = cursor.execute(sql("exposed_names"), named).fetchall()
        names: dict[str, list[str]] = {kind: [] for kind in ("task", "agent", "region", "kv_key")}
        for kind, name in rows:
            names[kind].append(name)
        return {"traces": traces, "failing": failing, "last_ns": last_ns, **names}

    def traces(self, trace_ids: pa.Array, *, near: Time | None = None) -> pa.Table:
        """Facts (TRACES) of traces; see the port."""
        with self._snapshot() as cursor:
            conditions, terms = _conditions(cursor, Wanted(trace_ids=trace_ids, near=near))
            statement = sql("page_traces", conditions=_all(conditions), order="ASC")
            found = cursor.sql(statement, params={**terms, "limit": len(trace_ids)})
            return found.to_arrow_table().cast(TRACES)

    def healthy_like(self, trace: Mapping[str, Any]) -> str | None:
        """A complete healthy trace of the same task and root: the nearest in time."""
        like = {name: trace[name] for name in ("trace_id", "task", "root_name", "start_ns")}
        with self._snapshot() as cursor:
            for around_ns in AROUND_NS:
                around = {"since_ns": trace["start_ns"] - around_ns}
                around |= {"until_ns": trace["start_ns"] + around_ns}
                rows = cursor.execute(sql("healthy_like"), like | around).fetchall()
                if rows:
                    return str(rows[0][0])
        return None

    def incident_heads(self) -> list[dict[str, Any]]:
        """Incidents by id without the ids of their traces; decoded once for all readers."""
        return self._every.get(None, self._decoded)[0]

    def incidents_of(self, trace_id: str) -> list[str]:
        """Ids of the incidents that a trace is part of, sorted."""
        return list(self._every.get(None, self._decoded)[1].get(trace_id, ()))

    def incident_text(self, incident_id: str) -> str | None:
        """Return an incident as it is stored; None where there is none."""

        def read() -> str | None:
            rows = self._latest_rows("incident", incident_id=incident_id)
            return rows[0][0] if rows else None

        return self._texts.get(incident_id, read)

    def forget_incidents(self) -> None:
        """Read anew what is asked for next: incidents were stored."""
        self._every.forget()
        self._texts.forget()

    def _decoded(self) -> _Every:
        """Return the heads, and the incidents by trace."""
        heads: list[dict[str, Any]] = []
        members: dict[str, list[str]] = {}
        for (text,) in self._latest_rows("incidents"):
            head, trace_ids = _head(text)
            heads.append(head)
            for trace_id in trace_ids:
                members.setdefault(trace_id, []).append(head["incident_id"])
        return heads, members

    def _latest_rows(self, name: str, **terms: Any) -> list[tuple[Any, ...]]:
        """Read for a memo: what is kept must not be of the past that a thread looks at."""
        with self._fresh() as cursor:
            return cursor.execute(sql(name), terms).fetchall()


def _told(cursor: Cursor, page: pa.Table) -> pa.Table:
    """Add the symptoms of the traces of a page, and what each touched first of three kinds.

    Joined here: in one statement with all columns of a page it takes twice the time (measured).
    """
    ends = pc.add(page["start_ns"], pc.fill_null(page["duration_ns"], 0))
    span = {"first_ns": pc.min(page["start_ns"]).as_py(), "last_ns": pc.max(ends).as_py()}
    cursor.register("page", page.select(["trace_id"]))
    shown = dict(cursor.execute(sql("page_symptoms"), span).fetchall())
    symptoms = [shown.get(trace_id, []) for trace_id in page["trace_id"].to_pylist()]
    page = page.append_column("symptoms", pa.array(symptoms, LISTED.field("symptoms").type))
    firsts = cursor.sql(sql("page_firsts"), params=span).to_arrow_table()
    rows = pc.index_in(page["trace_id"], value_set=firsts["trace_id"])
    for name in ("agent", "region", "model_version"):
        page = page.append_column(name, firsts[name].take(rows))
    return page.cast(LISTED)


def _conditions(cursor: Cursor, wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions of a filter and their terms; ids and items are registered."""
    terms: dict[str, Any] = {
        name: value for name in CONDITIONS if (value := getattr(wanted, name)) is not None
    }
    began = BEGAN if "since_ns" in terms else "true"
    conditions = [CONDITIONS[name].format(began=began) for name in terms]
    if wanted.trace_ids is not None:
        conditions.append(AMONG)
        if wanted.near is None:
            _want(cursor, wanted.trace_ids)
        else:
            first, _, last = _span(cursor, wanted.trace_ids, wanted.near)
            conditions.append(BETWEEN)
            terms |= {"near_first_ns": first, "near_last_ns": last}
    if wanted.items:
        items = sorted(set(wanted.items))
        rows = [{"kind": kind, "name": name} for kind, name in items]
        cursor.register("wanted_items", pa.Table.from_pylist(rows, schema=_NAMED))
        bounded = {"since_ns", "until_ns"} <= terms.keys()
        if bounded:
            time = Time(since_ns=terms["since_ns"], until_ns=terms["until_ns"])
            terms["last_ns"] = _ended(cursor, time)["last_ns"]
        since = (SINCE + (BEFORE if bounded else "")) if "since_ns" in terms else "true"
        conditions.append(TOUCHES.format(since=since))
        terms["items"] = len(items)
    return conditions, terms


def _want(cursor: Cursor, trace_ids: pa.Array) -> int:
    """Register ids as ``wanted``; return how many."""
    ids = pc.unique(trace_ids.cast(pa.string()))
    cursor.register("wanted", pa.table({"trace_id": ids}))
    return len(ids)


def _span(
    cursor: Cursor, trace_ids: pa.Array, near: Time | None
) -> tuple[int | None, int | None, int | None]:
    """Return when traces, ``wanted`` from here, began, ended and began last; None where unknown."""
    wanted = _want(cursor, trace_ids)
    for time in (near, _EVER) if near is not None else (_EVER,):
        first, ended, last, found = cursor.execute(sql("wanted_span"), _of(time)).fetchall()[0]
        if found == wanted:
            break
    return first, ended, last


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "true"


def _ended(cursor: Cursor, time: Time) -> dict[str, int]:
    """Return a time as terms, with when its traces had ended."""
    return {**_of(time), "last_ns": end_of(cursor, time.since_ns, time.until_ns)}


def _of(time: Time) -> dict[str, int]:
    return {"since_ns": time.since_ns, "until_ns": time.until_ns}


def _grouped(groups: Sequence[Sequence[ItemName]]) -> pa.Table:
    rows = [row for number, group in enumerate(groups) for row in _numbered(group, number)]
    return pa.Table.from_pylist(rows, schema=_GROUPED)


def _numbered(group: Sequence[ItemName], number: int) -> list[dict[str, Any]]:
    return [{"kind": kind, "name": name, "number": number} for kind, name in sorted(set(group))]


def _head(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return an incident without its traces, and their ids."""
    document: dict[str, Any] = orjson.loads(text)
    ids: list[str] = document.pop("trace_ids", [])
    document.get("command", {}).pop("trace_scope", None)
    return document | {"trace_count": len(ids)}, ids
