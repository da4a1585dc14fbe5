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
from examples.agent_platform.runs import KEPT_S, Run, load_run, save_run
from examples.agent_platform.topology import AGENTS, REFRESH, STEPS, Agent

ABROAD: Final = 0.12
"""Share of steps that an agent of the other region does, to even out the load (chosen)."""
CALLBACK_S: Final = 8.0
"""A customer takes no answer after so long (chosen: S22's hanging runs miss it)."""
UNREACHED: Final = ("ConnectError", "RemoteProtocolError", "http 503")
"""Failures after which another agent does the step: this one is ending, or takes no work."""
EJECT_AFTER, EJECT_S = 5, 20.0
"""After so many failures in a row of steps done abroad none go there for so long (chosen)."""
SERVED_BY: Final = {
    "TaskPreprocessor": "intake",
    "CallbackSender": "sender",
    "StateKeeper": "keeper",
}


class Router(Worker):
    """The entrance of a region."""

    _failed_abroad = 0
    _home_until = 0.0
    """No step goes abroad before; monotonic."""

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
            said = await self.call(chosen.name, body)
        except StepError as error:
            self._learn(chosen, well=False)
            if error.code not in UNREACHED:
                raise
            another = self._choose(kind, without=(chosen.name,))
            return await self.call(another.name, body)
        self._learn(chosen, well=True)
        return said

    def _learn(self, agent: Agent, *, well: bool) -> None:
        """Keep work at home while what goes abroad fails."""
        if agent.region == self.agent.region:
            return
        self._failed_abroad = 0 if well else self._failed_abroad + 1
        if self._failed_abroad >= EJECT_AFTER:
            self._home_until = time.monotonic() + EJECT_S

    def _choose(self, kind: str, without: tuple[str, ...]) -> Agent:
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
        abroad = self.random.random() < ABROAD and time.monotonic() > self._home_until
        if away and (not here or abroad):
            here = away
        if not here:
            raise StepError("NoAgent", f"no {kind} is in service")
        return self.random.choice(here)

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
