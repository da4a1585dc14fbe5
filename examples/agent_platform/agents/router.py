"""AgentRouter: takes a task, has its steps done one after the other, and keeps the record."""

import time
from typing import Any, Final

import orjson
from opentelemetry import trace
from opentelemetry.baggage import set_baggage
from opentelemetry.context import attach, detach
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, TraceFlags
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.agent_platform.agents.worker import (
    StepError,
    Worker,
    begun,
    failed,
    json_response,
    span_id,
    untraced,
)
from examples.agent_platform.layout import Layout
from examples.agent_platform.runs import KEPT_S, Run, load_run, save_run
from examples.agent_platform.topology import AGENTS, REFRESH, REGIONS, STEPS, Agent

ABROAD: Final = 0.2
"""Share of steps that an agent of the other region does, to even out the load (chosen)."""
CALLBACK_S: Final = 8.0
"""A customer takes no answer after so long (chosen: S22's hanging runs miss it)."""
UNREACHED: Final = ("ConnectError", "RemoteProtocolError", "http 503")
"""Failures after which another agent does the step: this one is ending, or takes no work."""
OPEN_S: Final = 3
"""A region that took no task for so long is closed (chosen: in small each takes two a second)."""
SERVED_BY: Final = {
    "TaskPreprocessor": "intake",
    "CallbackSender": "sender",
    "StateKeeper": "keeper",
}


class Router(Worker):
    """The entrance of a region."""

    def __init__(self, layout: Layout, agent: Agent, generation: int) -> None:
        super().__init__(layout, agent, generation)
        self._open_abroad = False
        self._said_open = 0.0

    def routes(self) -> list[Route]:
        """Return what it answers to."""
        return [
            *super().routes(),
            Route("/v1/tasks", self._take, methods=["POST"]),
            Route("/v1/resume", self._resume, methods=["POST"]),
        ]

    async def _take(self, request: Request) -> Response:
        task = orjson.loads(await request.body())
        trace_id = f"{trace.get_current_span().get_span_context().trace_id:032x}"
        with untraced():
            key = f"dispatched:{task['task_id']}:{task['seq_no']}"
            fresh = await self.store.set(key, trace_id, nx=True, ex=KEPT_S)
            if not task.get("parent_trace_id"):
                await self._say_open()
        if not fresh:
            return json_response({"error": f"{key} was dispatched before"}, 409)
        run = Run(
            trace_id=trace_id,
            task=task,
            region=self.agent.region,
            root_span_id="",
            created_ms=begun(),
            outputs=dict(task.pop("finished", {})),
            parent_trace_id=task.get("parent_trace_id"),
        )
        self.running += 1
        tokens = [attach(set_baggage("graphmind.task.id", task["task_id"]))]
        tokens.append(attach(set_baggage("graphmind.task.name", task["kind"])))
        try:
            return await self._routed(run)
        finally:
            self.running -= 1
            for token in reversed(tokens):
                detach(token)

    async def _routed(self, run: Run) -> Response:
        links = [Link(_remote(run.parent_trace_id, 1))] if run.parent_trace_id else []
        with self.tracer.start_as_current_span("AgentRouter", links=links) as span:
            _describe(span, run)
            run.root_span_id = span_id(span)
            run.steps["AgentRouter"] = {
                "step": "AgentRouter",
                "module": "AgentRouter",
                "span_id": run.root_span_id,
                "state": "running",
                "snapshot": False,
                "recovery": False,
            }
            try:
                await self._steps(run, span, {})
            except StepError as error:
                run.state = run.steps["AgentRouter"]["state"] = "failed"
                failed(span, error.code, str(error))
                await self._keep(run)
                said = {"error": str(error), "code": error.code, "trace_id": run.trace_id}
                return json_response(said, 502)
            run.state = run.steps["AgentRouter"]["state"] = "done"
            await self._keep(run)
        answer = run.outputs.get("ModelExecutor", {}).get("answer")
        return json_response({"trace_id": run.trace_id, "answer": answer})

    async def _steps(self, run: Run, span: Span, recovery: dict[str, Any]) -> None:
        """Do the steps that are not finished yet. Raises StepError."""
        steps = ("StateKeeper",) if run.task["kind"] == REFRESH else STEPS
        for step in steps:
            if step in run.outputs:
                continue
            late = begun() - run.task["sent_ms"] > CALLBACK_S * 1000
            if step == "CallbackSender" and late and not recovery:
                span.set_attribute("callback.expired", True)
                continue
            if run.steps.get(step, {}).get("state") == "skipped":
                with self.tracer.start_as_current_span(step) as skipped:
                    skipped.set_attributes({"skip_flag": True, "recovery": True})
                continue
            await self._step(run, step, recovery)

    async def _step(self, run: Run, step: str, recovery: dict[str, Any]) -> None:
        replaced = run.steps.get(step, {}).get("span_id")
        run.begin(step)
        await self._keep(run, new=len(run.steps) <= 2)
        body = {"task": run.task, "outputs": run.outputs}
        if recovery:
            body["recovery"] = {**recovery, "replaces_span_id": replaced}
        named = run.task.get("keeper")
        try:
            if named:
                said = await self.call(named, body)
            else:
                kind = SERVED_BY.get(step) or run.task["needs"]["executor"]
                said = await self._anyone(kind, body)
        except StepError as error:
            run.end(step, "failed", error.spans)
            raise
        run.outputs[step] = said["output"]
        run.end(step, "done", said["spans"])

    async def _anyone(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Have an agent of a class do its part; one that cannot be reached is replaced once."""
        chosen = self._choose(kind, without=())
        try:
            return await self.call(chosen, body)
        except StepError as error:
            if error.code not in UNREACHED:
                raise
            return await self.call(self._choose(kind, without=(chosen,)), body)

    def _choose(self, kind: str, without: tuple[str, ...]) -> str:
        """Pick an agent of a class that is in service, of the own region where one is."""
        listed = self._directory.read()
        able = [
            agent
            for agent in AGENTS
            if agent.kind == kind
            and agent.name not in without
            and listed.get(agent.name, {}).get("status", "running") in ("running", "degraded")
        ]
        here = [agent for agent in able if agent.region == self.agent.region]
        away = [agent for agent in able if agent.region != self.agent.region]
        if away and (not here or (self._open_abroad and self.random.random() < ABROAD)):
            here = away
        if not here:
            raise StepError("NoAgent", f"no {kind} is in service")
        return self.random.choice(here).name

    async def _say_open(self) -> None:
        """Say that this region takes tasks, and look whether the other does, once a second.

        A region that is drained is given no steps either.
        """
        now = time.monotonic()
        if now - self._said_open < 1.0:
            return
        self._said_open = now
        pipeline = self.store.pipeline(transaction=False)
        pipeline.set(f"region_open:{self.agent.region}", 1, ex=OPEN_S)
        pipeline.exists(*(f"region_open:{each}" for each in REGIONS if each != self.agent.region))
        self._open_abroad = bool((await pipeline.execute())[1])

    async def _resume(self, request: Request) -> Response:
        """Go on with a run as its record says: a new branch in the same trace."""
        asked = orjson.loads(await request.body())
        with untraced():
            run = await load_run(self.store, asked["trace_id"])
        if run is None:
            return json_response({"error": f"no run is kept of trace {asked['trace_id']}"}, 404)
        parent = NonRecordingSpan(_remote(run.trace_id, int(run.root_span_id, 16)))
        recovery = {"recovery_strategy": asked.get("strategy")}
        here = set_baggage("graphmind.task.id", run.task["task_id"])
        here = set_baggage("graphmind.task.name", run.task["kind"], here)
        token = attach(trace.set_span_in_context(parent, here))
        try:
            await self._steps(run, parent, recovery)
            run.state = "recovered"
        except StepError as error:
            run.state = "failed"
            return json_response({"error": str(error), "code": error.code}, 502)
        finally:
            detach(token)
            await self._keep(run)
        return json_response(run.document())

    async def _keep(self, run: Run, *, new: bool = False) -> None:
        with untraced():
            await save_run(self.store, run, new=new)


def _describe(span: Span, run: Run) -> None:
    task = run.task
    span.set_attributes(
        {
            "graphmind.task.id": task["task_id"],
            "graphmind.task.name": task["kind"],
            "seq_no": task["seq_no"],
            "tenant": task["tenant"],
        }
    )
    if run.parent_trace_id:
        span.set_attributes(
            {
                "parent_trace_id": run.parent_trace_id,
                "recovery": True,
                "recovery_strategy": task.get("recovery_strategy", ""),
                "reused_modules": sorted(run.outputs),
            }
        )


def _remote(trace_id: str, span: int) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(trace_id, 16), span, is_remote=True, trace_flags=flags)
