"""CallbackSender and WebhookDeliver: the customer is told, with retries."""

import asyncio
from typing import Any, Final

import orjson
from opentelemetry.trace import SpanKind

from examples.agent_platform.agents.worker import (
    StepError,
    Worker,
    failed,
    post,
    recovery_attributes,
    span_id,
)
from examples.agent_platform.runs import KEPT_S, snapshot_key

ATTEMPTS: Final = 3
BACKOFF_S: Final = 0.15
"""Before the second attempt; twice that before the third (chosen)."""


class Sender(Worker):
    """Delivers answers."""

    async def run(self, body: dict[str, Any]) -> dict[str, Any]:
        """Deliver; raises StepError after the last attempt. While degraded it parks answers."""
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
                span.set_attribute("fallback_applied", True)
                await self.store.rpush(f"callbacks_parked:{task['tenant']}", orjson.dumps(told))
                return {"output": {"parked": True}, "spans": spans}
            try:
                await self._deliver(task["callback_url"], told, spans)
            except StepError as error:
                failed(span, error.code, str(error))
                raise StepError(error.code, str(error), spans | error.spans) from error
        return {"output": {"delivered": True}, "spans": spans}

    async def _deliver(self, url: str, told: dict[str, Any], spans: dict[str, str]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            said: dict[str, Any] = {"webhook.url": url, "callback.attempt": attempt}
            with self.tracer.start_as_current_span(
                "WebhookDeliver", kind=SpanKind.PRODUCER, attributes=said
            ) as span:
                spans["WebhookDeliver"] = span_id(span)
                try:
                    await post(self.wire, url, told)
                except StepError as error:
                    failed(span, error.code, str(error))
                    if attempt == ATTEMPTS:
                        raise
                else:
                    return
            await asyncio.sleep(BACKOFF_S * 2 ** (attempt - 1))
