"""Traces of a small platform, drawn from a seed; the spans of one are legible."""

from random import Random

from graphmind.analysis.behaviour.spans import Traces, read_traces
from tests.builders import Row, assembled, in_trace, span

EVERY_MS = 5_000


def usual(trace: str, random: Random) -> list[Row]:
    """Return a router that plans, infers over RPC and searches once to three times."""
    return _run(trace, random, searches=random.randint(1, 3))


def slow(trace: str, random: Random) -> list[Row]:
    """The inference takes twenty times as long."""
    return _run(trace, random, searches=1, rpc_times=20)


def looping(trace: str, random: Random) -> list[Row]:
    """The search is called over and over."""
    return _run(trace, random, searches=14)


def failing(trace: str, random: Random) -> list[Row]:
    """The RPC fails, and the spans above it with it."""
    rows = _run(trace, random, searches=1)
    above = {"route", "infer", "rpc"}
    return [row | ({"status": 2} if row["name"] in above else {}) for row in rows]


def _run(trace: str, random: Random, *, searches: int, rpc_times: float = 1) -> list[Row]:
    plan = random.lognormvariate(3, 0.2)
    rpc = random.lognormvariate(5, 0.2) * rpc_times
    rows = [
        span("plan", 1, 1 + plan, parent="route"),
        span("infer", 1 + plan, 3 + plan + rpc, parent="route"),
        span("rpc", 2 + plan, 2 + plan + rpc, parent="infer"),
    ]
    now = 4 + plan + rpc
    for number in range(searches):
        took = random.lognormvariate(2, 0.2)
        rows.append(span(f"search{number}", now, now + took, parent="route", name="search"))
        now += took
    return in_trace(trace, [span("route", 0, now + 1), *rows])


def window(count: int = 300, *, unusual: tuple[list[Row], ...] = (), seed: int = 1) -> list[Row]:
    """Return the spans of so many usual traces, one every five seconds, and of unusual ones."""
    random = Random(seed)
    runs = [usual(f"usual{number:04}", random) for number in range(count)] + list(unusual)
    return [
        row
        for number, rows in enumerate(runs)
        for row in in_trace(rows[0]["trace_id"], rows, later_ms=number * EVERY_MS)
    ]


def read(rows: list[Row]) -> Traces:
    """Assemble and read."""
    return read_traces(assembled(rows))
