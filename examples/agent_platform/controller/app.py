"""The controller's HTTP API."""

import asyncio
import hmac
import logging
import os
from pathlib import Path
from typing import Any

import graphmind_capture
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.agent_platform.agents.worker import json_response, store_client
from examples.agent_platform.conditions import replace_file
from examples.agent_platform.controller.agents import Agents, Refused
from examples.agent_platform.controller.commands import Commands, InWork
from examples.agent_platform.controller.traces import Traces
from examples.agent_platform.layout import Layout, trace_environment
from examples.agent_platform.serving import serve


class Controller:
    """Parses requests, calls one part, answers."""

    def __init__(self, agents: Agents, traces: Traces, commands: Commands, token: str) -> None:
        self._agents, self._traces, self._commands = agents, traces, commands
        self._token = token

    def app(self) -> Starlette:
        """Return what it answers to."""
        return Starlette(
            routes=[
                Route("/healthz", self._health),
                Route("/v1/agents", self._all_agents),
                Route("/v1/agents/{name}", self._one_agent),
                Route("/v1/commands", self._command, methods=["POST"]),
                Route("/v1/commands/{command_id}", self._one_command),
                Route("/v1/traces/{trace_id}", self._one_trace),
                Route("/v1/tasks/{task_id}", self._one_task),
            ],
            exception_handlers={Refused: _refused, InWork: _in_work},
        )

    async def _health(self, _request: Request) -> Response:
        return json_response({"agents": len(self._agents.pids)})

    async def _all_agents(self, request: Request) -> Response:
        if answer := self._stranger(request):
            return answer
        return json_response(await self._agents.documents())

    async def _one_agent(self, request: Request) -> Response:
        if answer := self._stranger(request):
            return answer
        return json_response(await self._agents.document(request.path_params["name"]))

    async def _command(self, request: Request) -> Response:
        if answer := self._stranger(request):
            return answer
        try:
            document: Any = orjson.loads(await request.body())
        except orjson.JSONDecodeError as error:
            return json_response({"error": f"expected JSON: {error}"}, 400)
        if not isinstance(document, dict):
            return json_response({"error": f"expected a command, got {document!r}"}, 400)
        try:
            return json_response(await self._commands.run(document))
        except Refused as error:
            return json_response({"error": str(error)}, 400)

    async def _one_command(self, request: Request) -> Response:
        if answer := self._stranger(request):
            return answer
        command_id = request.path_params["command_id"]
        done = await self._commands.known(command_id)
        if done is None:
            return json_response({"error": f"expected a known command, got {command_id}"}, 404)
        return json_response(done)

    async def _one_trace(self, request: Request) -> Response:
        if answer := self._stranger(request):
            return answer
        run = await self._traces.run_of(request.path_params["trace_id"])
        return json_response(run.document())

    async def _one_task(self, request: Request) -> Response:
        if answer := self._stranger(request):
            return answer
        task_id = request.path_params["task_id"]
        traces = await self._traces.of_task(task_id)
        if not traces:
            return json_response({"error": f"expected a task on record, got {task_id}"}, 404)
        return json_response({"task_id": task_id, "traces": traces})

    def _stranger(self, request: Request) -> Response | None:
        """Return the answer to who does not show the token."""
        wanted = f"Bearer {self._token}"
        given = request.headers.get("authorization", "")
        if not self._token or hmac.compare_digest(given.encode(), wanted.encode()):
            return None
        return json_response({"error": "expected the controller's bearer token, got another"}, 401)


async def _refused(_request: Request, error: Exception) -> Response:
    return json_response({"error": str(error)}, 404)


async def _in_work(_request: Request, error: Exception) -> Response:
    return json_response({"error": str(error)}, 409)


async def _serve(layout: Layout, own_pid: int, parent: int) -> None:
    store = store_client(layout)
    agents, traces = Agents(layout), Traces(layout, store)
    controller = Controller(agents, traces, Commands(agents, traces, store), layout.token)
    try:
        await agents.start(own_pid)
        replace_file(Path(layout.folder) / "agents.json", agents.pids)
        port = int(layout.controller.rpartition(":")[2])
        await serve(controller.app(), port=port, parent=parent)
    finally:
        await agents.stop()
        await traces.close()
        await store.aclose()


def main(folder: str, parent: str) -> None:
    """Serve the controller of the platform in a folder."""
    layout = Layout.load(Path(folder))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    trace_environment("runtime-controller")
    capture = None
    if layout.otlp:
        capture = graphmind_capture.setup(
            "runtime-controller", endpoint=layout.otlp, instrument_only=()
        )
    asyncio.run(_serve(layout, os.getpid(), int(parent)))
    if capture:
        capture.shutdown(2.0)
