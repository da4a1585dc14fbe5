"""A small Runtime Controller that keeps the contract of its HTTP API, with a state to look into."""

import threading
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.repair.connectors.http_serving import Answer, Asked

TOKEN = "the-token-of-the-controller"
TRACE, LOST = "4bf92f3577b34da6", "aaaabbbbccccdddd"


def agent(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "class": kind,
        "region": "eu",
        "version": "1.4.0",
        "status": "running",
        "hot_restart": kind == "router",
        "running": 3,
        "generation": 1,
        "degraded_to": None,
        **more,
    }


def trace(trace_id: str) -> dict[str, Any]:
    def step(name: str, state: str, span_id: str | None) -> dict[str, Any]:
        return {
            "step": name,
            "module": name,
            "span_id": span_id,
            "state": state,
            "snapshot": True,
            "recovery": False,
        }

    return {
        "trace_id": trace_id,
        "task_id": "task-7",
        "seq_no": 1,
        "region": "eu",
        "state": "failed",
        "attempts": 1,
        "marks": [],
        "steps": [step("TaskPreprocessor", "done", "s1"), step("ModelExecutor", "failed", "s2")],
        "parent_trace_id": None,
        "continued_as": [],
    }


class Refused(Exception):  # noqa: N818 - reads as the answer it is
    pass


@dataclass
class RuntimeServer:
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)
    traces: dict[str, dict[str, Any]] = field(default_factory=dict)
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    given: list[dict[str, Any]] = field(default_factory=list)
    contexts: dict[str, int] = field(default_factory=lambda: {"planner": 5})
    log: list[tuple[str, str]] = field(default_factory=list)
    in_work: set[str] = field(default_factory=set)
    lies: bool = False
    """It says done and does nothing."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self):
        listed = (
            agent("router-eu", "router"),
            agent("analyst-eu-1", "analyst"),
            agent("analyst-eu-2", "analyst", status="degraded", degraded_to="rule_engine_v2"),
            agent("stubborn", "mule"),
            agent("meek", "mule"),
        )
        self.agents = {one["name"]: one for one in listed}
        self.traces = {name: trace(name) for name in (TRACE, LOST)}

    def state(self) -> object:
        return deepcopy((self.agents, self.traces, self.contexts, self.log))

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"error": f"no such token: {asked.headers.get('authorization')}"}
        with self.lock:
            match asked.method, asked.parts:
                case "GET", ("v1", "agents"):
                    return 200, list(self.agents.values())
                case "GET", ("v1", "traces", name):
                    return _found(self.traces, name)
                case "GET", ("v1", "commands", name):
                    return _found(self.commands, name)
                case "POST", ("v1", "commands"):
                    return self._command(asked.document)
        return 404, {"error": f"expected a path of the API, got {asked.parts}"}

    def _command(self, document: Mapping[str, Any]) -> Answer:
        self.given.append(dict(document))
        command_id = document["command_id"]
        if command_id in self.in_work:
            return 409, {"error": f"{command_id} is in work"}
        if command_id not in self.commands:
            steps: list[dict[str, Any]] = []
            state = "done"
            for action in document["actions"]:
                step = {"action": action["action"], "target": action["target"], "detail": ""}
                if state == "failed":
                    steps.append({**step, "state": "not_run"})
                    continue
                try:
                    if not self.lies:
                        self.act(action["action"], action["target"], action["params"])
                except Refused as error:
                    state = "failed"
                    step["detail"] = str(error)
                steps.append({**step, "state": state})
            self.commands[command_id] = {"command_id": command_id, "state": state, "steps": steps}
        return 200, self.commands[command_id]

    def act(self, action: str, target: str, params: Mapping[str, Any]) -> None:
        if target in self.agents:
            self._on_agent(self.agents[target], action, params)
        elif target in self.traces:
            self._on_trace(self.traces[target], action, params)
        elif action == "reset_model_context":
            self.contexts[target] = 0
        elif action in {"log_recovery", "notify"}:
            self.log.append((action, target))
        else:
            raise Refused(f"expected an agent or trace, got {target}")

    def _on_agent(self, known: dict[str, Any], action: str, params: Mapping[str, Any]) -> None:
        if known["name"] == "stubborn":
            raise Refused("it does not move")
        if action == "restart":
            known["generation"] += 1
            known["running"] = 0
            return
        status = {"degrade": "degraded", "disable": "disabled", "enable": "running"}.get(action)
        if status is None:
            self.log.append((action, known["name"]))
            return
        known["status"] = status
        known["degraded_to"] = params.get("to")

    def _on_trace(self, known: dict[str, Any], action: str, params: Mapping[str, Any]) -> None:
        steps = {one["step"]: one for one in known["steps"]}
        step = steps.get(params.get("step", ""), {})
        match action:
            case "reset_span" | "skip_step":
                step["state"] = "reset" if action == "reset_span" else "skipped"
            case "reinvoke":
                step |= {"state": "done", "span_id": f"{step['span_id']}'", "recovery": True}
            case "redispatch" | "rebuild_trace":
                if not known["continued_as"]:
                    known["continued_as"].append(f"{known['trace_id']}-again")
            case "mark_trace":
                known["marks"].append(params["tag"])
            case _:
                self.log.append((action, known["trace_id"]))


def _found(known: Mapping[str, Any], name: str) -> Answer:
    if name in known:
        return 200, known[name]
    return 404, {"error": f"expected one on record, got {name}"}
