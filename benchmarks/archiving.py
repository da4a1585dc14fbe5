"""What the archive costs beside DuckDB alone: ``python -m benchmarks archiving [SPANS]``.

Each rate, in rows a CPU second, stands beside a floor measured in the same run on the same rows:
``CREATE TABLE AS`` from one Arrow table, in which attributes are in two lists already, or reading
that table back.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from graphmind.archive.columns import to_stored
from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.telemetry.facts import ACCESSES, ITEMS, RESOLVED, SYMPTOMS, TRACES, Facts

SPANS_PER_TRACE = 20
BATCH = 50_000
TEXTS = {"name": 30, "service": 8, "module": 8, "agent": 10, "instance": 40, "region": 3, "task": 5}
"""Text columns that are filled, and how many values each has; the other ones are null."""


def batches(spans: int, *, attributes_max: int) -> Iterator[pa.RecordBatch]:
    """Spans of a platform: a few services, most columns null, a few attributes left over."""
    for first in range(0, spans, BATCH):
        yield _batch(np.arange(first, min(first + BATCH, spans)), attributes_max)


def _batch(at: np.ndarray, attributes_max: int) -> pa.RecordBatch:
    random = np.random.default_rng(int(at[0]))
    size = len(at)
    start_ns = 1_700_000_000_000_000_000 + at * 1_000_000
    columns: dict[str, pa.Array] = {
        "trace_id": pa.array([f"{i * 0x9E3779B97F4A7C15 % 2**128:032x}" for i in _traces(at)]),
        "span_id": pa.array([f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}" for i in at.tolist()]),
        "start_ns": pa.array(start_ns),
        "end_ns": pa.array(start_ns + random.integers(10**6, 10**9, size)),
        "kind": pa.array(random.integers(0, 6, size), pa.int8()),
        "status": pa.array(random.integers(0, 3, size), pa.int8()),
        "links": pa.array([[]] * size, RESOLVED.field("links").type),
        "attributes": _attributes(random.integers(0, attributes_max + 1, size)),
    }
    for name, values in TEXTS.items():
        texts = np.array([f"{name}-{i}" for i in range(values)], object)
        columns[name] = pa.array(texts[random.integers(0, values, size)], pa.string())
    filled = [columns.get(field.name, pa.nulls(size, field.type)) for field in RESOLVED]
    return pa.RecordBatch.from_arrays(filled, schema=RESOLVED)


def _traces(at: np.ndarray) -> list[int]:
    traces: list[int] = (1 + at // SPANS_PER_TRACE).tolist()
    return traces


def _attributes(counts: np.ndarray) -> pa.MapArray:
    ends = np.concatenate([[0], np.cumsum(counts)])
    keys = pa.array([f"key.{i % 7}" for i in range(ends[-1])], pa.string())
    values = pa.array([f"value {i % 97}" for i in range(ends[-1])], pa.string())
    return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), keys, values)


def facts(traces: int, items: int) -> Facts:
    """Traces with ``items`` items each."""
    names = [f"{i:032x}" for i in range(traces)]
    columns = {"trace_id": names, "start_ns": np.arange(traces)}
    touched = {
        "trace_id": np.repeat(np.array(names, object), items),
        "kind": ["tool"] * (traces * items),
        "name": [f"name-{i % 500}" for i in range(traces * items)],
    }
    return Facts(
        traces=_filled(TRACES, columns),
        items=_filled(ITEMS, touched),
        symptoms=SYMPTOMS.empty_table(),
        accesses=ACCESSES.empty_table(),
    )


def _filled(schema: pa.Schema, columns: dict[str, object]) -> pa.Table:
    size = len(columns["trace_id"])  # type: ignore[arg-type]  # every column is sized
    return pa.table(
        [
            pa.array(columns[field.name], field.type)
            if field.name in columns
            else pa.nulls(size, field.type)
            for field in schema
        ],
        schema=schema,
    )


def seconds(work: Callable[[], object]) -> float:
    """CPU time of one call in all threads, which others on the machine do not lengthen."""
    began = time.process_time()
    work()
    return time.process_time() - began


def floor(path: Path | str, rows: pa.Table, *, key: str = "") -> float:
    """Seconds DuckDB alone takes for the rows, with a primary key if one is named."""
    with duckdb.connect(path) as connection:
        connection.register("rows", rows)
        if not key:
            return seconds(lambda: connection.execute("CREATE TABLE floor AS FROM rows"))
        connection.execute("CREATE TABLE floor AS FROM rows LIMIT 0")
        connection.execute(f"ALTER TABLE floor ADD PRIMARY KEY ({key})")
        return seconds(lambda: connection.execute("INSERT INTO floor FROM rows"))


def read_floor(path: Path) -> float:
    """Seconds DuckDB alone takes to read the floor's table back, in no order."""
    with duckdb.connect(path) as connection:
        return seconds(lambda: connection.sql("FROM floor").to_arrow_table())


def appending(made: list[pa.RecordBatch], folder: Path) -> Iterator[tuple[str, int, float, float]]:
    """Yield what was done, rows, seconds and the floor's seconds."""
    with_map = pa.Table.from_batches(made)
    stored = pa.Table.from_batches([to_stored(batch) for batch in made])
    spans = len(stored)
    bare = floor(":memory:", stored)
    yield "memory: DuckDB with MAP", spans, floor(":memory:", with_map), bare
    keyed = floor(":memory:", stored, key="trace_id, span_id")
    yield "memory: DuckDB with a primary key", spans, keyed, bare
    with DuckArchive(None) as archive:
        yield "memory: append", spans, seconds(lambda: archive.append(made)), bare
    bare = floor(folder / "floor.duckdb", stored)
    with DuckArchive(folder / "spans") as archive:
        yield "file: append", spans, seconds(lambda: archive.append(made)), bare
        yield "file: append the same again", spans, seconds(lambda: archive.append(made)), bare
        bare = read_floor(folder / "floor.duckdb")
        yield "file: read all, sorted", spans, seconds(lambda: archive.spans(Selection())), bare


def deriving(folder: Path) -> Iterator[tuple[str, int, float, float]]:
    """Yield the same for facts: 100,000 traces with 28 items each."""
    given = facts(100_000, 28)
    bare = floor(folder / "facts.duckdb", given.items)
    rows = given.items.num_rows
    with DuckArchive(folder / "facts") as archive:
        for label in ("facts: store", "facts: replace"):
            yield label, rows, seconds(lambda: archive.store_facts(given)), bare
        bare = read_floor(folder / "facts.duckdb")
        yield "facts: read all, sorted", rows, seconds(lambda: archive.facts(Selection())), bare


def main(argv: Sequence[str] = ()) -> None:
    """Print rows a second beside the floor."""
    spans = int(argv[0]) if argv else 400_000
    print(f"{'':40}{'rows/s':>12}{'floor':>12}{'ratio':>8}")
    for label, attributes_max in (("no attributes", 0), ("0-3 attributes a span", 3)):
        with tempfile.TemporaryDirectory() as folder:
            made = list(batches(spans, attributes_max=attributes_max))
            show(label, appending(made, Path(folder)))
    with tempfile.TemporaryDirectory() as folder:
        show("100,000 traces, 28 items each", deriving(Path(folder)))


def show(title: str, measured: Iterator[tuple[str, int, float, float]]) -> None:
    print(title)
    for label, rows, took, bare in measured:
        print(f"  {label:38}{rows / took:12,.0f}{rows / bare:12,.0f}{bare / took:8.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
