"""Capture with real servers: uvicorn, gRPC, Redis, and a Collector."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fastapi
import httpx
import pytest
import redis
import redis.asyncio
import uvicorn
from graphmind_capture import commands
from graphmind_capture.commands import command_keys
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.capture.collecting import Collector
from tests.capture.conftest import capturing, collector  # noqa: F401 - fixtures
from tests.live.conftest import free_ports

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[2]
Capturing = Callable[..., Any]


def wait_for_port(port: int, timeout_s: float = 30) -> None:
    end = time.monotonic() + timeout_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, f"nothing listens on {port}"
            time.sleep(0.05)
        else:
            return


@contextmanager
def served(app: fastapi.FastAPI) -> Iterator[str]:
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server: apt install redis-server")
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("redis")
    command = f"redis-server --port {port} --bind 127.0.0.1 --appendonly no --dir {folder}"
    running = subprocess.Popen(command.split(), stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield port
    finally:
        running.terminate()
        running.wait(20)


def spans_after(capture: Any, collector: Collector) -> list[dict[str, Any]]:  # noqa: F811
    assert capture.flush()
    return collector.spans


def test_a_task_reaches_the_service_called_and_failures_tell_their_route(
    capturing: Capturing,  # noqa: F811
    collector: Collector,  # noqa: F811
):
    app = fastapi.FastAPI()  # made before the call that traces it
    capture = capturing()

    @app.get("/users/{user}")
    async def get_user(user: int) -> dict[str, int]:
        return {"user": 1 // user}

    task = capture.task("t-1", task="answer", agent="planner")
    with served(app) as url, httpx.Client() as client, task:
        client.get(f"{url}/users/7?token=s3cr3t")
        client.get(f"{url}/nowhere")
        client.get(f"{url}/users/0")  # uvicorn closes the connection after it
    spans = spans_after(capture, collector)
    server = {s["said"]["url.path"]: s for s in spans if "url.path" in s["said"]}
    client_ids = {span["id"] for span in spans if "url.path" not in span["said"]}

    assert server["/users/7"]["name"] == "GET /users/{user}"
    assert server["/users/7"]["said"]["graphmind.task.id"] == "t-1"
    assert server["/users/7"]["said"]["gen_ai.agent.name"] == "planner"
    assert server["/users/7"]["parent"] in client_ids
    assert (server["/users/7"]["status"], server["/users/0"]["status"]) == (0, 2)
    assert server["/users/0"]["said"]["http.response.status_code"] == 500
    assert server["/nowhere"]["status"] == 0
    assert "s3cr3t" not in str(list(server.values()))


def test_commands_carry_key_and_operation_and_no_value(
    capturing: Capturing,  # noqa: F811
    collector: Collector,  # noqa: F811
    redis_port: int,
):
    capture = capturing(fold=False)
    with redis.Redis(port=redis_port) as client:
        client.set("session:1", "s3cr3t")
        client.get("session:1")
        client.mget("a", "b")
    spans = spans_after(capture, collector)
    told = [
        (s["name"], s["said"]["graphmind.kv.key"], s["said"]["graphmind.kv.op"])
        for s in spans
        if "graphmind.kv.key" in s["said"]
    ]

    assert told == [
        ("SET", "session:1", "write"),
        ("GET", "session:1", "read"),
        ("read", "a", "read"),
        ("read", "b", "read"),
    ]
    assert "s3cr3t" not in str(spans)
    assert {s["said"]["db.redis.database_index"] for s in spans if s["said"].get("db.system")} == {
        0
    }


@pytest.mark.parametrize("transaction", [True, False])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_each_key_of_a_pipeline_is_a_span_below_it(
    capturing: Capturing,  # noqa: F811
    collector: Collector,  # noqa: F811
    redis_port: int,
    kind: str,
    transaction: bool,
):
    capture = capturing(hash_keys_with=None)

    async def asynchronous() -> None:
        async with redis.asyncio.Redis(port=redis_port) as client:
            pipeline: Any = client.pipeline(transaction=transaction)
            await pipeline.set("a", "s3cr3t").get("a").get("b").execute()

    if kind == "async":
        asyncio.run(asynchronous())
    else:
        with redis.Redis(port=redis_port) as client:
            pipeline: Any = client.pipeline(transaction=transaction)
            pipeline.set("a", "s3cr3t").get("a").get("b").execute()
    spans = spans_after(capture, collector)
    (parent,) = [span for span in spans if span["name"] == "SET GET GET"]
    below = {
        s["said"]["graphmind.kv.key"]: s["said"]["graphmind.kv.op"]
        for s in spans
        if s["parent"] == parent["id"]
    }

    assert below == {"a": "read write", "b": "read"}
    assert "graphmind.kv.keys" not in parent["said"]
    assert "s3cr3t" not in str(spans)


def test_what_is_executed_while_watching_carries_its_key(
    capturing: Capturing,  # noqa: F811
    collector: Collector,  # noqa: F811
    redis_port: int,
):
    capture = capturing(hash_keys_with="secret")
    with redis.Redis(port=redis_port) as client, client.pipeline() as pipeline:
        pipeline.watch("user:1")
        pipeline.get("user:1")
        pipeline.unwatch()
    (get,) = [s for s in spans_after(capture, collector) if s["name"] == "GET"]

    assert get["said"]["graphmind.kv.key"].startswith("user:")
    assert get["said"]["graphmind.kv.key"] != "user:1"


def test_switched_off_nothing_is_wrapped(capturing: Capturing, redis_port: int):  # noqa: F811
    before = redis.client.Pipeline.execute, redis.Redis.execute_command
    capturing().shutdown()

    assert (redis.client.Pipeline.execute, redis.Redis.execute_command) == before


@settings(deadline=None, max_examples=60)
@given(words=st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=6, max_size=8))
def test_the_table_agrees_with_the_server(redis_port: int, words: list[str]):
    """Every command of the table with plain arguments that this server knows."""
    with redis.Redis(port=redis_port, decode_responses=True) as client:
        for name in commands._PLACES:
            if name.partition(".")[0] in ("JSON", "TS") or name in commands._SUBCOMMANDS:
                continue  # modules of their own
            arguments = [name, *words]
            if name in commands._COUNTED:
                arguments[2] = "2"
            if name in ("MSET", "MSETNX") and len(words) % 2:
                arguments.append("x")
            try:
                expected = client.execute_command("COMMAND GETKEYS", *arguments)
            except redis.ResponseError:
                continue  # another number of arguments, or a newer command
            assert [key for key, _ in command_keys(arguments)] == expected, arguments


GRPC = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
import grpc
import graphmind_capture

capture = graphmind_capture.setup("echo", endpoint=sys.argv[1])

def echo(request, context):
    if request == b"fail":
        context.abort(grpc.StatusCode.INTERNAL, "asked to")
    return request

async def awaited(request, context):
    return echo(request, context)

def handlers(function):
    methods = {"Say": grpc.unary_unary_rpc_method_handler(function)}
    return (grpc.method_handlers_generic_handler("shop.Echo", methods),)

async def asynchronous():
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers(awaited))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert await channel.unary_unary("/shop.Echo/Say")(b"hello") == b"hello"
    await server.stop(1)

def synchronous():
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(handlers(echo))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert channel.unary_unary("/shop.Echo/Say")(b"hello") == b"hello"
        try:
            channel.unary_unary("/shop.Echo/Say")(b"fail")
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.INTERNAL
    server.stop(1).wait()

with capture.task("t-2", agent="caller"):
    synchronous() if sys.argv[2] == "sync" else asyncio.run(asynchronous())
capture.shutdown()
"""


@pytest.mark.parametrize(("kind", "calls"), [("sync", 2), ("async", 1)])
def test_grpc_calls_join_their_trace_and_carry_the_task(
    collector: Collector,  # noqa: F811
    kind: str,
    calls: int,
):
    """In a process of its own: the client's instrumentation knows the global provider alone."""
    subprocess.run([sys.executable, "-c", GRPC, collector.endpoint, kind], check=True, timeout=60)
    by_id = {span["id"]: span for span in collector.spans}
    served = [span for span in collector.spans if span["parent"] in by_id]

    assert (len(served), len(by_id)) == (calls, 2 * calls)
    assert {span["said"]["graphmind.task.id"] for span in collector.spans} == {"t-2"}
    assert sorted(span["status"] for span in served) == ([0, 2] if kind == "sync" else [0])


def jaeger_binary() -> str:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphmind/jaeger"
    found = sorted(path for path in cache.glob("jaeger-*") if os.access(path, os.X_OK))
    if not found:
        pytest.skip("no Jaeger to run as Collector: tests/live/jaeger.sh build")
    return str(found[-1])


def test_the_collector_config_runs_samples_and_forwards(
    capturing: Capturing,  # noqa: F811
    collector: Collector,  # noqa: F811
    tmp_path: Path,
):
    otlp_grpc, otlp_http, metrics = free_ports(3)
    environment = os.environ | {
        "COLLECTOR_GRPC_PORT": str(otlp_grpc),
        "COLLECTOR_HTTP_PORT": str(otlp_http),
        "COLLECTOR_METRICS_PORT": str(metrics),
        "COLLECTOR_DECISION_WAIT": "1s",
        "GRAPHMIND_OTLP": collector.endpoint,
    }
    config = ROOT / "capture" / "collector" / "config.yaml"
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(
            [jaeger_binary(), "--config", str(config)], env=environment, stdout=log, stderr=log
        )
    try:
        wait_for_port(otlp_http)
        capture = capturing(endpoint=f"http://127.0.0.1:{otlp_http}", fold=False)
        tracer = capture.tracer("own")
        for _ in range(200):
            with tracer.start_as_current_span("healthy"):
                pass
        with pytest.raises(ZeroDivisionError), tracer.start_as_current_span("failed"):  # noqa: PT012
            with tracer.start_as_current_span("well"):
                pass
            _ = 1 / 0
        assert capture.flush()
        collector.wait_for(2, timeout_s=20)
        time.sleep(2)  # what else was kept
        text = httpx.get(f"http://127.0.0.1:{metrics}/metrics").text
    finally:
        running.terminate()
        running.wait(20)
    names = [span["name"] for span in collector.spans]

    assert sorted(set(names) - {"healthy"}) == ["failed", "well"]
    assert names.count("healthy") < 40  # 5 % of 200
    assert "otelcol_receiver_accepted_spans" in text
