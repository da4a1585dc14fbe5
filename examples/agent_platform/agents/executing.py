"""ModelExecutor and LLMAdapter: a context and a model make the answer; its quality is measured."""

import asyncio
from typing import Any, Final

import orjson
from opentelemetry.trace import Span, SpanKind

from examples.agent_platform.agents.worker import (
    StepError,
    Worker,
    failed,
    post,
    recovery_attributes,
    span_id,
)
from examples.agent_platform.runs import KEPT_S, context_key, snapshot_key
from examples.agent_platform.topology import RULE_ENGINE

RULES_S: Final = 0.05
"""What the rule engine takes (chosen)."""


class Executor(Worker):
    """Analysts, writers and reviewers."""

    async def run(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer; raises StepError."""
        with self.tracer.start_as_current_span(
            "ModelExecutor", attributes=recovery_attributes(body)
        ) as span:
            spans = {"ModelExecutor": span_id(span)}
            try:
                output = await self._answer(span, body, spans)
            except StepError as error:
                failed(span, error.code, str(error))
                raise StepError(error.code, str(error), spans | error.spans) from error
        return {"output": output, "spans": spans}

    async def _answer(
        self, span: Span, body: dict[str, Any], spans: dict[str, str]
    ) -> dict[str, Any]:
        task, prepared = body["task"], body["outputs"]["TaskPreprocessor"]
        await self.drift()
        context = await self._context(task)
        model = task["needs"]["model"]
        snapshot = {
            "context": context,
            "vectorized_input": prepared["vector"],
            "model_version": model,
        }
        key = snapshot_key(task["task_id"], "ModelExecutor")
        await self.store.set(key, orjson.dumps(snapshot), ex=KEPT_S)
        factor = await self._factor(task["needs"]["reads"])
        written = {**context, "turn": context.get("turn", 0) + 1, "factor": factor}
        await self.store.set(context_key(task["task_id"]), orjson.dumps(written), ex=KEPT_S)
        said = await self._ask(model, prepared["vector"], factor, spans)
        _evaluate(span, said, expected=factor * sum(prepared["vector"]))
        return said

    async def _context(self, task: dict[str, Any]) -> dict[str, Any]:
        text = await self.store.get(context_key(task["task_id"]))
        return orjson.loads(text) if text else {"task_id": task["task_id"], "turn": 1}

    async def _factor(self, keys: list[str]) -> float:
        """Read what the task needs to know; a key that is not there has its default."""
        factor = 1.0
        for key in keys:
            text = await self.store.get(key)
            value = orjson.loads(text).get("factor") if text else 1
            if not isinstance(value, int | float):
                raise StepError(
                    "ContextDecodeError", f"field `factor`: expected a number, got {value!r}"
                )
            factor *= value
        return factor

    async def _ask(
        self, model: str, vector: list[float], factor: float, spans: dict[str, str]
    ) -> dict[str, Any]:
        instead = self.degraded_to
        with self.tracer.start_as_current_span("LLMAdapter", kind=SpanKind.CLIENT) as span:
            spans["LLMAdapter"] = span_id(span)
            if instead:
                span.set_attribute("fallback_applied", True)
            if instead == RULE_ENGINE:
                span.set_attribute("gen_ai.request.model", RULE_ENGINE)
                await asyncio.sleep(RULES_S)
                return {"answer": factor * sum(vector), "version": RULE_ENGINE}
            name, _, version = (instead or model).partition("@")
            span.set_attribute("gen_ai.request.model", name)
            asked = {"model": name, "version": version, "vector": vector, "factor": factor}
            asked["region"] = self.agent.region
            try:
                said = await post(self.wire, f"{self.layout.gateway}/v1/infer", asked)
            except StepError as error:
                failed(span, error.code, str(error))
                raise
            spans.update(said.pop("spans"))
            span.set_attribute("gen_ai.response.model", said["model"])
            span.set_attribute("gen_ai.response.model.version", said["version"])
            return said


def _evaluate(span: Span, said: dict[str, Any], expected: float) -> None:
    """Compare the answer with what it should be: the evaluator that a platform runs online."""
    off = abs(said["answer"] - expected) / max(abs(expected), 1.0)
    span.set_attribute("gen_ai.evaluation.score.value", round(max(0.0, 1.0 - off), 3))
    span.set_attribute("gen_ai.evaluation.score.label", "pass" if off < 0.05 else "fail")
