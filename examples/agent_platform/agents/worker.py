"""What all agents share: their place in the platform, their telemetry, their way to call others."""

import asyncio
import socket
import time
from collections.abc import Mapping
from random import Random
from typing import Any, Final

import graphmind_capture
import orjson
import redis.asyncio
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Span, Status, StatusCode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.agent_platform.conditions import Conditions, Rule
from examples.agent_platform.layout import Layout, trace_environment
from examples.agent_platform.serving import serve
from examples.agent_platform.topology import AGENTS, Agent
from examples.agent_platform.wire import CallFailed, Wire

CONNECTIONS_MAX: Final = 32
"""To the state store, of one agent (chosen)."""


class StepError(Exception):
    """A module cannot do its work. ``code`` names the kind of failure."""

    def __init__(self, code: str, message: str, spans: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.spans = dict(spans or {})


class LossyExporter(SpanExporter):
    """The collector beside an agent: when it is dead it takes spans and none arrives."""

    def __init__(self, endpoint: str, conditions: Conditions, agent: str) -> None:
        self._inner = OTLPSpanExporter(
            endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5, compression=Compression.Gzip
        )
        self._conditions, self._agent = conditions, agent

    def export(self, spans: Any) -> SpanExportResult:
        """Send, or lose."""
        if self._conditions.at("collector", agent=self._agent):
            return SpanExportResult.SUCCESS
        return self._inner.export(spans)

    def shutdown(self) -> None:
        """End."""
        self._inner.shutdown()  # type: ignore[no-untyped-call]  # of the SDK


def wire_of(layout: Layout, region: str) -> Wire:
    """Return a wire whose calls out of the region the network may lose."""
    local = {layout.agent_ports[agent.name] for agent in AGENTS if agent.region == region}
    conditions = layout.conditions

    def lost(port: int) -> Rule | None:
        return None if port in local else conditions.at("network", region=region)

    return Wire(lost=lost)


def store_client(layout: Layout) -> redis.asyncio.Redis:
    """Return a client of the state store; who finds all connections taken waits for one."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        layout.redis, max_connections=CONNECTIONS_MAX, timeout=None
    )
    return redis.asyncio.Redis(connection_pool=pool)


class Worker:
    """One agent at work. Subclasses say what ``run`` does with a task."""

    def __init__(self, layout: Layout, agent: Agent, generation: int) -> None:
        self.layout, self.agent, self.generation = layout, agent, generation
        self.conditions, self._directory = layout.conditions, layout.directory
        self.random = Random(f"{layout.seed}/{agent.name}/{generation}")  # noqa: S311 - no secret
        self.tracer: trace.Tracer = trace.get_tracer(agent.kind)
        self.store = store_client(layout)
        self.wire = wire_of(layout, agent.region)
        self.running = 0
        self.done_since_fault = 0

    async def run(self, body: dict[str, Any]) -> dict[str, Any]:
        """Do the agent's part of a task; raises StepError."""
        raise NotImplementedError

    def routes(self) -> list[Route]:
        """Return what it answers to."""
        return [
            Route("/healthz", self._health),
            Route("/v1/run", self._run, methods=["POST"]),
        ]

    async def _health(self, _request: Request) -> Response:
        return json_response({"agent": self.agent.name, "running": self.running})

    async def _run(self, request: Request) -> Response:
        body = orjson.loads(await request.body())
        if self.status == "disabled":
            return json_response({"error": f"{self.agent.name} is disabled"}, 503)
        self.running += 1
        try:
            return json_response(await self.run(body))
        except StepError as error:
            said = {"error": str(error), "code": error.code, "spans": error.spans}
            return json_response(said, 500)
        finally:
            self.running -= 1

    @property
    def _listed(self) -> dict[str, Any]:
        listed: dict[str, Any] = self._directory.read().get(self.agent.name, {})
        return listed

    @property
    def status(self) -> str:
        """What the controller says of it."""
        return str(self._listed.get("status", "running"))

    @property
    def degraded_to(self) -> str | None:
        """What it does its work with instead, while it is degraded."""
        return self._listed.get("degraded_to")

    async def call(self, agent: str, body: dict[str, Any], path: str = "/v1/run") -> dict[str, Any]:
        """Have another agent do its part. Raises StepError with what it says."""
        url = f"http://127.0.0.1:{self.layout.agent_ports[agent]}{path}"
        return await post(self.wire, url, body)

    async def drift(self) -> None:
        """Work as slowly as an agent whose memory fills: each task makes it worse."""
        rule = self.conditions.at("memory", agent=self.agent.name, generation=self.generation)
        if rule is None:
            self.done_since_fault = 0
            return
        self.done_since_fault += 1
        grown = min(1.0, self.done_since_fault / rule["tasks"])
        await asyncio.sleep(rule["seconds"] * grown)
        if self.random.random() < rule["failing"] * grown:
            raise StepError("MemoryPressure", f"{self.agent.name} has no room for the context")


async def post(wire: Wire, url: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post JSON and return the answer. Raises StepError where there is none, or a failure."""
    try:
        answer = await wire.post(url, body)
    except CallFailed as error:
        raise StepError(error.code, str(error)) from error
    said: dict[str, Any] = answer.document
    if answer.status >= 400:
        code = str(said.get("code", f"http {answer.status}"))
        raise StepError(code, str(said.get("error", answer.status)), said.get("spans"))
    return said


def json_response(document: Any, status: int = 200) -> Response:
    """Return a document as an answer."""
    return Response(orjson.dumps(document), status, media_type="application/json")


def failed(span: Span, code: str, message: str) -> None:
    """Say on a span that it failed, as applications do."""
    span.set_attribute("error.type", code)
    span.set_status(Status(StatusCode.ERROR, message))


def span_id(span: Span) -> str:
    """Return the id of a span as others write it."""
    return f"{span.get_span_context().span_id:016x}"


def recovery_attributes(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a span of a new branch says of the failed one that it replaces."""
    recovery = body.get("recovery")
    if not recovery:
        return {}
    said = {"recovery": True, "recovered": True, **recovery}
    return {name: value for name, value in said.items() if value not in (None, "")}


def begun() -> float:
    """Return the time in milliseconds of the epoch."""
    return time.time() * 1000


def serve_worker(worker: Worker, listening: socket.socket, parent: int) -> None:
    """Serve an agent until it is told to end, or the process that started it is gone."""

    async def serving() -> None:
        await serve(Starlette(routes=worker.routes()), listening=listening, parent=parent)
        worker.wire.close()
        await worker.store.aclose()

    asyncio.run(serving())


def set_up_telemetry(layout: Layout, agent: Agent) -> graphmind_capture.Capture | None:
    """Trace this process as its user would: one call."""
    if not layout.otlp:
        return None
    trace_environment(agent.name)
    return graphmind_capture.setup(
        agent.kind,
        agent=agent.name,
        region=agent.region,
        exporter=LossyExporter(layout.otlp, layout.conditions, agent.name),
    )


untraced = suppress_instrumentation
"""Bookkeeping of the platform itself is no part of what its agents do."""
