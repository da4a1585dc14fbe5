"""What a Runtime Controller can do, as one table: what is read before, and what proves it done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from graphmind.repair.connectors.calls import params_schema
from graphmind.repair.model import Json, Level

Subject = Literal["agent", "trace", "none"]
"""What an action is about; ``none``: of its target nothing can be read."""


class Agent(msgspec.Struct, frozen=True):
    """An agent as the controller states it."""

    name: str
    status: str
    generation: int
    kind: str = msgspec.field(name="class", default="")
    hot_restart: bool = False
    running: int | None = None
    degraded_to: str | None = None


class TraceStep(msgspec.Struct, frozen=True):
    """One step of a trace."""

    step: str
    state: str
    module: str = ""
    span_id: str | None = None
    snapshot: bool = False
    recovery: bool = False


class Trace(msgspec.Struct, frozen=True):
    """A trace as the controller states it."""

    trace_id: str
    state: str
    task_id: str | None = None
    attempts: int = 0
    marks: tuple[str, ...] = ()
    steps: tuple[TraceStep, ...] = ()
    continued_as: tuple[str, ...] = ()


Read = dict[str, Any]
"""What is read of one agent, or of one trace, for one action."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One action: its parameters, what it reads, and how to see that it was done."""

    level: Level
    about: Subject
    params: Json
    reads: Callable[[Any, Json], Read]
    """Of an Agent or Trace, and the parameters; for a trace ``step`` is already looked up."""
    done: Callable[[Read, Read, Json], bool]
    """Whether what is read now is what the call makes of what was read before."""
    by_state: bool
    """The state alone proves it; else the controller must know the command too."""
    exact: bool = False
    """It can be brought back exactly."""
    leaves: str = ""
    """What undoing does not bring back."""

    def same(self, before: Read, now: Read) -> bool:
        """Whether nothing that counts has changed."""
        return all(now.get(name) == before.get(name) for name in _guarded(before))


def _guarded(before: Read) -> list[str]:
    """Name what must be as before: of an agent that restarts its generation alone."""
    return ["generation"] if "generation" in before else list(before)


_TEXT: Final = {"type": "string", "minLength": 1}
_TRACES: Final = {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True}
_SAID: Final = params_schema(message=_TEXT, scope=_TEXT, strategy=_TEXT, traces=_TRACES)
_STATUS: Final = {
    "type": "object",
    "properties": {"status": _TEXT, "to": {"type": ["string", "null"]}},
    "required": ["status", "to"],
    "additionalProperties": False,
}
_AGENTS: Final = {"type": "object", "additionalProperties": _STATUS, "minProperties": 1}


def _on_trace(required: tuple[str, ...] = (), **more: Any) -> Json:
    """Return parameters of an action on traces: ``traces`` stand for a target that names many."""
    return params_schema(required, **more, traces=_TRACES, strategy=_TEXT)


def status_of(agent: Agent) -> Read:
    """Return whether and how an agent works; a disabled one works with nothing."""
    return {
        "status": agent.status,
        "to": agent.degraded_to if agent.status == "degraded" else None,
    }


def wanted_status(action: str, params: Json) -> Read:
    """Return the status that ``degrade``, ``disable`` or ``enable`` gives."""
    match action:
        case "degrade":
            return {"status": "degraded", "to": params["to"]}
        case "disable":
            return {"status": "disabled", "to": None}
        case _:
            return {"status": "running", "to": None}


def _status(action: str, params: Json) -> Way:
    return Way(
        level="agent",
        about="agent",
        params=params,
        reads=lambda agent, _: status_of(agent),
        done=lambda _, now, given: now == wanted_status(action, given),
        by_state=True,
        exact=True,
    )


def step_of(trace: Trace, name: str) -> TraceStep | None:
    """Return a step by its own name, else by that of its module."""
    by_name = (step for step in trace.steps if step.step == name)
    by_module = (step for step in trace.steps if step.module == name)
    return next(by_name, None) or next(by_module, None)


def _step(trace: Trace, params: Json) -> TraceStep:
    found = step_of(trace, params["step"])
    assert found, "a step is looked up before it is read"
    return found


def _step_state(wanted: str, leaves: str) -> Way:
    return Way(
        level="trace",
        about="trace",
        params=_on_trace(("step",), step=_TEXT),
        reads=lambda trace, params: {"state": _step(trace, params).state},
        done=lambda _, now, __: now["state"] == wanted,
        by_state=True,
        leaves=leaves,
    )


def _continued(leaves: str) -> Way:
    return Way(
        level="trace",
        about="trace",
        params=_on_trace(),
        reads=lambda trace, _: {"continued_as": list(trace.continued_as)},
        # A trace that went on before goes on once: the controller takes that for done.
        done=lambda _, now, __: bool(now["continued_as"]),
        by_state=False,
        leaves=leaves,
    )


def _told(level: Level, params: Json, leaves: str) -> Way:
    """Return an action of which nothing can be read: the controller's word counts."""
    return Way(
        level=level,
        about="none",
        params=params,
        reads=lambda _, __: {},
        done=lambda _, __, ___: True,
        by_state=False,
        leaves=leaves,
    )


RESTORE: Final = "restore_agents"
"""Brings agents back to how they worked; it undoes the others."""
UNSKIP: Final = "reset_span"
"""Undoes that a step is skipped."""

WAYS: Final[Mapping[str, Way]] = {
    "restart": Way(
        level="agent",
        about="agent",
        params=params_schema(),
        reads=lambda agent, _: {"generation": agent.generation, **status_of(agent)},
        done=lambda before, now, _: now["generation"] > before["generation"],
        by_state=False,
        leaves="tasks that were in work in the agent, and what it held in memory, are lost",
    ),
    "degrade": _status("degrade", params_schema(["to"], to=_TEXT)),
    "disable": _status("disable", params_schema()),
    "enable": _status("enable", params_schema()),
    RESTORE: Way(
        level="agent",
        about="agent",
        params=params_schema(["agents"], agents=_AGENTS, made=_AGENTS),
        reads=lambda agent, _: {"name": agent.name, **status_of(agent)},
        done=lambda _, now, given: (
            given["agents"].get(now["name"])
            == {
                "status": now["status"],
                "to": now["to"],
            }
        ),
        by_state=True,
        exact=True,
    ),
    "reset_model_context": _told("model", params_schema(), "contexts that were dropped stay so"),
    "reset_span": _step_state("reset", "the step stays reset until it is invoked again"),
    "reinvoke": Way(
        level="trace",
        about="trace",
        params=_on_trace(("step",), step=_TEXT),
        reads=lambda trace, params: {
            "span_id": _step(trace, params).span_id,
            "recovery": _step(trace, params).recovery,
        },
        done=lambda before, now, _: now != before or bool(now["recovery"]),
        by_state=False,
        leaves="the new branch stays",
    ),
    "skip_step": _step_state("skipped", "the step is reset instead, and what ran after it stays"),
    "revert_state": Way(
        level="trace",
        about="trace",
        params=_on_trace(("step",), step=_TEXT),
        reads=lambda trace, params: {"snapshot": _step(trace, params).snapshot},
        done=lambda _, __, ___: True,
        by_state=False,
        leaves="the state that the snapshot replaces is not kept; a state store's own "
        "revert_state keeps it",
    ),
    "redispatch": _continued("the new trace stays, and what it answers is delivered"),
    "rebuild_trace": _continued("the new trace stays, and what it answers is delivered"),
    "mark_trace": Way(
        level="trace",
        about="trace",
        params=_on_trace(("tag",), tag=_TEXT),
        reads=lambda trace, params: {"marked": params["tag"] in trace.marks},
        done=lambda _, now, __: bool(now["marked"]),
        by_state=True,
        leaves="the mark stays",
    ),
    "log_recovery": _told("trace", _SAID, "the line of log stays"),
    "notify": _told("trace", _SAID, "who was told was told"),
}
