"""Which agent and which turn, where only the conversations of failed runs are known."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

EARLY = 0.5
"""The n-th turn of the working agents weighs n to the minus this: who came first set the course.
Measured: 0 to 0.67 name the agent equally often, within 1 of 100; above that it costs."""
RUNS_MIN = 5
"""Fewer runs do not show that somebody coordinates. Chosen."""
COORDINATES_MIN = 0.9
"""Share of its runs in which a coordinator does so, at least. Chosen."""
_DOUBT = re.compile(
    r"\b(error|exception|traceback|fail(ed|s|ure)?|unable|cannot|can't|could not|couldn't"
    r"|not (found|available|possible|able)|invalid|incorrect|sorry|apolog\w+|unfortunately"
    r"|assum\w+|timeout|denied)\b",
    re.IGNORECASE,
)
"""Words of failure and of guessing."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one participant said or did."""

    speaker: str
    kind: str
    """agent, tool (runs what it is given) or user."""
    text: str


@dataclass(frozen=True, kw_only=True)
class TurnSuspect:
    """Who is thought to have made the decisive mistake, and in which turn."""

    agents: Mapping[str, float]
    """Share of the work, by agent; most first, of several with as much the first to speak."""
    turn: int
    """Position in the conversation, -1 if no agent speaks."""


def localise_turns(runs: Sequence[Sequence[Turn]]) -> list[TurnSuspect]:
    """Name an agent and a turn of every failed run; all runs are of one platform.

    No label, no run that succeeded, and nothing of the task is known, so all this tells is who did
    the work that went wrong: a coordinator passes it on, a tool does as it is told.
    """
    coordinators = find_coordinators(runs)
    return [_suspect(run, coordinators) for run in runs]


def find_coordinators(runs: Sequence[Sequence[Turn]]) -> frozenset[str]:
    """Find the agents through whom all others speak, in nearly all runs they take part in."""
    present, central = Counter[str](), Counter[str]()
    for run in runs:
        agents = {turn.speaker for turn in run if turn.kind == "agent"}
        present.update(agents)
        central.update(agent for agent in agents if _is_between(agent, run, agents))
    return frozenset(
        agent
        for agent, count in present.items()
        if count >= RUNS_MIN and central[agent] >= COORDINATES_MIN * count
    )


def _is_between(agent: str, run: Sequence[Turn], agents: set[str]) -> bool:
    """Whether no two other agents ever speak after one another."""
    if len(agents) < 2:
        return False
    others = agents - {agent}
    talks = {(a.speaker, b.speaker) for a, b in pairwise(run) if a.speaker != b.speaker}
    turns = Counter(turn.speaker for turn in run)
    leads = len(others) > 1 or turns[agent] > sum(turns[other] for other in others)
    return leads and not any(a in others and b in others for a, b in talks)


def _suspect(run: Sequence[Turn], coordinators: frozenset[str]) -> TurnSuspect:
    agents = {turn.speaker for turn in run if turn.kind == "agent"}
    workers = agents - coordinators or agents
    order = [turn.speaker for turn in run if turn.speaker in workers]
    work: dict[str, float] = defaultdict(float)
    for place, speaker in enumerate(order):
        work[speaker] += (1 + place) ** -EARLY
    total = sum(work.values())
    ranked = sorted(work, key=lambda speaker: (-work[speaker], order.index(speaker)))
    return TurnSuspect(
        agents={speaker: work[speaker] / total for speaker in ranked},
        turn=_decisive(run, ranked[0]) if ranked else -1,
    )


def _decisive(run: Sequence[Turn], speaker: str) -> int:
    """Take the agent's first turn that a tool acts on, else that doubts; else its first.

    The opening turn is left out but for the tool: it states the task.
    """
    turns = [n for n, turn in enumerate(run) if turn.speaker == speaker]
    later = [n for n in turns if n > 0] or turns
    acted_on = [n for n in turns if n + 1 < len(run) and run[n + 1].kind == "tool"]
    doubts = [n for n in later if _DOUBT.search(run[n].text)]
    return [*acted_on[:1], *doubts[:1], later[0]][0]
