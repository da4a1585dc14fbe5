"""What graphmind_capture adds to a request, and how much of failing traces its sampler keeps."""

import argparse
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import numpy as np
import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from graphmind.demo.processes import free_ports

HEALTHY = 0.05
SLOW_S = 0.3
"""In the chain here, so that slow traces do not take the benchmark minutes."""
FAULTS = {
    "last service fails": ("c", 5),
    "middle one fails, last was well": ("b", 3),
    "first one fails, others were well": ("a", 1),
    "last one is slow": ("slow", 5),
    "last one fails, middle one recovers": ("hidden", 5),
}
"""Query that plants each, and the spans from the root to where it shows; a chain has 5 spans."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks capture")
    parser.add_argument("--blocks", type=int, default=20, help="of requests, for each server")
    parser.add_argument("--requests", type=int, default=200, help="a block")
    parser.add_argument("--traces", type=int, default=200, help="failing ones, for each fault")
    parser.add_argument("--serve", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        return serve(*options.serve)
    with tempfile.TemporaryDirectory() as folder, redis_server(folder) as redis:
        for share in (1.0, HEALTHY):
            print_cost(options.blocks, options.requests, redis, share)
    print_kept(options.traces)
    return 0


# --- cost of a request


def print_cost(blocks: int, requests: int, redis: int, share: float) -> None:
    ports = free_ports(3)
    with ExitStack() as stack:
        stack.enter_context(child("sink", ports[0]))
        running = {}
        for port, traced in ((ports[1], 0), (ports[2], 1)):
            server = child("one", port, traced, ports[0], redis, share)
            running[port] = psutil.Process(stack.enter_context(server).pid)
        times: dict[int, list[float]] = {1: [], 2: []}
        used = {1: 0.0, 2: 0.0}
        with httpx.Client() as client:
            for block in range(blocks + 1):
                for which in ((1, 2), (2, 1))[block % 2]:
                    before = used_ms(running[ports[which]])
                    measured = timed(client, f"http://127.0.0.1:{ports[which]}/", requests)
                    if block:  # the first warms up
                        times[which] += measured
                        used[which] += used_ms(running[ports[which]]) - before
            text = client.get(f"http://127.0.0.1:{ports[2]}/metrics/").text
    plain, slower = (np.percentile(times[which], (50, 95)) for which in (1, 2))
    call = "and a Redis GET" if redis else "without Redis (no redis-server here)"
    print(f"\nA FastAPI request {call}, {share:.0%} of healthy traces kept, {len(times[1])} each\n")
    cpu = {which: used[which] / len(times[which]) for which in (1, 2)}
    print("| | P50 ms | P95 ms | processor ms |\n| --- | --- | --- | --- |")
    print(f"| without tracing | {plain[0]:.3f} | {plain[1]:.3f} | {cpu[1]:.3f} |")
    print(f"| graphmind_capture | {slower[0]:.3f} | {slower[1]:.3f} | {cpu[2]:.3f} |")
    added = (*(slower - plain), cpu[2] - cpu[1])
    print("| **added** |", " | ".join(f"{value:.3f}" for value in added), "|")
    wanted = ("otel_span_total", "graphmind_capture_exported", "graphmind_capture_sampled_out")
    print("", *(line for line in text.splitlines() if line.startswith(wanted)), sep="\n")


def used_ms(process: psutil.Process) -> float:
    """Processor time of a server so far: unlike latency, the same on a busy machine."""
    return float(sum(process.cpu_times()[:2]) * 1000)


def timed(client: httpx.Client, url: str, requests: int) -> list[float]:
    times = []
    for _ in range(requests):
        began = time.perf_counter()
        client.get(url).raise_for_status()
        times.append((time.perf_counter() - began) * 1000)
    return times


# --- what the sampler keeps


def print_kept(traces: int) -> None:
    with collector() as (port, spans):
        a, b, c = free_ports(3)
        with ExitStack() as stack:
            stack.enter_context(child("chain", c, "c", 0, port))
            stack.enter_context(child("chain", b, "b", c, port))
            stack.enter_context(child("chain", a, "a", b, port))
            sent = {name: requested(a, query, traces) for name, (query, _) in FAULTS.items()}
            healthy = requested(a, "none", traces * 10)
        # The services have ended, so all that they kept has arrived.
        kept = Counter(trace for trace, _ in spans)
        stated = defaultdict(set)
        for trace, probability in spans:
            stated[trace].add(probability)
    print(f"\nChain of 3 processes, {HEALTHY:.0%} of healthy traces kept, {traces} of each fault\n")
    print("| fault | traces kept | path to the fault whole | of all spans |")
    print("| --- | --- | --- | --- |")
    rows = []
    for name, (_, path) in FAULTS.items():
        found = np.array([kept[trace] for trace in sent[name]])
        rows.append([(found > 0).mean(), (found >= path).mean(), found.mean() / 5])
        print(f"| {name} |", " | ".join(f"{value:.1%}" for value in rows[-1]), "|")
    print("| **all** |", " | ".join(f"{value:.1%}" for value in np.mean(rows, axis=0)), "|")
    found = np.array([kept[trace] for trace in healthy])
    whole = (found[found > 0] == 5).mean() if found.any() else 0.0
    print(
        f"\nHealthy: {(found > 0).mean():.1%} kept, {whole:.1%} of those with all spans;", end=" "
    )
    print("probability stated:", sorted({p for t in healthy for p in stated[t] if p is not None}))


def requested(port: int, fault: str, traces: int) -> list[str]:
    ids = []
    with httpx.Client(timeout=30) as client:
        for _ in range(traces):
            trace = secrets.token_hex(16)
            header = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
            client.get(f"http://127.0.0.1:{port}/?fault={fault}", headers=header)
            ids.append(trace)
    return ids


@contextmanager
def collector(port: int = 0) -> Iterator[tuple[int, list[tuple[str, float | None]]]]:
    """Give a port for OTLP over HTTP, and the trace ids and probabilities of spans received."""
    spans: list[tuple[str, float | None]] = []

    class Collect(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = decompress(body)
            request = ExportTraceServiceRequest.FromString(body)
            spans.extend(
                (span.trace_id.hex(), _probability(span))
                for resource in request.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            )
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", port), Collect)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], spans
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _probability(span: Any) -> float | None:
    said = {a.key: a.value.double_value for a in span.attributes}
    return said.get("graphmind.sample.probability")


# --- the servers, each a process


def serve(kind: str, port: str, *rest: str) -> int:
    if kind == "sink":
        with collector(int(port)):  # decodes, as a real receiver would
            threading.Event().wait()
        return 0
    import uvicorn  # noqa: PLC0415 - only the servers need it

    app, capture = one(*rest) if kind == "one" else link(*rest)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error", access_log=False)
    if capture is not None:
        capture.shutdown()
    return 0


def one(traced: str, collector_port: str, redis_port: str, share: str) -> tuple[Any, Any]:
    from graphmind_capture import setup  # noqa: PLC0415 - not in the server without tracing

    capture = None
    if int(traced):
        endpoint = f"http://127.0.0.1:{collector_port}"
        capture = setup("one", agent="one", endpoint=endpoint, sample_healthy=float(share))
    import fastapi  # noqa: PLC0415 - after setup, as its readme says

    app = fastapi.FastAPI()
    client = None
    if int(redis_port):
        import redis.asyncio  # noqa: PLC0415 - only where there is a server

        client = redis.asyncio.Redis(port=int(redis_port))

    @app.get("/")
    async def answer() -> dict[str, str]:
        value = await client.get("session:1") if client else None
        return {"value": str(value)}

    if capture is not None:
        app.mount("/metrics", capture.metrics_app())
    return app, capture


def link(name: str, following: str, collector_port: str) -> tuple[Any, Any]:
    from graphmind_capture import setup  # noqa: PLC0415 - as above

    endpoint = f"http://127.0.0.1:{collector_port}"
    capture = setup(name, endpoint=endpoint, sample_healthy=HEALTHY, slow_s=SLOW_S)
    import asyncio  # noqa: PLC0415 - only here

    import fastapi  # noqa: PLC0415 - after setup

    app = fastapi.FastAPI()
    client = httpx.AsyncClient(timeout=30)

    @app.get("/")
    async def answer(fault: str) -> dict[str, str]:
        if int(following):
            reply = await client.get(f"http://127.0.0.1:{following}/?fault={fault}")
            if fault != "hidden" and reply.is_error:
                raise fastapi.HTTPException(502)
        elif fault == "slow":
            await asyncio.sleep(SLOW_S * 1.2)
        if fault == name or (name == "c" and fault == "hidden"):
            raise fastapi.HTTPException(500)
        return {"from": name}

    return app, capture


@contextmanager
def child(*arguments: object) -> Iterator[subprocess.Popen]:
    """Run a server of this module; end it as an operator would."""
    command = [sys.executable, "-m", "benchmarks", "capture", "--serve", *map(str, arguments)]
    running = subprocess.Popen(command, env={**os.environ, "OTEL_LOG_LEVEL": "error"})
    try:
        wait_for(int(str(arguments[1])), running)
        yield running
    finally:
        running.terminate() if arguments[0] != "sink" else running.kill()
        running.wait(20)


def wait_for(port: int, running: subprocess.Popen) -> None:
    for _ in range(300):
        if running.poll() is not None:
            raise SystemExit(f"a server ended with {running.returncode} instead of listening")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"no server listens on {port} after 30 s")


@contextmanager
def redis_server(folder: str) -> Iterator[int]:
    """Run a redis-server; its port, 0 where there is none."""
    if shutil.which("redis-server") is None:
        yield 0
        return
    port = free_ports(1)[0]
    command = f"redis-server --port {port} --bind 127.0.0.1 --appendonly no --dir {folder}"
    running = subprocess.Popen(command.split(), stdout=subprocess.DEVNULL)
    try:
        wait_for(port, running)
        yield port
    finally:
        running.terminate()
        running.wait(20)
