"""How long from the first failing trace to an open incident that names the right cause first."""

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.live.server import Server
from benchmarks.live.stream import RATE, Stream, Tick, scenario_of

KINDS = ("model_error", "model_hang")
LEAD_S, LEAD = 20, 0.8
"""How long ahead a stream is made: some seconds, and this share of its length (measured: 0.5)."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What became of one stream."""

    after_s: float | None
    """From the first failing trace to the right cause named first; None if never."""
    others: tuple[str, ...]
    """Titles of incidents that name another cause."""
    late_s: float
    """How far the stream itself fell behind."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks live detection", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--quiet-minutes", type=float, default=30.0)
    parser.add_argument(
        "--marking",
        type=float,
        default=0.5,
        help="share of the traces whose model calls say that they have begun",
    )
    asked = parser.parse_args(arguments)
    times: list[float] = []
    for seed in range(asked.first, asked.first + asked.seeds):
        kind = KINDS[seed % len(KINDS)]
        found = _stream(seed, asked.minutes, (kind,), asked.marking)
        told = "never" if found.after_s is None else f"{found.after_s:.1f} s"
        print(
            f"seed {seed:3} {kind:12} {told:>8}   late {found.late_s:.1f} s {found.others or ''}",
            flush=True,
        )
        times.append(float("inf") if found.after_s is None else found.after_s)
    if times:
        worst = f"worst of {len(times)} {max(times):.1f} s"
        print(f"median {statistics.median(times):.1f} s, {worst} at {RATE} jobs/s")
    if asked.quiet_minutes:
        quiet = _stream(1000 + asked.first, asked.quiet_minutes, (), asked.marking)
        titles = quiet.others or ""
        print(f"quiet {asked.quiet_minutes:.0f} min: {len(quiet.others)} incidents {titles}")


def _stream(seed: int, minutes: float, kinds: tuple[str, ...], marking: float) -> Found:
    """Make one stream, then play it to a server of its own, in real time."""
    start_ns = time.time_ns() + round((LEAD_S + LEAD * minutes * 60) * 1e9)
    scenario = scenario_of(seed, minutes=minutes, kinds=kinds, start_ns=start_ns)
    stream = Stream(scenario, marking=marking)
    # Made before it is played: making it takes a core.
    ticks = list(stream.ticks())
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.start()
        try:
            return _played(server, stream, ticks)
        finally:
            server.stop()


def _played(server: Server, stream: Stream, ticks: list[Tick]) -> Found:
    start_ns = stream.scenario.start_ns
    named_s: float | None = None
    late_s = 0.0
    with httpx.Client(base_url=server.otlp, timeout=60) as client:
        for tick in ticks:
            late_s = max(late_s, _sent(client, tick, start_ns))
            if named_s is None and stream.right and _is_named(server, stream.right):
                named_s = (time.time_ns() - start_ns) / 1e9
                break
    others = tuple(
        one["title"]
        for one in server.incidents()
        if not any(name in (one["cause"] or "") for name in stream.right)
    )
    after_s = None if named_s is None else named_s - stream.failing_ns[0] / 1e9
    return Found(after_s=after_s, others=others, late_s=late_s)


def _sent(client: httpx.Client, tick: Tick, start_ns: int) -> float:
    """Send a tick at its time; return how late that was, s."""
    ahead_s = (start_ns + tick.after_ns - time.time_ns()) / 1e9
    time.sleep(max(0.0, ahead_s))
    json = {"content-type": "application/json"}
    while tick.request:
        answer = client.post("/v1/traces", content=tick.request, headers=json)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            answer.raise_for_status()
            break
        # As exporters do; how late the stream is by then is told.
        time.sleep(float(answer.headers["retry-after"]))
    return max(0.0, -ahead_s)


def _is_named(server: Server, right: frozenset[str]) -> bool:
    return any(one["cause"] and all(n in one["cause"] for n in right) for one in server.incidents())
