"""What logs cost beside DuckDB alone: ``python -m benchmarks signals [LINES] [HISTORY]``.

``load_signals`` takes log records to durable lines: columns, digests, patterns, repeats looked for.
The floor appends the same finished lines to the same kind of file, group by group, and looks for
nothing. Then the same again with HISTORY lines archived before, half an hour of them recent.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from graphmind.archive.duck import DuckArchive
from graphmind.jobs.signals import load_signals
from graphmind.settings import Settings
from graphmind.telemetry.lines import lines
from graphmind.telemetry.logs import LINES, LOGS
from graphmind.telemetry.patterns import Patterns
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table
from graphmind.telemetry.spans import ATTRIBUTES

GROUP = 10_000
"""Records of one commit: half a second of 20,000 a second."""
NOW_NS = 1_700_000_000_000_000_000
EVERY_NS = 50_000
AGENTS, SERVICES = 40, 8
SEVERITIES = (9, 9, 9, 9, 9, 9, 9, 9, 13, 17)


def records(first: int, count: int, now_ns: int = NOW_NS) -> pa.RecordBatch:
    """Log records of a platform: a fifth of them bad, half a dozen messages, three attributes."""
    at = range(first, first + count)
    random = np.random.default_rng(first)
    spent = random.integers(1, 9_999, count).tolist()
    said = (
        "request {0} to InferenceRPC took {1} ms",
        "state key profile:{0} read in {1} us",
        "job-{0:06d} handed over to specialist after {1} ms",
        "callback to https://hooks.example/{0} not answered, attempt {1}",
        "model version v3.1.{1} is not answering, request {0:032x}",
    )
    services = [[("service.name", f"service-{n}"), ("cloud.region", "eu")] for n in range(SERVICES)]
    columns = {
        "time_ns": pa.array([now_ns + n * EVERY_NS for n in at]),
        "severity": pa.array([SEVERITIES[n % 10] for n in at], pa.int8()),
        "body": pa.array([said[n % 5].format(n, ms) for n, ms in zip(at, spent, strict=True)]),
        "event_name": pa.nulls(count, pa.string()),
        "trace_id": pa.array([f"{n // 20 * 0x9E3779B97F4A7C15 % 2**128:032x}" for n in at]),
        "span_id": pa.array([f"{n // 2 * 0x9E3779B97F4A7C15 % 2**64:016x}" for n in at]),
        "scope": pa.array(["agents.runtime"] * count),
        "resource": pa.DictionaryArray.from_arrays(
            pa.array([n % SERVICES for n in at], pa.int32()), pa.array(services, ATTRIBUTES)
        ),
        "attributes": pa.array(
            [
                [
                    ("gen_ai.agent.name", f"agent-{n % AGENTS}"),
                    ("code.function.name", "call"),
                    ("thread", "7"),
                ]
                for n in at
            ],
            ATTRIBUTES,
        ),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in LOGS.names], schema=LOGS)


def loading(groups: Sequence[pa.RecordBatch], archive: DuckArchive) -> float:
    patterns, rejected = Patterns(), Rejections()

    def load() -> None:
        for number, group in enumerate(groups):
            load_signals(
                [group],
                archive,
                Settings(),
                table=default_table(),
                patterns=patterns,
                rejected=rejected,
                now_ns=NOW_NS + number * 10**9,
            )

    return seconds(load)


def floor(groups: Sequence[pa.RecordBatch], file: Path) -> float:
    finished = [pa.table(lines(group)) for group in groups]
    with duckdb.connect(file) as connection:
        connection.register("shape", LINES.empty_table())
        connection.execute("CREATE TABLE lines AS FROM shape")

        def append() -> None:
            for group in finished:
                connection.register("arriving", group)
                connection.execute("INSERT INTO lines FROM arriving")

        return seconds(append)


def seconds(do: Callable[[], object]) -> float:
    """Wall time: what a sender waits for, the sync of the log to disk included."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def main(argv: Sequence[str] = ()) -> None:
    """Print lines a second beside the floor."""
    count = int(argv[0]) if argv else 200_000
    history = int(argv[1]) if len(argv) > 1 else 2_000_000
    groups = [records(first, GROUP) for first in range(0, count, GROUP)]
    with tempfile.TemporaryDirectory() as folder:
        bare = floor(groups, Path(folder) / "bare.duckdb")
        with DuckArchive(Path(folder) / "empty") as archive:
            show("into an empty archive", count, loading(groups, archive), bare)
            show("the same again: all are repeats", count, loading(groups, archive), bare)
        with DuckArchive(Path(folder) / "full") as archive:
            fill(archive, history)
            show(f"after {history:,} lines", count, loading(groups, archive), bare)
            show("the same again: all are repeats", count, loading(groups, archive), bare)


def fill(archive: DuckArchive, history: int) -> None:
    """Archive older lines, which end where the new ones begin."""
    for first in range(0, history, 200_000):
        size = min(200_000, history - first)
        older = records(10**9 + first, size, NOW_NS - (10**9 + history) * EVERY_NS)
        archive.signals.append_lines([lines(older)])


def show(label: str, rows: int, took: float, bare: float) -> None:
    print(f"{label:36}{rows / took:12,.0f} lines/s, floor {rows / bare:12,.0f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
