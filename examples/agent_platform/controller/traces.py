"""What the controller does about one trace: the five ways of S14, refused rather than forced."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
import orjson
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from examples.agent_platform.controller.agents import Refused
from examples.agent_platform.layout import Layout
from examples.agent_platform.runs import (
    KEPT_S,
    Run,
    context_key,
    load_run,
    save_run,
    snapshot_key,
)
from examples.agent_platform.topology import AGENTS, WITHIN

ATTEMPTS_MAX: Final = 3
"""Dispatches of one task, the first included (chosen: S17's guard against storms)."""
APPEARS_S: Final = 5.0
"""A dispatched task is on record so long after (chosen)."""
FLAGS: Final = ("recovered", "fallback_applied")
"""Tags that are written as span attributes."""


class Traces:
    """Runs of tasks, by their records in the state store."""

    def __init__(self, layout: Layout, store: Any) -> None:
        self._layout, self._store = layout, store
        self._client = httpx.AsyncClient(timeout=30, trust_env=False)
        self._under_way: set[asyncio.Task[Any]] = set()

    async def close(self) -> None:
        """Release connections; what was dispatched goes on without us."""
        for task in self._under_way:
            task.cancel()
        await self._client.aclose()

    async def run_of(self, trace_id: str) -> Run:
        """Return the record of a trace. Raises Refused."""
        run = await load_run(self._store, trace_id)
        if run is None:
            raise Refused(f"expected a trace of the last {KEPT_S} s, got {trace_id}")
        return run

    async def of_task(self, task_id: str) -> list[str]:
        """Return the traces of a task, the first one first."""
        listed = await self._store.lrange(f"task_runs:{task_id}", 0, -1)
        return [each.decode() for each in listed]

    async def reset_span(self, trace_id: str, params: Mapping[str, Any]) -> str:
        """Take a step back to before it began; needs the snapshot of then."""
        run = await self.run_of(trace_id)
        step = _step(run, params)
        if not run.steps[step]["snapshot"]:
            raise Refused(f"no snapshot is kept of {step}: expected one before its state write")
        if run.steps[step]["state"] == "reset":
            return f"{step} was reset before"
        _set_state(run, step, "reset")
        _forget(run, step)
        await save_run(self._store, run)
        return f"{step} is as it was before it began"

    async def reinvoke(self, trace_id: str, params: Mapping[str, Any]) -> str:
        """Go on from a step that was reset: a new branch in the same trace."""
        run = await self.run_of(trace_id)
        step = _step(run, params)
        if run.steps[step]["state"] == "done" and run.steps[step]["recovery"]:
            return f"{step} was invoked again before"
        if run.steps[step]["state"] not in ("reset", "skipped"):
            state = run.steps[step]["state"]
            raise Refused(f"expected {step} to be reset or skipped first, it is {state}")
        return await self._resume(run, params)

    async def skip_step(self, trace_id: str, params: Mapping[str, Any]) -> str:
        """Do without a step, and go on with the next."""
        run = await self.run_of(trace_id)
        step = _step(run, params)
        if step == "TaskPreprocessor":
            raise Refused("expected a step that others can do without, got TaskPreprocessor")
        if run.steps[step]["state"] == "skipped":
            return f"{step} was skipped before"
        if run.steps[step]["state"] == "done":
            raise Refused(f"expected a step that is not done, {step} is")
        _set_state(run, step, "skipped")
        await save_run(self._store, run)
        return await self._resume(run, params)

    async def revert_state(self, trace_id: str, params: Mapping[str, Any]) -> str:
        """Put the task's context back to the snapshot of before a step."""
        run = await self.run_of(trace_id)
        step = _step(run, params)
        task_id = run.task["task_id"]
        text = await self._store.get(snapshot_key(task_id, step))
        if text is None:
            raise Refused(f"expected {snapshot_key(task_id, step)}, there is none")
        context = orjson.dumps(orjson.loads(text)["context"])
        key = context_key(task_id)
        if await self._store.get(key) == context:
            return f"{key} is as before {step} already"
        await self._store.set(key, context, ex=KEPT_S)
        return f"{key} is as it was before {step}"

    async def redispatch(self, trace_id: str, params: Mapping[str, Any]) -> str:
        """Send the task again as a new trace, once for each ``task_id`` and ``seq_no``."""
        run = await self.run_of(trace_id)
        return await self._again(run, {}, self._layout.entrance, params)

    async def rebuild_trace(self, trace_id: str, params: Mapping[str, Any]) -> str:
        """Run what is not finished as a new trace in the other region; reuse what is."""
        run = await self.run_of(trace_id)
        elsewhere = next(a for a in AGENTS if a.kind == "router" and a.region != run.region)
        address = f"http://127.0.0.1:{self._layout.agent_ports[elsewhere.name]}"
        return await self._again(run, run.outputs, address, params)

    async def mark_trace(self, trace_id: str, params: Mapping[str, Any]) -> str:
        """Write a tag on the record, and on a span of the trace."""
        run = await self.run_of(trace_id)
        tag = str(params.get("tag") or "")
        if not tag:
            raise Refused("expected `tag`, got none")
        if tag in run.marks:
            return f"{tag} was marked before"
        run.marks.append(tag)
        await save_run(self._store, run)
        _mark(run, tag, str(params.get("strategy", "")))
        return f"marked {tag}"

    async def _resume(self, run: Run, params: Mapping[str, Any]) -> str:
        router = next(a for a in AGENTS if a.kind == "router" and a.region == run.region)
        url = f"http://127.0.0.1:{self._layout.agent_ports[router.name]}/v1/resume"
        asked = {"trace_id": run.trace_id, "strategy": params.get("strategy")}
        try:
            reply = await self._client.post(url, json=asked)
        except httpx.TransportError as error:
            raise Refused(f"expected {router.name} to go on with the trace: {error!r}") from error
        if reply.is_error:
            raise Refused(f"the new branch failed: {reply.json().get('error')}")
        return "the new branch is done"

    async def _again(
        self, run: Run, finished: dict[str, Any], address: str, params: Mapping[str, Any]
    ) -> str:
        task = dict(run.task)
        age_s = time.time() - run.created_ms / 1000
        if age_s > task["ttl_s"]:
            raise Refused(f"expected a task of at most {task['ttl_s']:.0f} s, got {age_s:.0f} s")
        if task["attempts"] >= ATTEMPTS_MAX:
            raise Refused(f"expected fewer than {ATTEMPTS_MAX} attempts, got {task['attempts']}")
        if run.state == "running":
            raise Refused("expected a trace that has ended, it is running")
        if run.continued_as:
            return f"goes on as {run.continued_as[-1]} already"
        key = f"redispatched:{task['task_id']}:{task['seq_no']}"
        if not await self._store.set(key, run.trace_id, nx=True, ex=KEPT_S):
            raise Refused(f"{key} is taken: it was dispatched again before")
        task |= {
            "seq_no": task["seq_no"] + 1,
            "attempts": task["attempts"] + 1,
            "sent_ms": time.time() * 1000,
            "parent_trace_id": run.trace_id,
            "recovery_strategy": params.get("strategy") or "",
            "finished": finished,
        }
        sending = asyncio.create_task(self._send(address, task))
        self._under_way.add(sending)
        sending.add_done_callback(self._under_way.discard)
        new = await self._appeared(task["task_id"], run.trace_id, sending)
        if new is None:
            await self._store.delete(key)
            raise Refused(f"{address} did not take the task within {APPEARS_S} s")
        run.continued_as.append(new)
        await save_run(self._store, run)
        return f"goes on as {new}"

    async def _send(self, address: str, task: dict[str, Any]) -> None:
        """Post it; what comes of it is on record."""
        try:
            await self._client.post(f"{address}/v1/tasks", json=task)
        except httpx.TransportError:
            return

    async def _appeared(self, task_id: str, before: str, sending: asyncio.Task[None]) -> str | None:
        """Return the trace that a dispatch began, None where there is none in time."""
        for _ in range(int(APPEARS_S / 0.05)):
            traces = await self.of_task(task_id)
            if traces and traces[-1] != before:
                return traces[-1]
            if sending.done():
                traces = await self.of_task(task_id)
                return traces[-1] if traces[-1:] != [before] else None
            await asyncio.sleep(0.05)
        return None


def _step(run: Run, params: Mapping[str, Any]) -> str:
    """Return the step that is meant, of a module the step it is part of. Raises Refused."""
    named = str(params.get("step", ""))
    step = WITHIN.get(named, named)
    if step == "AgentRouter" or step not in run.steps:
        began = ", ".join(name for name in run.steps if name != "AgentRouter") or "none"
        raise Refused(f"expected `step`: one that began, of {began}; got {named!r}")
    return step


def _set_state(run: Run, step: str, state: str) -> None:
    """Set the state of a step, and of the modules within it."""
    for name, each in run.steps.items():
        if WITHIN.get(name, name) == step:
            each["state"] = state


def _forget(run: Run, step: str) -> None:
    """Drop what the step and all after it gave."""
    steps = list(run.steps)
    for later in steps[steps.index(step) :]:
        run.outputs.pop(later, None)


def _mark(run: Run, tag: str, strategy: str) -> None:
    """Say it in the trace: a span without duration beside its steps."""
    flags = TraceFlags(TraceFlags.SAMPLED)
    root = SpanContext(
        int(run.trace_id, 16), int(run.root_span_id, 16), is_remote=True, trace_flags=flags
    )
    said: dict[str, Any] = {"trace_tag": tag, "recovery_strategy": strategy}
    said |= {flag: True for flag in FLAGS if flag.startswith(tag)}
    trace.get_tracer("runtime-controller").start_span(
        "RecoveryMark",
        context=trace.set_span_in_context(NonRecordingSpan(root)),
        attributes={name: value for name, value in said.items() if value != ""},
    ).end()
