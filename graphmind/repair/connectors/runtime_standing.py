"""How far a call of the Runtime Controller is: its commands, what was read, and both in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from graphmind.repair.connector import Effect
from graphmind.repair.connectors.runtime_actions import Agent, Read, Way
from graphmind.repair.model import Call, Json


class StepDone(msgspec.Struct, frozen=True):
    """What came of one action of a command."""

    state: str
    detail: str = ""


class Command(msgspec.Struct, frozen=True):
    """What came of a command."""

    state: Literal["done", "failed", "running"]
    steps: tuple[StepDone, ...] = ()

    @property
    def detail(self) -> str:
        """What the steps answered, the failed one first."""
        failed = [step.detail for step in self.steps if step.state == "failed"]
        return "; ".join(failed or [step.detail for step in self.steps if step.detail])


@dataclass(frozen=True, kw_only=True)
class Given:
    """The commands of one key."""

    last: Command | None
    next_id: str
    """Under which the next is given: a command that failed is not run again under its own."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far one agent or trace is."""

    name: str
    effect: Effect
    now: Read
    command: Command | None
    next_id: str


def judged(
    name: str,
    way: Way,
    *,
    params: Json,
    before: Read | None,
    now: Read | None,
    given: Given,
) -> Standing:
    """Say whether a call took effect on one agent or trace."""
    command = given.last
    was_done = command is not None and command.state == "done"
    if before is None or now is None:
        effect = Effect.OTHER
    elif way.done(before, now, params) and (way.by_state or was_done):
        effect = Effect.APPLIED
    elif way.same(before, now):
        effect = Effect.NOT_APPLIED
    else:
        effect = Effect.OTHER
    return Standing(name=name, effect=effect, now=now or {}, command=command, next_id=given.next_id)


def of_many(standing: list[Standing]) -> list[Standing]:
    """Leave out those of many traces that went on by themselves: they stop no others."""
    return [one for one in standing if one.effect is not Effect.OTHER] or standing


def enough(call: Call, standing: Sequence[Standing]) -> bool:
    """Whether of many traces some are done, and the controller had its say on all others."""
    left = [one for one in standing if one.effect is Effect.NOT_APPLIED]
    said = all(one.command is not None for one in left)
    return "traces" in call.params and said and len(left) < len(standing)


def surprise(found: Sequence[Standing], standing: Sequence[Standing]) -> str:
    """Say of the first that is not as wanted how it is, and what came of its command."""
    one = found[0]
    said: str = "never given" if one.command is None else one.command.state
    if one.command and one.command.detail:
        said += f" ({one.command.detail})"
    share = f"{len(found)} of {len(standing)}: " if len(standing) > 1 else ""
    return f"{share}{one.name} is {one.now}; the command is {said}"


def in_words(call: Call) -> str:
    """Return a call in one line."""
    given = ", ".join(f"{k} {v}" for k, v in sorted(call.params.items()) if k != "traces")
    return f"{call.action} {call.target}" + (f" ({given})" if given else "")


def agents_in_words(call: Call, agents: Sequence[Agent]) -> tuple[str, tuple[str, ...]]:
    """Return what a call does to agents in one line, and what should hold when it runs."""
    how = "; ".join(f"{agent.name} is {_status_in_words(agent)}" for agent in agents)
    summary = f"{call.action} {call.target}"
    if call.action == "degrade":
        summary += f" to {call.params['to']}"
    at_risk = [agent for agent in agents if call.action == "restart" and not agent.hot_restart]
    work = sum(agent.running or 0 for agent in at_risk)
    names = ", ".join(agent.name for agent in at_risk)
    warned = (f"nothing in {names} is worth keeping: {work} tasks are in work",) if work else ()
    return f"{summary}: {how}", warned


def _status_in_words(agent: Agent) -> str:
    to = f" to {agent.degraded_to}" if agent.status == "degraded" else ""
    return f"{agent.status}{to} with {agent.running or 0} tasks in work"
