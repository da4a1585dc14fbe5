"""The contexts of a model, dropped from the snapshots of tasks."""

from typing import Any

import orjson

from examples.agent_platform.controller import commands
from examples.agent_platform.controller.commands import Commands
from tests.platform.test_standin_redis import ask

RESET = {
    "command_id": "c1",
    "actions": [{"action": "reset_model_context", "target": "planner@3", "params": {}}],
}


class Idle:
    """Agents and traces that are not acted on."""

    def __getattr__(self, name: str) -> Any:
        return None


def test_a_models_contexts_are_dropped_however_many_tasks_there_are():
    many = 2 * commands.AT_ONCE + 7

    idle: Any = Idle()

    async def questions(client):
        for number in range(many):
            model = "planner" if number % 3 else "writer"
            snapshot = {"model_version": model, "context": {"model_context": "c", "n": number}}
            name = f"agent_state_snapshot:t{number}:ModelExecutor"
            await client.set(name, orjson.dumps(snapshot), ex=600)
        done = await Commands(idle, idle, client).run(RESET)
        names = [f"agent_state_snapshot:t{number}:ModelExecutor" for number in range(many)]
        kept = [orjson.loads(each) for each in await client.mget(*names)]
        return done, kept, await client.ttl(names[1])

    done, kept, ttl_s = ask(questions)

    planner = sum(each["model_version"] == "planner" for each in kept)
    assert done["steps"][0]["detail"] == f"context of {planner} tasks reset"
    assert all(
        each["context"]
        == {"model_context": None if each["model_version"] == "planner" else "c", "n": n}
        for n, each in enumerate(kept)
    )
    assert 0 < ttl_s <= 600
