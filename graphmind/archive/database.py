"""One DuckDB file: opened, laid out, and its errors told in the words of graphmind."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from graphmind.archive.columns import STORED
from graphmind.archive.folder import busy
from graphmind.errors import StoreError
from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES
from graphmind.telemetry.logs import LINES
from graphmind.telemetry.metrics import POINTS

FILE: Final = "archive.duckdb"
SCHEMA_VERSION: Final = 1
"""To be raised when a column keeps its name and type but changes its meaning."""

LOG_MAX: Final = "128MB"
"""Size of the write-ahead log at which it is worked into the file: with DuckDB's 16 MB every second
append of 20,000 spans did so, and took 0.48 s instead of 0.27 s (measured)."""

ROW_GROUP_ROWS: Final = 10_240
"""An append of so many rows goes straight into the file, compressed, instead of into the log first
and into the file later: 6.6 us of processor time a span instead of 12.0 (measured)."""

FACTS: Final = {"traces": TRACES, "symptoms": SYMPTOMS, "items": ITEMS, "accesses": ACCESSES}
"""Tables of derived facts, named as the fields of ``Facts``."""
SIGNALS: Final = {"lines": LINES, "points": POINTS}
"""Tables of what is archived beside spans."""

_ARROW_TABLES: Final = {"spans": STORED.append(pa.field("load", pa.int64())), **FACTS, **SIGNALS}
_SQL_TABLES: Final = ("documents", "extents", "incidents", "layout")
_LOCKED: Final = re.compile(r"Conflicting lock is held.*?\(PID (\d+)\)")
_ADVICE: Final = (
    (r"No space left|File too large|max_temp_directory_size", "Free disk space and start again"),
    (r"database has been invalidated", "Start again: nothing acknowledged is lost"),
    (r"Out of Memory", "Free memory, or load fewer files at a time"),
    (
        r"not a valid DuckDB|[Cc]orrupt|checksum|Serialization Error",
        "The file is damaged: restore it from a backup, or move it away and load the sources again",
    ),
    (
        r"version number",
        "Open it with the graphmind that wrote it, or name another data folder (--data-dir)",
    ),
)


def connect(folder: Path | None, memory_max: str) -> duckdb.DuckDBPyConnection:
    """Open the file of a folder, created where absent; a database in memory without a folder."""
    config: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "python_enable_replacements": False,
    }
    if folder is not None:
        config |= {"memory_limit": memory_max, "checkpoint_threshold": LOG_MAX}
        config |= {"temp_directory": str(folder / f"{FILE}.tmp")}
    connection = duckdb.connect(config=config)
    try:
        attach(connection, folder)
        connection.execute(sql("use"))
    except duckdb.Error:
        connection.close()
        raise
    return connection


def attach(connection: duckdb.DuckDBPyConnection, folder: Path | None) -> None:
    """Attach the file: only a database that is attached can be told the size of its row groups."""
    path = str(folder / FILE) if folder else ":memory:"
    connection.execute(sql("attach", rows=str(ROW_GROUP_ROWS)), {"path": path})


def prepare(connection: duckdb.DuckDBPyConnection, folder: Path | None) -> None:
    """Lay out an empty database; raise StoreError for one that is laid out otherwise."""
    found = _layout(connection) if folder else set()
    if folder is None or not found:
        _create(connection)
        return
    with duckdb.connect() as fresh:
        _create(fresh)
        expected = _layout(fresh)
    if expected != found:
        raise StoreError(
            f"expected the tables of schema version {SCHEMA_VERSION} in {folder / FILE}, got: "
            f"{', '.join(sorted(expected ^ found))}. Open it with the graphmind that wrote it, "
            "or load the sources again into another data folder (--data-dir)"
        )


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    for table, schema in _ARROW_TABLES.items():
        connection.register("shape", schema.empty_table())
        connection.execute(sql("create_table", table=table))
        connection.unregister("shape")
    for table in _SQL_TABLES:
        connection.execute(sql(f"create_{table}"))
    connection.execute(sql("store_layout"), {"version": SCHEMA_VERSION})
    connection.commit()


def _layout(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Columns with their types, and the version; empty for an empty database."""
    columns = {column for (column,) in connection.execute(sql("columns")).fetchall()}
    if not any(column.startswith("layout.version ") for column in columns):
        return columns
    versions = connection.execute(sql("layout")).fetchall()
    return columns | {f"version {version}" for (version,) in versions}


@contextmanager
def answers(folder: Path | None) -> Iterator[None]:
    """Turn what DuckDB raises into StoreError or StoreBusy, with what to do."""
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        if folder and (owner := _LOCKED.search(text)):
            raise busy(folder, owner[1]) from error
        advice = (advice for pattern, advice in _ADVICE if re.search(pattern, text))
        raise StoreError(
            f"the archive in {folder or 'memory'} refused: {text.splitlines()[0].rstrip('.')}. "
            f"{next(advice, 'Close and open it again')}"
        ) from error


def number(
    cursor: duckdb.DuckDBPyConnection,
    statement: str,
    parameters: Mapping[str, Any] | None = None,
) -> int:
    """Return the one number a statement answers: of a table it makes or fills, its rows."""
    found: int = cursor.execute(statement, parameters).fetchall()[0][0]
    return found


def end_of(cursor: duckdb.DuckDBPyConnection, since_ns: int, until_ns: int) -> int:
    """Return when the traces that began in ``since_ns <= start < until_ns`` had ended.

    What they touched lies before: a constant that lets a scan of items skip the rest.
    """
    time = {"since_ns": since_ns, "until_ns": until_ns}
    last_ns: int | None = cursor.execute(sql("time_end"), time).fetchall()[0][0]
    return until_ns if last_ns is None else last_ns


def sql(name: str, **names: str) -> str:
    """Return the statement in ``sql/<name>.sql`` with ``{placeholders}`` for tables filled in."""
    return _text(name).format(**names) if names else _text(name)


@cache
def _text(name: str) -> str:
    return (files("graphmind.archive") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
