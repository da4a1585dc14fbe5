"""Commands of the controller: their actions in order, once for each id, one line of log a step."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from examples.agent_platform.controller.agents import Agents, Refused
from examples.agent_platform.controller.traces import Traces
from examples.agent_platform.runs import KEPT_S
from examples.agent_platform.topology import MODELS, RULE_ENGINE

_LOG = logging.getLogger(__name__)

Action = Callable[[str, Mapping[str, Any]], Awaitable[str]]
TRACE_ACTIONS: Final = (
    *("reset_span", "reinvoke", "skip_step", "revert_state"),
    *("redispatch", "rebuild_trace", "mark_trace"),
)

AT_ONCE: Final = 500
"""Snapshots read in one exchange with the state store (chosen)."""


class InWork(Exception):  # noqa: N818 - reads as the answer it is
    """The command was given before and is not done yet."""


class Commands:
    """Runs commands and remembers what came of them."""

    def __init__(self, agents: Agents, traces: Traces, store: Any) -> None:
        self._agents, self._store = agents, store
        self._in_work: set[str] = set()
        self._actions: dict[str, Action] = {
            "restart": self._each(agents.restart),
            "degrade": self._degrade,
            "disable": self._each(_later(agents.disable)),
            "enable": self._each(_later(agents.enable)),
            "reset_model_context": self._reset_model_context,
            "log_recovery": _only_logged,
            "notify": _only_logged,
            **{name: getattr(traces, name) for name in TRACE_ACTIONS},
        }

    async def known(self, command_id: str) -> dict[str, Any] | None:
        """Return what came of a command, None for one that was never given."""
        text = await self._store.get(f"controller_command:{command_id}")
        return orjson.loads(text) if text else None

    async def run(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Run a command, or return what came of it before. Raises Refused, InWork."""
        wrong = _wrong(document, self._actions)
        if wrong:
            raise Refused(wrong)
        command_id = document["command_id"]
        if command_id in self._in_work:
            raise InWork(f"{command_id} is in work")
        self._in_work.add(command_id)
        try:
            before = await self.known(command_id)
            if before is not None:
                return before
            done = {"command_id": command_id, **await self._run(document)}
            await self._store.set(f"controller_command:{command_id}", orjson.dumps(done), ex=KEPT_S)
            return done
        finally:
            self._in_work.discard(command_id)

    async def _run(self, document: Mapping[str, Any]) -> dict[str, Any]:
        steps = []
        failed = False
        for action in document["actions"]:
            name, target = action["action"], action["target"]
            step = {"action": name, "target": target, "state": "not_run", "detail": ""}
            steps.append(step)
            if failed:
                continue
            try:
                step["detail"] = await self._actions[name](target, action.get("params") or {})
                step["state"] = "done"
            except Refused as error:
                step |= {"state": "failed", "detail": str(error)}
                failed = True
            _LOG.info(
                "command=%s task=%s trace_id=%s action=%s target=%s state=%s detail=%r",
                *(document["command_id"], document.get("task"), document.get("trace_id")),
                *(name, target, step["state"], step["detail"]),
            )
        return {"state": "failed" if failed else "done", "steps": steps}

    def _each(self, action: Callable[[str], Awaitable[str]]) -> Action:
        async def on_all(target: str, _params: Mapping[str, Any]) -> str:
            names = self._agents.meant_by(target)
            details = await asyncio.gather(*(action(name) for name in names))
            return "; ".join(f"{name}: {said}" for name, said in zip(names, details, strict=True))

        return on_all

    async def _degrade(self, target: str, params: Mapping[str, Any]) -> str:
        to = str(params.get("to") or RULE_ENGINE)
        names = self._agents.meant_by(target)
        return "; ".join(f"{name}: {self._agents.degrade(name, to)}" for name in names)

    async def _reset_model_context(self, target: str, _params: Mapping[str, Any]) -> str:
        """Drop contexts of tasks that wait for a model: they are made anew when they go on."""
        model = target.partition("@")[0]
        if model not in MODELS:
            raise Refused(f"expected one of {', '.join(MODELS)}, got {target}")
        every = "agent_state_snapshot:*:ModelExecutor"
        keys = [key async for key in self._store.scan_iter(match=every, count=AT_ONCE)]
        dropped = 0
        for first in range(0, len(keys), AT_ONCE):
            dropped += await self._without_context(keys[first : first + AT_ONCE], model)
        return f"context of {dropped} tasks reset"

    async def _without_context(self, keys: Sequence[bytes], model: str) -> int:
        """Drop the contexts of a model from some snapshots; return of how many."""
        reading = self._store.pipeline(transaction=False)
        for key in keys:
            reading.get(key)
        writing, dropped = self._store.pipeline(transaction=False), 0
        for key, text in zip(keys, await reading.execute(), strict=True):
            snapshot = orjson.loads(text) if text else {}
            if snapshot.get("model_version") == model and snapshot.get("context"):
                snapshot["context"] = {**snapshot["context"], "model_context": None}
                writing.set(key, orjson.dumps(snapshot), keepttl=True)
                dropped += 1
        if dropped:
            await writing.execute()
        return dropped


def _later(action: Callable[[str], str]) -> Callable[[str], Awaitable[str]]:
    async def awaited(name: str) -> str:
        return action(name)

    return awaited


async def _only_logged(_target: str, params: Mapping[str, Any]) -> str:
    return str(params.get("message", "logged"))


def _wrong(document: Mapping[str, Any], known: Mapping[str, Action]) -> str:
    """Return what is wrong with a command, empty where nothing is."""
    if not isinstance(document.get("command_id"), str) or not document["command_id"]:
        return f"expected `command_id`, a text; got {document.get('command_id')!r}"
    actions = document.get("actions")
    if not isinstance(actions, list) or not actions:
        return f"expected `actions`, a list of at least one; got {actions!r}"
    for action in actions:
        if not isinstance(action, dict) or not isinstance(action.get("target"), str):
            return f"expected an action with its `action` and `target`, got {action!r}"
        if action.get("action") not in known:
            said = ", ".join(sorted(known))
            return f"expected an action of {said}; got {action.get('action')!r}"
    return ""
