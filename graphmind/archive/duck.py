"""The archive in one DuckDB file in the data folder, or in memory."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.arrivals import add
from graphmind.archive.columns import STORED, from_stored, to_stored
from graphmind.archive.database import FACTS, answers, connect, number, prepare, sql
from graphmind.archive.duck_queries import DuckQueries
from graphmind.archive.duck_signals import DuckSignals
from graphmind.archive.duck_tallies import DuckTallies
from graphmind.archive.extents import LEAVE_EVERY, QUIET_MS, Extents
from graphmind.archive.folder import own_folder
from graphmind.archive.opened import REOPENED_EVERY, OpenedFile
from graphmind.archive.port import Appended, Outcome, Patience, Selection
from graphmind.errors import UnknownName
from graphmind.telemetry.facts import ITEMS, Facts
from graphmind.telemetry.spans import STATUS_ERROR

_MS_NS = 1_000_000
_IDS = pa.schema([pa.field("trace_id", pa.string())])
_NAMED = pa.schema([pa.field("kind", pa.string()), pa.field("name", pa.string())])
_STARTS = _IDS.append(pa.field("start_ns", pa.int64()))


class DuckArchive:
    """Implements ``Archive``; a context manager. Any thread may read while one writes.

    What a method has written is durable when it returns: DuckDB syncs its write-ahead log to disk
    before a commit returns, and replays the log when the file is next opened.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        memory_max: str = "2GB",
        reopened_every: int = REOPENED_EVERY,
    ) -> None:
        """Open or create the archive of a folder; without one it lives in memory.

        Above ``memory_max`` (chosen) work goes on in temporary files in the folder; the file is
        opened anew after so many live spans.
        Raises StoreBusy where the folder has an owner, StoreError where it cannot be used.
        """
        self._folder = folder
        self._writing = threading.Lock()
        self._reading = threading.local()
        with ExitStack() as opening:
            if folder:
                opening.enter_context(own_folder(folder))
            with answers(folder):
                connection = opening.enter_context(connect(folder, memory_max))
                prepare(connection, folder)
            self._held = opening.pop_all()
        self._file = OpenedFile(connection, folder, every=reopened_every)
        self._extents = Extents()
        with self._snapshot() as cursor:
            self._extents.read(cursor)
            self._latest = number(cursor, sql("latest"))
        self.signals = DuckSignals(self._snapshot, self._transaction)
        self.tallies = DuckTallies(self._snapshot)
        self.queries = DuckQueries(self._snapshot, self._own_snapshot)

    @contextmanager
    def consistent(self) -> Iterator[None]:
        """Let all that this thread reads within see one state; see the port."""
        if self._shared() is not None:
            yield
            return
        with self._own_snapshot() as cursor:
            self._reading.cursor = cursor
            try:
                yield
            finally:
                self._reading.cursor = None

    def append(self, batches: Iterable[pa.RecordBatch]) -> Appended:
        """Store spans in one transaction; repeated ones are removed before it ends.

        Memory is bounded: DuckDB writes full row groups to the file before the commit.
        """
        with self._writing:
            with self._own_snapshot() as cursor:
                load = self._latest + 1
                self._extents.leave(cursor)
                rows = _insert(cursor, load, batches)
                duplicate, traces = _reconcile(cursor, self._extents, load)
            self._latest += bool(traces)
        return Appended(new=rows - duplicate, duplicate=duplicate, traces=traces)

    def add(self, spans: pa.RecordBatch, *, at_ms: int) -> Appended:
        """Store one batch of live spans; see the port."""
        with self._writing:
            with self._own_snapshot() as cursor:
                load = self._latest + 1
                if load % LEAVE_EVERY == 0:
                    self._extents.leave(cursor, quiet_since_ms=at_ms - QUIET_MS)
                appended = add(cursor, spans, self._extents, load=load, at_ms=at_ms)
            self._latest += bool(appended.traces)
            self._file.wrote(appended.new)
        return appended

    def latest(self) -> int:
        """Return the number of the last append that added spans."""
        return self._latest

    def unsettled(self) -> pa.Array:
        """Ids of traces that gained spans since their facts were last stored, sorted."""
        with self._snapshot() as cursor:
            return _ids(cursor.sql(sql("unsettled")))

    def due(self, patience: Patience, *, now_ms: int, traces_max: int) -> pa.Array:
        """Ids of unsettled traces that need be waited for no longer; see the port."""
        terms = {
            "quiet_since_ms": now_ms - patience.quiet_ms,
            "overdue_since_ms": now_ms - patience.overdue_ms,
            "hung_since_ns": (now_ms - patience.hang_ms) * _MS_NS,
            "traces_max": traces_max,
        }
        with self._snapshot() as cursor:
            return _ids(cursor.sql(sql("due"), params=terms))

    def suspects(self, trace_ids: pa.Array) -> pa.Array:
        """Ids of the given traces that look as if something went wrong; see the port."""
        with self._snapshot() as cursor:
            cursor.register("wanted", pa.table([trace_ids], schema=_IDS))
            return _ids(cursor.sql(sql("suspects"), params={"error": STATUS_ERROR}))

    def pass_over(self, trace_ids: pa.Array, *, as_of: int) -> None:
        """Mark traces settled without facts of their own."""
        with self._transaction() as cursor:
            cursor.register("given_traces", pa.table([trace_ids], schema=_IDS))
            cursor.execute(sql("settle"), {"as_of": as_of})

    def open_traces(self, *, began_before_ms: int) -> pa.Array:
        """Ids of traces with a span that began before and has not ended, sorted."""
        with self._snapshot() as cursor:
            began = {"before_ns": began_before_ms * _MS_NS}
            return _ids(cursor.sql(sql("open_traces"), params=began))

    def traces_of_task(self, task_id: str) -> pa.Array:
        """Ids of the traces that ran a task, sorted."""
        with self._snapshot() as cursor:
            return _ids(cursor.sql(sql("traces_of_task"), params={"task_id": task_id}))

    def starts(self, selection: Selection) -> pa.Table:
        """Id and start of the traces selected, sorted by id."""
        with self._snapshot() as cursor:
            self._select_spans(cursor, selection)
            return cursor.sql(sql("starts")).to_arrow_table().cast(_STARTS)

    def spans(self, selection: Selection) -> pa.Table:
        """Spans of the traces selected; a span without a start stands last in its trace."""
        with self._snapshot() as cursor:
            self._select_spans(cursor, selection)
            (bounds,) = _parts(cursor) or [_NOTHING]
            return _spans(cursor, bounds)

    def bare_spans(self, selection: Selection) -> pa.Table:
        """Spans of the traces selected in any order, attributes left out."""
        with self._snapshot() as cursor:
            self._select_spans(cursor, selection)
            (bounds,) = _parts(cursor) or [_NOTHING]
            return _spans(cursor, bounds, "bare_spans")

    def span_batches(self, selection: Selection, spans_max: int) -> Iterator[pa.Table]:
        """Yield the same in parts of about ``spans_max`` spans; see the port."""
        with self._own_snapshot() as cursor:
            self._select_spans(cursor, selection)
            cursor.execute(sql("part_selected"), {"spans_max": spans_max})
            for bounds in _parts(cursor):
                yield _spans(cursor, bounds)

    def store_facts(self, facts: Facts, *, as_of: int | None = None) -> None:
        """Replace the facts of the traces in ``facts.traces``; see the port for ``as_of``."""
        with self._transaction() as cursor:
            for table in FACTS:
                cursor.register(f"given_{table}", getattr(facts, table))
            known = number(cursor, sql("known_facts"))
            for table in FACTS:
                if known:
                    cursor.execute(sql("delete_facts", table=table))
                cursor.execute(sql("append_facts", table=table))
            as_of = self._latest if as_of is None else as_of
            cursor.execute(sql("settle"), {"as_of": as_of})

    def facts(
        self, selection: Selection, *, healthy_share: float = 1.0, with_items: bool = True
    ) -> Facts:
        """Facts of the traces selected, by the start their facts state; see the port."""
        with self._snapshot() as cursor:
            _select_facts(cursor, selection, healthy_share=healthy_share)
            tables = {
                table: cursor.sql(_facts_sql(table)).to_arrow_table().cast(schema)
                for table, schema in FACTS.items()
                if with_items or table != "items"
            }
            tables.setdefault("items", ITEMS.empty_table())
        return Facts(**tables | {"traces": _weighed(tables["traces"], healthy_share)})

    def failing_and_healthy(self, selection: Selection) -> tuple[int, int]:
        """Count the traces selected that show a symptom, and those that do not."""
        with self._snapshot() as cursor:
            _select_facts(cursor, selection)
            failing, healthy = cursor.execute(sql("failing_and_healthy")).fetchall()[0]
        return failing, healthy

    def failing_since(self, selection: Selection, count: int) -> int | None:
        """Return the start of the ``count``-th newest failing trace selected, ns."""
        with self._snapshot() as cursor:
            _select_facts(cursor, selection)
            row = cursor.execute(sql("failing_since"), {"count": count}).fetchone()
        return row[0] if row else None

    def first_touches(self, items: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return when any trace first touched each item, ns."""
        wanted = [{"kind": kind, "name": name} for kind, name in sorted(set(items))]
        with self._snapshot() as cursor:
            cursor.register("wanted_items", pa.Table.from_pylist(wanted, schema=_NAMED))
            rows = cursor.execute(sql("first_touches")).fetchall()
        return {(kind, name): first_ns for kind, name, first_ns in rows}

    def first_start(self) -> int | None:
        """Return when the first trace that has facts began, ns."""
        with self._snapshot() as cursor:
            first: int | None = cursor.execute(sql("first_start")).fetchall()[0][0]
        return first

    def counts(self) -> dict[str, int]:
        """Return the number of rows by table."""
        with self._snapshot() as cursor:
            return {
                table: number(cursor, sql("count_rows", table=table)) for table in ("spans", *FACTS)
            }

    def outcomes(self) -> list[Outcome]:
        """Return the estimated number of traces by outcome and completeness."""
        with self._snapshot() as cursor:
            rows = cursor.execute(sql("outcomes")).fetchall()
        return [
            Outcome(outcome=outcome, complete=complete, traces=traces)
            for outcome, complete, traces in rows
        ]

    def rates(self, since_ns: int) -> tuple[float | None, float | None]:
        """Share of the traces since with a fallback, and that recovered."""
        with self._snapshot() as cursor:
            found = cursor.execute(sql("rates"), {"since_ns": since_ns}).fetchall()[0]
        fallback, recovered = found
        return fallback, recovered

    def agent_latency_p95(self, since_ns: int, *, agents_max: int) -> dict[str, float]:
        """95th percentile of the duration in ns of the traces of each agent since."""
        terms = {"since_ns": since_ns, "agents_max": agents_max}
        with self._snapshot() as cursor:
            return dict(cursor.execute(sql("agent_latency"), terms).fetchall())

    def save_incidents(self, run_id: str, incidents: Iterable[dict[str, object]]) -> None:
        """Replace the incidents found by an analysis run."""
        documents = list(incidents)
        given = {
            "incident_id": pa.array([d["incident_id"] for d in documents], pa.string()),
            "document": pa.array([orjson.dumps(d).decode() for d in documents], pa.string()),
        }
        with self._transaction() as cursor:
            cursor.register("given_incidents", pa.table(given))
            cursor.execute(sql("delete_incidents"), {"run_id": run_id})
            cursor.execute(sql("append_incidents"), {"run_id": run_id})
        self.queries.forget_incidents()

    def incidents(self) -> list[dict[str, object]]:
        """Return the incidents stored, sorted by id."""
        with self._snapshot() as cursor:
            rows = cursor.execute(sql("incidents")).fetchall()
        return [orjson.loads(document) for (document,) in rows]

    def incident(self, incident_id: str) -> dict[str, object]:
        """Return one incident; raises UnknownName."""
        text = self.queries.incident_text(incident_id)
        if text is not None:
            document: dict[str, object] = orjson.loads(text)
            return document
        raise UnknownName(f"no incident {incident_id}. `graphmind incidents` lists those known")

    def documents(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the documents of a kind by id, in the order of their ids."""
        with self._snapshot() as cursor:
            rows = cursor.execute(sql("documents"), {"kind": kind}).fetchall()
        return {name: orjson.loads(document) for name, document in rows}

    def document(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return one document; None where there is none of that id."""
        with self._snapshot() as cursor:
            rows = cursor.execute(sql("document"), {"kind": kind, "id": name}).fetchall()
        return orjson.loads(rows[0][0]) if rows else None

    def replace_documents(
        self,
        kind: str,
        documents: Mapping[str, Mapping[str, Any]],
        *,
        without: Iterable[str] = (),
    ) -> None:
        """Store documents of a kind by id, and remove those named."""
        texts = [orjson.dumps(document).decode() for document in documents.values()]
        given = {"id": pa.array(documents, pa.string()), "document": pa.array(texts, pa.string())}
        removed = pa.array(sorted(set(without) - documents.keys()), pa.string())
        with self._transaction() as cursor:
            cursor.register("given_documents", pa.table(given))
            cursor.register("given_ids", pa.table({"id": removed}))
            cursor.execute(sql("drop_documents"), {"kind": kind})
            cursor.execute(sql("put_documents"), {"kind": kind})

    def prune(self, before_ns: int) -> int:
        """Delete traces whose last span began before; return how many."""
        with self._transaction() as cursor:
            pruned = number(cursor, sql("select_old"), {"before_ns": before_ns})
            for table in ("spans", *FACTS, "live_extents", "past_extents") if pruned else ():
                cursor.execute(sql("delete_old", table=table))
            if pruned:
                self._extents.read(cursor)
        return pruned

    def close(self) -> None:
        """Release the data folder; closing twice is allowed."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _select_spans(self, cursor: duckdb.DuckDBPyConnection, selection: Selection) -> None:
        """Name the traces of a selection, with when their spans start."""
        window = _window(cursor, selection)
        table = self._extents.table(cursor, every=selection.trace_ids is None)
        cursor.execute(sql("select_spans", table=table), window)

    def _shared(self) -> duckdb.DuckDBPyConnection | None:
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._reading, "cursor", None)
        return cursor

    @contextmanager
    def _snapshot(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the cursor by which this thread sees one state, if it does, or one of its own."""
        shared = self._shared()
        if shared is None:
            with self._own_snapshot() as cursor:
                yield cursor
            return
        with answers(self._folder):
            yield shared

    @contextmanager
    def _own_snapshot(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor that sees one state and whose temporary tables are its own."""
        with answers(self._folder), self._file.cursor() as cursor:
            cursor.begin()
            try:
                yield cursor
            except BaseException:
                with suppress(duckdb.Error):  # the first error is the one to tell
                    cursor.rollback()
                raise
            cursor.commit()

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a snapshot that nothing else writes into; all of it is stored, or nothing."""
        with self._writing, self._own_snapshot() as cursor:
            yield cursor


_Bounds = dict[str, int | None]
_NOTHING: _Bounds = {"part": 0, "first_ns": None, "last_ns": None}


def _insert(cursor: duckdb.DuckDBPyConnection, load: int, batches: Iterable[pa.RecordBatch]) -> int:
    """Let DuckDB pull the batches through one statement; count the rows.

    A statement a batch would keep every batch in memory until the transaction ends, because its
    snapshot holds what was registered (measured: 440 bytes a span).
    """
    broken: list[BaseException] = []

    def pulled() -> Iterator[pa.RecordBatch]:
        try:
            yield from map(to_stored, batches)
        except BaseException as error:
            broken.append(error)
            raise

    cursor.register("arriving", pa.RecordBatchReader.from_batches(STORED, pulled()))
    try:
        return number(cursor, sql("append_spans"), {"load": load})
    except duckdb.Error as error:
        # DuckDB passes on the text of what the source raised, but not its class.
        raise broken[0] if broken else error from None


def _reconcile(cursor: duckdb.DuckDBPyConnection, extents: Extents, load: int) -> tuple[int, int]:
    """Remove repeated spans and note which traces gained; count both."""
    cursor.execute(sql("touch"), {"load": load})
    visit = extents.revisit(cursor)
    duplicate = number(cursor, sql("find_repeated"), {**visit.times, "load": load})
    if duplicate:
        cursor.execute(sql("delete_repeated"))
    cursor.execute(sql("gain"), {"load": load})
    return duplicate, extents.renew(cursor, visit, load=load, at_ms=0)


def _select_facts(
    cursor: duckdb.DuckDBPyConnection, selection: Selection, *, healthy_share: float = 1.0
) -> None:
    """Name the traces of a selection that have facts, in the temporary table ``selected``."""
    window = _window(cursor, selection)
    cursor.execute(sql("select_facts"), {**window, "healthy_share": healthy_share})


def _window(
    cursor: duckdb.DuckDBPyConnection, selection: Selection
) -> dict[str, int | bool | None]:
    """Register the ids of a selection as ``wanted``; return its other terms."""
    ids = selection.trace_ids
    cursor.register("wanted", _IDS.empty_table() if ids is None else pa.table([ids], schema=_IDS))
    return {"from_ns": selection.from_ns, "until_ns": selection.until_ns, "every": ids is None}


def _facts_sql(table: str) -> str:
    return sql("accesses") if table == "accesses" else sql("facts", table=table)


def _weighed(traces: pa.Table, healthy_share: float) -> pa.Table:
    """Let the healthy traces kept stand for those left out."""
    if healthy_share >= 1:
        return traces
    healthy = pc.is_in(traces["outcome"], value_set=pa.array(["ok", "incomplete"]))
    weight = pc.fill_null(traces["weight"], 1.0)
    weight = pc.if_else(healthy, pc.divide(weight, healthy_share), weight)
    return traces.set_column(traces.schema.get_field_index("weight"), "weight", weight)


def _ids(found: duckdb.DuckDBPyRelation) -> pa.Array:
    """Return the one column of trace ids that a statement answered."""
    return found.to_arrow_table()["trace_id"].combine_chunks().cast(pa.string())


def _parts(cursor: duckdb.DuckDBPyConnection) -> list[_Bounds]:
    rows = cursor.execute(sql("parts")).fetchall()
    return [dict(zip(_NOTHING, row, strict=True)) for row in rows]


def _spans(
    cursor: duckdb.DuckDBPyConnection, bounds: _Bounds, statement: str = "spans"
) -> pa.Table:
    return from_stored(cursor.sql(sql(statement), params=bounds).to_arrow_table())
