"""How long the API takes to answer, over a store of 200,000 traces and 500 incidents.

A simulated hour goes the product's way from spans to incidents. It is then repeated hour after hour
under other ids and key names: spans, facts and incidents of each. The
store is kept in ``~/.cache/graphmind`` for the next run. Routes are asked over HTTP, one request at
a time, by another process than the server's.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import httpx
import psutil
import pyarrow as pa
import pyarrow.compute as pc
from graphmind_loaders.files import read_spans

from graphmind.archive.port import Selection
from graphmind.graph.incidents import derived_rows
from graphmind.jobs.analyze import KEPT_AS, analyze
from graphmind.jobs.load import load
from graphmind.jobs.settle import settle
from graphmind.jobs.stores import Stores
from graphmind.settings import Settings
from graphmind.simulation.files import write
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.rejections import Rejections
from graphmind.wiring import open_stores, resolver_table

HOUR_MS: Final = 3_600_000
MS_NS: Final = 1_000_000
SCENARIO: Final = Scenario(seed=7, traces=2_000, incidents=5)
FOLDER: Final = Path.home() / ".cache" / "graphmind" / "benchmark-api"
READ_MAX_MS, TOPOLOGY_MAX_MS, COMPARE_MAX_MS = 50.0, 200.0, 2_000.0
WIDE: Final = "inc-wide"
"""An incident of so many hours that its picture has 1,500 nodes."""
WIDE_HOURS: Final = 12
COMPARED_HOURS: Final = 50
OWN_KINDS: Final = ("kv_key", "written_by_trace", "fed_by_trace")
"""Kinds of item of which each hour has its own."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A route as it is asked, and the time its 95th percentile may take."""

    name: str
    path: str
    max_ms: float = READ_MAX_MS
    body: Any = None


def main(arguments: Sequence[str]) -> int:
    """Build the store where it is missing, ask every route, print its times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=100, help="of 2,000 traces and 5 incidents")
    parser.add_argument("--rounds", type=int, default=40, help="requests of each route")
    parser.add_argument("--only", default="", help="routes whose name holds this")
    chosen = parser.parse_args(arguments)
    folder = FOLDER / f"{chosen.hours}h"
    if not (folder / "done").exists():
        _build(folder, chosen.hours)
    with Served(folder) as server:
        return _measure(server, chosen.rounds, chosen.only)


def _measure(server: "Served", rounds: int, only: str) -> int:
    """Ask every route some times, the first not counted; 1 where one is too slow.

    Processor time is the server's: what an answer would take on a machine with nothing else to do.
    """
    slow = 0
    print(f"{'route':42} {'p50 ms':>8} {'p95 ms':>8} {'most ms':>8} {'cpu ms':>7} {'kB':>6}")
    for asked in _routes(server.client):
        if only not in asked.name:
            continue
        few = max(rounds // 8, 3) if asked.max_ms >= COMPARE_MAX_MS else rounds
        size, before = _ask(server.client, asked), server.cpu_ms()
        times = sorted(_timed(partial(_ask, server.client, asked)) for _ in range(few))
        cpu = (server.cpu_ms() - before) / few
        p95 = times[min(round(0.95 * len(times)), len(times) - 1)]
        slow += p95 > asked.max_ms
        figures = f"{statistics.median(times):8.1f} {p95:8.1f} {asked.max_ms:8.0f} {cpu:7.1f}"
        mark = "  too slow" if p95 > asked.max_ms else ""
        print(f"{asked.name:42} {figures} {size / 1000:6.0f}{mark}", flush=True)
    return 1 if slow else 0


def _routes(client: httpx.Client) -> Iterator[Asked]:
    """Yield what is measured, about the incident in the middle of the time."""
    listed = client.get("/incidents", params={"limit": 500}).json()["items"]
    middle = listed[len(listed) // 2]
    own, at = f"/incidents/{middle['incident_id']}", middle["onset_ms"]
    trace = client.get(f"{own}/traces", params={"limit": 1}).json()["items"][0]["trace_id"]
    for path in ("/incidents", "/incidents?limit=500", "/incidents?q=agent&state=open"):
        yield Asked(name=path, path=path)
    yield Asked(name="/incidents?as_of_ms", path=f"/incidents?as_of_ms={at}")
    parts = ("traces", "causes", "evidence", "timeline", "similar", "exposure", "topology")
    for part in ("", *parts):
        yield Asked(name=f"/incidents/ID/{part}", path=f"{own}/{part}".rstrip("/"))
    yield Asked(
        name="/incidents/ID/topology, 1,500 nodes",
        path=f"/incidents/{WIDE}/topology?nodes_max=1500",
        max_ms=TOPOLOGY_MAX_MS,
    )
    yield Asked(name="/traces", path="/traces")
    filters = f"failing=true&since_ms={at}&until_ms={at + HOUR_MS}"
    yield Asked(name="/traces?failing&since_ms&until_ms", path=f"/traces?{filters}")
    yield Asked(name="/traces?agent&region", path="/traces?agent=partner-router&region=eu-west-1")
    yield Asked(name="/traces/ID", path=f"/traces/{trace}")
    for path in ("agents", "model-versions", "regions", "kv-keys", "heatmap", "capture"):
        yield Asked(name=f"/{path}", path=f"/{path}")
    yield Asked(name="/agents/NAME", path="/agents/partner-router")
    yield Asked(name="/heatmap?as_of_ms", path=f"/heatmap?as_of_ms={at}")
    yield Asked(name="/questions", path="/questions")
    text = "MATCH (i:Incident)-[:CAUSED_BY]->(c) RETURN i.title, c.label LIMIT 50"
    yield Asked(name="POST /cypher", path="/cypher", body={"query": text})
    time_ = {"since_ms": at - COMPARED_HOURS // 2 * HOUR_MS, "failing": True}
    time_ |= {"until_ms": at + COMPARED_HOURS // 2 * HOUR_MS}
    yield Asked(
        name="POST /compare, 100,000 traces",
        path="/compare",
        max_ms=COMPARE_MAX_MS,
        body={"a": {"filter": time_}},
    )


def _ask(client: httpx.Client, asked: Asked) -> int:
    """Return the size of the answer."""
    method = "GET" if asked.body is None else "POST"
    answer = client.request(method, asked.path, json=asked.body)
    answer.raise_for_status()
    return len(answer.content)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


class Served:
    """Serves a store in another process, without the loops of a live service."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.api_server", str(self._folder / "stores")]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        port, token = self._process.stdout.readline().split()
        known = {"Authorization": f"Bearer {token}"}
        base = f"http://127.0.0.1:{port}/api/v1"
        self.client = httpx.Client(base_url=base, headers=known, timeout=120)
        return self

    def __exit__(self, *_raised: object) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait(timeout=60)

    def cpu_ms(self) -> float:
        """Return the processor time that the server took so far."""
        times = psutil.Process(self._process.pid).cpu_times()
        return 1000 * (times.user + times.system)


def _build(folder: Path, hours: int) -> None:
    settings = Settings(data_dir=folder / "stores")
    spans = folder / "spans"
    spans.mkdir(parents=True, exist_ok=True)
    write(simulate(SCENARIO), spans)
    with open_stores(settings) as stores:
        rejected = Rejections()
        source = read_spans([str(spans)], rejected, stdin=sys.stdin.buffer)
        table = resolver_table(settings)
        load(
            source,
            stores.archive,
            settings,
            table=table,
            rejected=rejected,
            now_ns=time.time_ns(),
        )
        settle(stores.archive, settings, rejected)
        analyze(stores, settings, Selection())
        _repeat(stores, hours)
    (folder / "done").touch()


def _repeat(stores: Stores, hours: int) -> None:
    """Store the facts and incidents of the first hour again for each of the others."""
    facts, first = stores.archive.facts(Selection()), stores.archive.incidents()
    spans = stores.archive.spans(Selection()).combine_chunks()
    incidents = list(first)
    for hour in range(1, hours):
        stores.archive.append(_later_spans(spans, hour).to_batches())
        stores.archive.store_facts(_shifted(facts, hour), as_of=stores.archive.latest())
        incidents += [_later(incident, hour) for incident in first]
    incidents.append(_wide(first[0], incidents, hours))
    stores.archive.save_incidents(KEPT_AS, incidents)
    stores.graph.replace_derived(derived_rows(incidents, [], "benchmark"), "benchmark")


def _renamed(name: str, hour: int) -> str:
    return name if not hour else f"{name}-{hour:03}"


def _later_spans(spans: pa.Table, hour: int) -> pa.Table:
    """Return spans hours later, under other ids of traces."""
    for column in ("start_ns", "end_ns", "exception_ns"):
        later = pc.add(spans[column], hour * HOUR_MS * MS_NS)
        spans = spans.set_column(spans.schema.get_field_index(column), column, later)
    return spans.set_column(
        spans.schema.get_field_index("trace_id"), "trace_id", _suffixed(spans["trace_id"], hour)
    )


def _shifted(facts: Facts, hour: int) -> Facts:
    """Return facts hours later, under other ids and with keys of their own."""
    later = hour * HOUR_MS * MS_NS
    tables = {}
    for name in ("traces", "symptoms", "items", "accesses"):
        table: pa.Table = getattr(facts, name)
        for column in table.column_names:
            values = table[column]
            if column in ("start_ns", "began_ns", "first_ns", "at_ns"):
                values = pc.add(values, later)
            elif column in ("trace_id", "key"):
                values = _suffixed(values, hour)
            table = table.set_column(table.schema.get_field_index(column), column, values)
        tables[name] = table
    own = pc.is_in(tables["items"]["kind"], value_set=pa.array(OWN_KINDS))
    items = tables["items"]
    names = pc.if_else(own, _suffixed(items["name"], hour), items["name"])
    tables["items"] = items.set_column(items.schema.get_field_index("name"), "name", names)
    return replace(facts, **tables)


def _suffixed(values: pa.ChunkedArray, hour: int) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(values, f"{hour:03}", "-")


def _later(incident: dict[str, Any], hour: int) -> dict[str, Any]:
    """Return an incident of another hour."""
    later = hour * HOUR_MS
    moved = {name: incident[name] + later for name in ("onset_ms", "opened_ms")}
    ids = ("trace_ids", "examples", "survivors")
    causes = [
        cause | {name: cause[name] + later for name in ("onset_ms", "until_ms")}
        for cause in incident["causes"]
    ]
    return {
        **incident,
        **moved,
        **{name: [_renamed(each, hour) for each in incident[name]] for name in ids},
        "incident_id": _renamed(incident["incident_id"], hour),
        "causes": causes,
    }


def _wide(like: dict[str, Any], incidents: Sequence[dict[str, Any]], hours: int) -> dict[str, Any]:
    """Return an incident of all failing traces of some hours, which touch much."""
    some = incidents[: min(WIDE_HOURS, hours) * 5]
    ids = sorted({trace_id for each in some for trace_id in each["trace_ids"]})
    return like | {"incident_id": WIDE, "trace_ids": ids}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
