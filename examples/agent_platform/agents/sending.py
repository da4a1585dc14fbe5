"""CallbackSender and WebhookDeliver: the customer is told, with retries."""

import asyncio
import time
from typing import Any, Final

import orjson
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from examples.agent_platform.agents.worker import (
    StepError,
    Worker,
    failed,
    post,
    recovery_attributes,
    span_id,
)
from examples.agent_platform.layout import Layout
from examples.agent_platform.runs import KEPT_S, snapshot_key
from examples.agent_platform.topology import Agent

ATTEMPTS: Final = 3
LEFT_S: Final = 15.0
"""While degraded, an address that failed is not tried for so long (chosen)."""
BACKOFF_S: Final = 0.15
"""Before the second attempt; twice that before the third (chosen)."""


class Sender(Worker):
    """Delivers answers."""

    def __init__(self, layout: Layout, agent: Agent, generation: int) -> None:
        super().__init__(layout, agent, generation)
        self._left_until: dict[str, float] = {}
        """Addresses that failed while degraded, with when to try again; monotonic."""

    async def run(self, body: dict[str, Any]) -> dict[str, Any]:
        """Deliver; raises StepError after the last attempt.

        While degraded it tries once, and parks what is not taken.
        """
        task = body["task"]
        with self.tracer.start_as_current_span(
            "CallbackSender", attributes=recovery_attributes(body)
        ) as span:
            spans = {"CallbackSender": span_id(span)}
            answer = body["outputs"].get("ModelExecutor", {}).get("answer")
            told = {"task_id": task["task_id"], "seq_no": task["seq_no"], "answer": answer}
            state = {"context": told, "vectorized_input": None, "model_version": None}
            key = snapshot_key(task["task_id"], "CallbackSender")
            await self.store.set(key, orjson.dumps(state), ex=KEPT_S)
            if self.degraded_to:
                return {"output": await self._try_once(span, task, told, spans), "spans": spans}
            try:
                await self._deliver(task["callback_url"], told, spans)
            except StepError as error:
                failed(span, error.code, str(error))
                raise StepError(error.code, str(error), spans | error.spans) from error
        return {"output": {"delivered": True}, "spans": spans}

    async def _try_once(
        self, span: Span, task: dict[str, Any], told: dict[str, Any], spans: dict[str, str]
    ) -> dict[str, Any]:
        """Deliver, or park what is not taken at once; an address that fails is left in peace."""
        url = task["callback_url"]
        if time.monotonic() > self._left_until.get(url, 0.0):
            try:
                await self._deliver(url, told, spans, attempts=1)
            except StepError:
                self._left_until[url] = time.monotonic() + LEFT_S
                # What follows is as good as a delivery: the failed try below is handled.
                span.set_status(Status(StatusCode.OK))
            else:
                return {"delivered": True}
        span.set_attribute("fallback_applied", True)
        await self.store.rpush(f"callbacks_parked:{task['tenant']}", orjson.dumps(told))
        return {"parked": True}

    async def _deliver(
        self, url: str, told: dict[str, Any], spans: dict[str, str], attempts: int = ATTEMPTS
    ) -> None:
        for attempt in range(1, attempts + 1):
            said: dict[str, Any] = {"webhook.url": url, "callback.attempt": attempt}
            with self.tracer.start_as_current_span(
                "WebhookDeliver", kind=SpanKind.PRODUCER, attributes=said
            ) as span:
                spans["WebhookDeliver"] = span_id(span)
                try:
                    await post(self.wire, url, told)
                except StepError as error:
                    failed(span, error.code, str(error))
                    if attempt == attempts:
                        raise
                else:
                    return
            await asyncio.sleep(BACKOFF_S * 2 ** (attempt - 1))
