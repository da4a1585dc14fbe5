"""TaskPreprocessor and Vectorizer: a task becomes numbers and a context."""

import asyncio
from typing import Any

import orjson

from examples.agent_platform.agents.worker import (
    StepError,
    Worker,
    failed,
    recovery_attributes,
    span_id,
)
from examples.agent_platform.runs import KEPT_S, context_key, snapshot_key


class Intake(Worker):
    """Checks a task and writes its context."""

    async def run(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the vector and the context; raises StepError for a task that is no task."""
        task = body["task"]
        with self.tracer.start_as_current_span(
            "TaskPreprocessor", attributes=recovery_attributes(body)
        ) as span:
            spans = {"TaskPreprocessor": span_id(span)}
            before: dict[str, Any] = {
                "context": {},
                "vectorized_input": None,
                "model_version": None,
            }
            snapshot = snapshot_key(task["task_id"], "TaskPreprocessor")
            await self.store.set(snapshot, orjson.dumps(before), ex=KEPT_S)
            await asyncio.sleep(self.random.uniform(0.01, 0.03))
            if self.conditions.at("input", task=task["kind"]) and self.random.random() < 0.85:
                failed(span, "SchemaViolation", "field `numbers`: expected a list, got null")
                raise StepError("SchemaViolation", "a task without numbers", spans)
            embedder = f"embedder-{self.agent.region}"
            try:
                said = await self.call(embedder, {"numbers": task["numbers"]})
            except StepError as error:
                failed(span, error.code, str(error))
                raise StepError(error.code, str(error), spans | error.spans) from error
            context = {"task_id": task["task_id"], "kind": task["kind"], "turn": 1}
            key = context_key(task["task_id"])
            await self.store.set(key, orjson.dumps(context), ex=KEPT_S)
        output = {"vector": said["output"]["vector"], "context": context}
        return {"output": output, "spans": spans | said["spans"]}


class Embedder(Worker):
    """Makes a vector of a task."""

    async def run(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the vector."""
        with self.tracer.start_as_current_span("Vectorizer") as span:
            await asyncio.sleep(self.random.uniform(0.015, 0.04))
            vector = [number / 100 for number in body["numbers"]]
            return {"output": {"vector": vector}, "spans": {"Vectorizer": span_id(span)}}
