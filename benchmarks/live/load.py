"""How many spans a second a server takes, what it answers when it cannot, and what it holds."""

import argparse
import http.client
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.live.bodies import SPANS, Body, bodies
from benchmarks.live.server import Server

CONNECTIONS, CONNECTIONS_OVER = 160, 480
"""At the rate it shall sustain, and beyond: few connections overload nothing, as each waits."""
TRACES = 8_000
"""Traces made beforehand; they are sent over and over with other ids and times."""
SAMPLE_S = 2.0


@dataclass
class Answers:
    """What the server answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    spans: int = 0
    """Acknowledged."""
    waits_s: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: int, spans: int, wait_s: float) -> None:
        """Count an answer; status 0: there was none."""
        with self.lock:
            self.statuses[status] += 1
            self.spans += spans if status == 200 else 0
            self.waits_s.append(wait_s)

    def line(self, seconds: float) -> str:
        """Say what the answers amount to."""
        waits = sorted(self.waits_s) or [0.0]
        p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
        statuses = ", ".join(f"{n} x {status}" for status, n in sorted(self.statuses.items()))
        return (
            f"{self.spans / seconds:>9,.0f} spans/s   p50 {p50 * 1000:.0f} ms   "
            f"p99 {p99 * 1000:.0f} ms   {statuses}"
        )


class Load:
    """Sends renewed requests over some connections, at a rate or as fast as they are answered."""

    def __init__(self, made: list[Body], begins_ns: int, port: int) -> None:
        self._made = made
        self._begins_ns = begins_ns
        self._port = port
        self._numbers = count()
        self._lock = threading.Lock()

    def run(self, seconds: float, rate: float | None, *, connections: int = CONNECTIONS) -> Answers:
        """Send for some seconds; ``rate`` in spans a second, None for as fast as it goes."""
        answers, began_s = Answers(), time.monotonic()
        slots = count()
        threads = [
            threading.Thread(target=self._send, args=(answers, began_s, seconds, rate, slots))
            for _ in range(connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def _send(
        self,
        answers: Answers,
        began_s: float,
        seconds: float,
        rate: float | None,
        slots: "count[int]",
    ) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while (now_s := time.monotonic() - began_s) < seconds:
            if rate is not None:
                with self._lock:
                    due_s = next(slots) * SPANS / rate
                if due_s >= seconds:
                    break
                time.sleep(max(0.0, due_s - now_s))
            body, spans = self._next()
            sent_s = time.monotonic()
            try:
                connection.request(
                    "POST", "/v1/traces", body, {"content-type": "application/x-protobuf"}
                )
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except OSError:
                connection.close()
                status = 0
            answers.note(status, spans, time.monotonic() - sent_s)
        connection.close()

    def _next(self) -> tuple[bytes, int]:
        with self._lock:
            generation, place = divmod(next(self._numbers), len(self._made))
            body = self._made[place]
            # A round of requests is a minute of the simulation: its end is now.
            shift_ns = time.time_ns() - self._begins_ns - 62 * 10**9
            return body.renewed(generation + 1, shift_ns), body.spans


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks live load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=40_000.0, help="sustained, spans a second")
    parser.add_argument("--sustained-seconds", type=float, default=600.0)
    parser.add_argument("--overload-seconds", type=float, default=60.0)
    asked = parser.parse_args(arguments)
    made, begins_ns = bodies(seed=1, traces=TRACES)
    print(f"bare protobuf decoding      {_bare(made):>9,.0f} spans/s (one core)")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.start()
        try:
            load = Load(made, begins_ns, server.http_port)
            reached = load.run(asked.seconds, None)
            print(f"as fast as it answers       {reached.line(asked.seconds)}")
            _sustained(server, load, asked.rate, asked.sustained_seconds)
            _overload(server, load, 3 * reached.spans / asked.seconds, asked.overload_seconds)
        finally:
            server.stop()


def _bare(made: list[Body]) -> float:
    messages = [body.renewed(1, 0) for body in made]
    began_s = time.process_time()
    for message in messages:
        ExportTraceServiceRequest.FromString(message)
    return sum(body.spans for body in made) / (time.process_time() - began_s)


def _sustained(server: Server, load: Load, rate: float, seconds: float) -> None:
    memory: list[float] = []
    done = threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_S):
            memory.append(server.memory_mb())

    sampler = threading.Thread(target=sample)
    sampler.start()
    cpu_s = server.cpu_s()
    answers = load.run(seconds, rate)
    done.set()
    sampler.join()
    print(f"asked {rate:,.0f}/s for {seconds:.0f} s   {answers.line(seconds)}")
    cores = (server.cpu_s() - cpu_s) / seconds
    half = memory[len(memory) // 2 :] or [server.memory_mb()]
    print(
        f"    {cores:.2f} cores; memory at most {max(memory, default=half[0]):.0f} MB, "
        f"median of the second half {statistics.median(half):.0f} MB; "
        f"settled {server.metric('graphmind_settled_traces_total'):,.0f} traces, passed over "
        f"{server.metric('graphmind_passed_over_traces_total'):,.0f}"
    )


def _overload(server: Server, load: Load, rate: float, seconds: float) -> None:
    answers = load.run(seconds, rate, connections=CONNECTIONS_OVER)
    print(f"asked {rate:,.0f}/s for {seconds:.0f} s   {answers.line(seconds)}")
    print(f"    memory {server.memory_mb():.0f} MB")
    after = load.run(10.0, 5_000.0)
    print(f"afterwards 5,000/s          {after.line(10.0)}")
