"""The world outside: sends tasks through the load balancer, and takes callbacks."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.agent_platform.agents.worker import json_response
from examples.agent_platform.layout import Layout
from examples.agent_platform.serving import serve
from examples.agent_platform.topology import DOMAINS, KINDS, REFRESH, TENANTS, needs_of
from examples.agent_platform.wire import CallFailed, Wire

REFRESHING: Final = 0.03
"""Share of tasks that refresh a catalogue (chosen)."""
HOOK_FAILING: Final = 0.002
REMEMBERED: Final = 20_000
"""Answers that figures are made of (chosen)."""
UNDER_WAY_S: Final = 12.0
"""So many seconds' tasks may wait for an answer; who comes then holds back, or a platform that fell
behind would never catch up (chosen: more than a hanging model takes)."""
TTL_S: Final = 300.0
"""A task is not worth doing after so long (chosen)."""


@dataclass(kw_only=True)
class Sent:
    """A task that was sent, and what became of it."""

    at: float
    """Seconds of the epoch."""
    took_s: float | None = None
    well: bool = False
    called_back: bool = False


class Customers:
    """Load, and what became of it."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._conditions = layout.conditions
        self._random = Random(f"{layout.seed}/customers")  # noqa: S311 - reproducible, no secret
        self._wire = Wire(traced=False)
        self._sent = 0
        self._held_back = 0
        self._tasks: dict[str, Sent] = {}

    def app(self) -> Starlette:
        """Return what it answers to."""
        return Starlette(
            routes=[
                Route("/healthz", self._health),
                Route("/hooks/{tenant}", self._hook, methods=["POST"]),
                Route("/figures", self._figures),
            ]
        )

    async def send_tasks(self) -> None:
        """Send tasks at the rate, at random times, for ever."""
        due = time.monotonic()
        under_way: set[asyncio.Task[None]] = set()
        while True:
            due += self._random.expovariate(self._layout.rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if len(under_way) >= UNDER_WAY_S * self._layout.rate:
                self._held_back += 1
                continue
            sending = asyncio.create_task(self._send(self._next_task()))
            under_way.add(sending)
            sending.add_done_callback(under_way.discard)

    def _next_task(self) -> dict[str, Any]:
        self._sent += 1
        random = self._random
        tenant = random.choice(TENANTS)
        task: dict[str, Any] = {
            "task_id": f"task-{self._layout.seed}-{self._sent}",
            "seq_no": 0,
            "tenant": tenant,
            "numbers": [random.randint(1, 900) for _ in range(8)],
            "callback_url": f"{self._layout.hooks}/hooks/{tenant}",
            "attempts": 1,
            "ttl_s": TTL_S,
        }
        if random.random() < REFRESHING:
            return {**task, "kind": REFRESH, "key": f"catalog:{random.choice(DOMAINS)}"}
        kind = random.choice(KINDS)
        needs = needs_of(kind, tenant, random)
        asked = {"executor": needs.executor, "model": needs.model, "reads": needs.reads}
        return {**task, "kind": kind, "needs": asked}

    async def _send(self, task: dict[str, Any]) -> None:
        sent = Sent(at=time.time())
        if task["kind"] != REFRESH:
            self._tasks[task["task_id"]] = sent
            if len(self._tasks) > REMEMBERED:
                del self._tasks[next(iter(self._tasks))]
        task["sent_ms"] = sent.at * 1000
        try:
            answer = await self._wire.post(f"{self._layout.entrance}/v1/tasks", task)
            sent.well = answer.status < 400
        except CallFailed:
            sent.well = False
        sent.took_s = time.time() - sent.at

    async def _hook(self, request: Request) -> Response:
        rule = self._conditions.at("webhook", tenant=request.path_params["tenant"])
        share = rule["share"] if rule else HOOK_FAILING
        document = await request.json()
        if self._random.random() < share:
            return json_response({"error": "out of service", "code": "http 503"}, 503)
        told = self._tasks.get(document["task_id"])
        if told:
            told.called_back = True
        return json_response({})

    async def _health(self, _request: Request) -> Response:
        return json_response({"sent": self._sent, "held_back": self._held_back})

    async def _figures(self, request: Request) -> Response:
        """Answer with figures of tasks sent ``from`` until ``to``, epoch seconds."""
        since = float(request.query_params.get("from", 0))
        until = float(request.query_params.get("to", time.time()))
        return json_response(
            figures(sent for sent in self._tasks.values() if since <= sent.at < until)
        )


def figures(tasks: Iterable[Sent]) -> dict[str, Any]:
    """Return P95 of the time in seconds, the share that failed, the share called back."""
    answered = [task for task in tasks if task.took_s is not None]
    if not answered:
        return {"tasks": 0}
    took = sorted(task.took_s or 0.0 for task in answered)
    return {
        "tasks": len(took),
        "p95_s": round(took[min(len(took) - 1, int(0.95 * len(took)))], 3),
        "failure_rate": round(sum(not task.well for task in answered) / len(took), 4),
        "callback_rate": round(sum(task.called_back for task in answered) / len(took), 4),
    }


def main(folder: str, parent: str) -> None:
    """Be the customers of the platform in a folder."""
    layout = Layout.load(Path(folder))
    customers = Customers(layout)
    port = int(layout.hooks.rpartition(":")[2])
    asyncio.run(
        serve(customers.app(), port=port, parent=int(parent), beside=(customers.send_tasks(),))
    )
