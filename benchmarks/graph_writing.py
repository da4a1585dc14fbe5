"""Rows a second of our upsert against bare ``UNWIND ... MERGE`` by the same driver, in one run.

Run ``python -m benchmarks graph_writing`` for the embedded graph; add the address, user and
password of a Neo4j whose content may be deleted to measure it too. The ratio should reach 0.7.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from graphmind.graph import texts
from graphmind.graph.embedded import EmbeddedEngine
from graphmind.graph.neo4j import Neo4jEngine
from graphmind.graph.port import GraphRows, Row
from graphmind.graph.store import CypherStore, Engine

TRACES, AGENTS, TOUCHED = 5_000, 50, 3
ROUNDS = 5
ROWS_A_STATEMENT = 1_000
# What anyone would write by hand.
MERGE_TRACE = "UNWIND $rows AS r MERGE (n:Trace {traceId: r.traceId}) SET n += r"
MERGE_AGENT = "UNWIND $rows AS r MERGE (n:Agent {key: r.key}) SET n += r"
MERGE_RAN_ON = (
    "UNWIND $rows AS r MATCH (a:Trace {traceId: r.from}) MATCH (b:Agent {key: r.to}) "
    "MERGE (a)-[:RAN_ON]->(b)"
)

DELETE = "MATCH (n) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*) AS deleted"

Empty = Callable[[], AbstractContextManager[Engine]]
"""Opens an engine on an empty graph."""


def main(argv: Sequence[str] = ()) -> None:
    """Print our rate beside the bare one; ``argv`` names a Neo4j: address, user, password."""
    rows = planted()
    count = TRACES + AGENTS + TRACES * TOUCHED
    print(f"{count:,} rows, median of {ROUNDS} rounds, rows a second")
    print(f"{'engine':<10}{'bare MERGE':>12}{'upsert':>12}{'ratio':>8}{'first load':>12}")
    report("embedded", embedded, rows, count)
    if argv:
        report("neo4j", partial(neo4j, *argv), rows, count)


def report(name: str, empty: Empty, rows: GraphRows, count: int) -> None:
    bare, ours, first = [], [], []
    for _ in range(ROUNDS):
        bare.append(seconds(empty, lambda engine: bare_merge(engine, rows)))
        ours.append(seconds(empty, lambda engine: CypherStore(engine).upsert(rows), filled=True))
        first.append(seconds(empty, lambda engine: CypherStore(engine).upsert(rows)))
    rate = [count / median(times) for times in (bare, ours, first)]
    ratio = median(b / o for b, o in zip(bare, ours, strict=True))
    print(f"{name:<10}{rate[0]:>12,.0f}{rate[1]:>12,.0f}{ratio:>8.2f}{rate[2]:>12,.0f}")


def seconds(empty: Empty, write: Callable[[Engine], object], *, filled: bool = False) -> float:
    """Time a write into an empty graph; ``filled`` leaves a node, which rules out a bulk load."""
    with empty() as engine:
        engine.define(texts.schema_texts())
        if filled:
            engine.write("CREATE (:Task {key: 'first'})", {})
        began = time.perf_counter()
        write(engine)
        return time.perf_counter() - began


@contextmanager
def embedded() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder))
        yield engine
        engine.close()


@contextmanager
def neo4j(uri: str, user: str, password: str) -> Iterator[Engine]:
    engine = Neo4jEngine(uri=uri, user=user, password=password, database="neo4j")
    while engine.write(DELETE, {})[0]["deleted"]:
        pass
    yield engine
    engine.close()


def bare_merge(engine: Engine, rows: GraphRows) -> None:
    for text, written in (
        (MERGE_TRACE, rows.nodes["Trace"]),
        (MERGE_AGENT, rows.nodes["Agent"]),
        (MERGE_RAN_ON, rows.edges["Trace", "RAN_ON", "Agent"]),
    ):
        for at in range(0, len(written), ROWS_A_STATEMENT):
            engine.write(text, {"rows": written[at : at + ROWS_A_STATEMENT]})


def planted() -> GraphRows:
    """Return traces with the properties of a real one, each on a few agents."""
    traces = [trace(i) for i in range(TRACES)]
    agents: list[Row] = [{"key": f"shop/agent{i}", "name": f"agent{i}"} for i in range(AGENTS)]
    ran_on: list[Row] = [
        {"from": row["traceId"], "to": f"shop/agent{(7 * i + 11 * j) % AGENTS}"}
        for i, row in enumerate(traces)
        for j in range(TOUCHED)
    ]
    return GraphRows(
        nodes={"Trace": traces, "Agent": agents}, edges={("Trace", "RAN_ON", "Agent"): ran_on}
    )


def trace(i: int) -> Row:
    return {
        "traceId": f"{i:032x}",
        "taskKey": f"task{i % 9}",
        "startMs": 1_763_850_000_000 + 37 * i,
        "durationMs": 12.5 + i % 100,
        "outcome": "failed" if i % 10 == 0 else "ok",
        "symptoms": ["error"] if i % 10 == 0 else [],
        "rootSpanName": "route",
        "rootModule": "router",
        "spanCount": 14,
        "complete": True,
        "weight": 1.0,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
