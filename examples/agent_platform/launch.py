"""Starts the platform, keeps it, injects faults, and ends it."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import redis.asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.agent_platform.agents.worker import json_response
from examples.agent_platform.conditions import replace_file
from examples.agent_platform.connectors import connectors_file
from examples.agent_platform.faults import FAULTS, Fault, World, make, truth_document
from examples.agent_platform.layout import Layout
from examples.agent_platform.registry import Registry
from examples.agent_platform.servers import commands, end_groups
from examples.agent_platform.topology import AGENTS, GOOD, REFRESH, shared_keys

UP_S: Final = 120.0
"""A server that is not up so long after its start is given up (MLflow on a busy machine)."""
CALL_S: Final = 30.0
"""Longer than any part takes to answer, unless it is overloaded (chosen)."""
SOCKET_PATH_MAX: Final = 90
"""Longer paths are no address of a Unix socket (108, less what HAProxy adds)."""

STALE: Final = (
    *("platform.json", "agents.json", "directory.json", "conditions.json"),
    *("haproxy.sock", "mlflow.db"),
)
"""What an earlier run in the folder left, and would be taken for this one's."""

QUIET: Final = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
"""MLflow would start seven more processes for jobs that nobody runs, and report its use."""


class StartError(Exception):
    """A part of the platform did not come up; the message names its log."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the command line asks for."""

    folder: Path
    otlp: str
    rate: float
    seed: int
    stand_ins: bool
    fault: str | None
    fault_after_s: float
    token: str


@dataclass(kw_only=True)
class Injected:
    """A fault in force."""

    name: str
    fault: Fault
    since_ms: float


@dataclass(kw_only=True)
class Platform:
    """The platform that runs in a folder."""

    layout: Layout
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    injected: dict[str, Injected] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where it keeps its files."""
        return Path(self.layout.folder)

    async def start(self, *, stand_ins: bool) -> None:
        """Start everything; returns when tasks flow. Raises StartError."""
        replace_file(self.folder / "conditions.json", {"rules": []})
        found, notes = commands(self.layout, stand_ins=stand_ins)
        for note in notes:
            say(note)
        for name, command in found.items():
            await self._run(name, command)
        await self._guard()
        await self._listens("redis-server", self.layout.redis_port)
        await self._listens("haproxy", self.layout.balancer_port)
        await self._answers("mlflow", f"{self.layout.mlflow}/health")
        await self._fill()
        for name, url in (
            ("controller", self.layout.controller),
            ("gateway", self.layout.gateway),
            ("customers", self.layout.hooks),
        ):
            await self._own(name)
            await self._answers(name, f"{url}/healthz")
        self.publish()
        (self.folder / "connectors.yaml").write_text(connectors_file(self.layout))

    async def stop(self) -> None:
        """End everything, load first."""
        for name in ("customers", "controller", "gateway"):
            process = self.processes.get(name)
            if process is not None and process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), 10)
                except TimeoutError:
                    process.kill()
                    await process.wait()
        groups = [p.pid for p in self.processes.values() if p.returncode is None]
        await asyncio.to_thread(end_groups, groups)
        for process in self.processes.values():
            await process.wait()

    async def ended(self) -> str:
        """Wait until a process that should run has ended; return its name."""
        waiting = {
            asyncio.create_task(process.wait()): name for name, process in self.processes.items()
        }
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return waiting[done.pop()]

    async def inject(self, name: str) -> dict[str, Any]:
        """Bring a fault about; one that is in force stays as it is."""
        if name not in self.injected:
            fault = make(name, self.layout.seed, await self._world())
            self.injected[name] = Injected(name=name, fault=fault, since_ms=time.time() * 1000)
            self._rule()
            registry = Registry(self.layout.mlflow)
            for model, version in fault.moves.items():
                await registry.move(model, version)
            await registry.close()
            for number, key in enumerate(fault.refresh):
                await self._refresh(fault.refresh_by, key, number)
            self.history.append({"injected": name, "at_ms": self.injected[name].since_ms})
            self.publish()
        return self.document()

    async def clear(self, name: str) -> dict[str, Any]:
        """Put the world right again; what the platform holds of the fault stays for repair."""
        was = self.injected.pop(name, None)
        if was is not None:
            self._rule()
            registry = Registry(self.layout.mlflow)
            for model in was.fault.moves:
                await registry.move(model, GOOD)
            await registry.close()
            store = redis.asyncio.Redis.from_url(self.layout.redis)
            for key in was.fault.refresh:
                await store.set(key, orjson.dumps(shared_keys()[key]))
            await store.aclose()
            self.history.append({"cleared": name, "at_ms": time.time() * 1000})
            self.publish()
        return self.document()

    def document(self) -> dict[str, Any]:
        """Return what ``platform.json`` holds and ``status`` shows."""
        agents = self.folder / "agents.json"
        pids = {name: process.pid for name, process in self.processes.items()}
        pids |= orjson.loads(agents.read_bytes()) if agents.exists() else {}
        layout = self.layout
        return {
            "folder": layout.folder,
            "pid": os.getpid(),
            "seed": layout.seed,
            "rate": layout.rate,
            "otlp": layout.otlp,
            "control": layout.control,
            "controller": layout.controller,
            "gateway": layout.gateway,
            "redis": layout.redis,
            "mlflow": layout.mlflow,
            "entrance": layout.entrance,
            "haproxy_socket": layout.balancer_socket,
            "webhook": layout.hooks,
            "pids": pids,
            "faults": {
                name: {"since_ms": each.since_ms, "truth": truth_document(each.fault)}
                for name, each in self.injected.items()
            },
            "history": self.history,
        }

    def publish(self) -> None:
        """Write ``platform.json``."""
        replace_file(self.folder / "platform.json", self.document())

    def _rule(self) -> None:
        rules = [rule for each in self.injected.values() for rule in each.fault.rules]
        replace_file(self.folder / "conditions.json", {"rules": rules})

    async def _refresh(self, keeper: str, key: str, number: int) -> None:
        """Have a key refreshed, as the platform's own schedule would."""
        router = keeper.replace("keeper", "router")
        task = {
            "task_id": f"refresh-{int(time.time())}-{number}",
            "seq_no": 0,
            "tenant": "platform",
            "kind": REFRESH,
            "key": key,
            "keeper": keeper,
            "sent_ms": time.time() * 1000,
            "attempts": 1,
            "ttl_s": 300.0,
        }
        await asyncio.sleep(0.5)  # the agents look at the conditions every 0.25 s
        url = f"http://127.0.0.1:{self.layout.agent_ports[router]}/v1/tasks"
        async with httpx.AsyncClient(trust_env=False, timeout=CALL_S) as client:
            (await client.post(url, json=task)).raise_for_status()

    async def _world(self) -> World:
        headers = {"authorization": f"Bearer {self.layout.token}"} if self.layout.token else {}
        async with httpx.AsyncClient(trust_env=False, timeout=CALL_S, headers=headers) as client:
            agents = (await client.get(f"{self.layout.controller}/v1/agents")).json()
        return World(
            hooks=self.layout.hooks.removeprefix("http://"),
            generations={agent["name"]: agent["generation"] for agent in agents},
        )

    async def _fill(self) -> None:
        registry = Registry(self.layout.mlflow)
        await registry.fill()
        await registry.close()
        store = redis.asyncio.Redis.from_url(self.layout.redis)
        for key, value in shared_keys().items():
            await store.set(key, orjson.dumps(value))
        await store.aclose()

    async def _own(self, name: str) -> None:
        command = [sys.executable, "-m", "examples.agent_platform", f"_{name}"]
        await self._run(name, [*command, self.layout.folder, str(os.getpid())])

    async def _guard(self) -> None:
        groups = [str(process.pid) for process in self.processes.values()]
        command = [sys.executable, "-m", "examples.agent_platform", "_guard"]
        await self._run("guard", [*command, str(os.getpid()), *groups])

    async def _run(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **QUIET},
            )

    async def _listens(self, name: str, port: int) -> None:
        async def listens() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.close()
            await writer.wait_closed()
            return True

        await self._up(name, listens)

    async def _answers(self, name: str, url: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:

            async def answers() -> bool:
                try:
                    return (await client.get(url)).is_success
                except httpx.TransportError:
                    return False

            await self._up(name, answers)

    async def _up(self, name: str, is_up: Any) -> None:
        until = time.monotonic() + UP_S
        while not await is_up():
            code = self.processes[name].returncode
            if code is not None or time.monotonic() > until:
                log = self.folder / f"{name}.log"
                last = log.read_text(errors="replace")[-1500:]
                state = f"ended with {code}" if code is not None else f"not up after {UP_S} s"
                raise StartError(f"{name} {state}; {log} ends with:\n{last}")
            await asyncio.sleep(0.1)


def planned(wish: Wish) -> Layout:
    """Return a layout on ports that are free now."""
    wish.folder.mkdir(parents=True, exist_ok=True)
    folder = wish.folder.resolve()
    for name in STALE:
        (folder / name).unlink(missing_ok=True)
    ports = iter(_free_ports(7 + len(AGENTS)))
    beside = folder / "haproxy.sock"
    if len(str(beside)) > SOCKET_PATH_MAX:
        beside = Path(tempfile.mkdtemp(prefix="platform-")) / "haproxy.sock"
    url = "http://127.0.0.1:{}".format
    return Layout(
        folder=str(folder),
        seed=wish.seed,
        rate=wish.rate,
        otlp=wish.otlp,
        token=wish.token,
        redis_port=next(ports),
        balancer_port=next(ports),
        balancer_socket=str(beside),
        mlflow=url(next(ports)),
        gateway=url(next(ports)),
        controller=url(next(ports)),
        hooks=url(next(ports)),
        control=url(next(ports)),
        agent_ports={agent.name: next(ports) for agent in AGENTS},
    )


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def say(text: str) -> None:
    """Tell people."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def control_app(platform: Platform) -> Starlette:
    """Return the injector's own HTTP API; nothing of the platform knows of it."""

    async def status(_request: Request) -> Response:
        return json_response(platform.document())

    async def inject(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FAULTS:
            return json_response({"error": f"expected one of {', '.join(FAULTS)}; got {name}"}, 404)
        return json_response(await platform.inject(name))

    async def clear(request: Request) -> Response:
        return json_response(await platform.clear(request.path_params["name"]))

    async def unreached(_request: Request, error: Exception) -> Response:
        said = f"a part of the platform did not take part: {error!r}"
        return json_response({"error": said}, 503)

    return Starlette(
        exception_handlers={httpx.HTTPError: unreached},
        routes=[
            Route("/status", status),
            Route("/inject/{name}", inject, methods=["POST"]),
            Route("/clear/{name}", clear, methods=["POST"]),
        ],
    )


async def run(wish: Wish) -> int:
    """Run the platform until told to end; return the exit status."""
    layout = planned(wish)
    layout.save()
    platform = Platform(layout=layout)
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    try:
        starting = asyncio.create_task(platform.start(stand_ins=wish.stand_ins))
        if not await _unless(starting, ending):
            return 0
        say(f"up: {wish.rate:g} tasks/s, folder {layout.folder}, control {layout.control}")
        return await _keep(platform, wish, ending)
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        await platform.stop()


async def _keep(platform: Platform, wish: Wish, ending: asyncio.Event) -> int:
    port = int(platform.layout.control.rpartition(":")[2])
    server = _Quiet(
        uvicorn.Config(
            control_app(platform), port=port, log_level="warning", access_log=False, lifespan="off"
        )
    )
    serving = asyncio.create_task(server.serve())
    fault = asyncio.create_task(_inject_later(platform, wish))
    lost = asyncio.create_task(platform.ended())
    await _unless(lost, ending)
    status = 0
    if lost.done() and not ending.is_set():
        name = lost.result()
        sys.stderr.write(f"{name} ended; see {platform.folder / name}.log\n")
        status = 1
    for task in (fault, lost):
        task.cancel()
    server.should_exit = True
    await serving
    return status


class _Quiet(uvicorn.Server):
    """A server that leaves signals to the launcher."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


async def _inject_later(platform: Platform, wish: Wish) -> None:
    if wish.fault:
        await asyncio.sleep(wish.fault_after_s)
        await platform.inject(wish.fault)
        say(f"injected: {wish.fault}")


async def _unless(task: asyncio.Task[Any], ending: asyncio.Event) -> bool:
    """Wait for a task or the end; whether the task is done. Raises what it raised."""
    waiting = asyncio.create_task(ending.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        task.result()
        return True
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return False
