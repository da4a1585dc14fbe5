"""StateKeeper: writes the values that other agents read."""

import asyncio
from typing import Any

import orjson

from examples.agent_platform.agents.worker import Worker, recovery_attributes, span_id
from examples.agent_platform.runs import KEPT_S, snapshot_key
from examples.agent_platform.topology import shared_keys


class Keeper(Worker):
    """Refreshes a shared key."""

    async def run(self, body: dict[str, Any]) -> dict[str, Any]:
        """Write the key of the task anew."""
        task = body["task"]
        key = task["key"]
        with self.tracer.start_as_current_span(
            "StateKeeper", attributes=recovery_attributes(body)
        ) as span:
            await asyncio.sleep(self.random.uniform(0.01, 0.03))
            before = {"context": await self._value(key), "vectorized_input": None}
            value = shared_keys()[key]
            if self.conditions.at("keeper", agent=self.agent.name, key=key):
                value = {**value, "factor": "?"}
            pipeline = self.store.pipeline(transaction=False)
            snapshot = snapshot_key(task["task_id"], "StateKeeper")
            pipeline.set(snapshot, orjson.dumps({**before, "model_version": None}), ex=KEPT_S)
            pipeline.set(key, orjson.dumps(value))
            await pipeline.execute()
        return {"output": {"key": key}, "spans": {"StateKeeper": span_id(span)}}

    async def _value(self, key: str) -> Any:
        text = await self.store.get(key)
        return orjson.loads(text) if text else None
