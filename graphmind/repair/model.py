"""The words of a repair: level, call, step, plan, repair. Frozen, and JSON as they are.

A *command* (``command.py``) says what an incident calls for. A *plan* is the command made concrete
against today's state: steps, each one idempotent call of one connector. A *repair* is the record of
a plan on its way: approvals, attempts, verdict.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, Final, Literal

import orjson

Level = Literal["trace", "agent", "model", "region", "key"]
Json = Mapping[str, Any]

LEVELS: Final[tuple[Level, ...]] = ("trace", "key", "agent", "model", "region")
"""By what a repair at that level can hit, least first."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a connector is asked to do: one action on one target."""

    action: str
    """As in repair.md: ``switch_model_version``, ``restart``, ``drain``, ``quarantine_key``..."""
    target: str
    """Name of what it acts on, as telemetry names it: an agent, model, region, key or trace."""
    params: Json = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call of one connector, with the state it was planned against."""

    number: int
    """1 is the first."""
    level: Level
    connector: str
    """Name of the configured connector."""
    call: Call
    before: Json
    """State of the target when it was planned, as the connector reads it."""
    undo: Call | None
    """The inverse; None where there is none, which rules out automatic repair."""
    summary: str
    """What exactly would happen, in one line for people."""
    preconditions: tuple[str, ...] = ()
    """What must hold when it runs, besides ``before``."""
    undoes_with: str = ""
    """Why there is no inverse, or what the inverse does not bring back."""
    optional: bool = False
    """The repair goes on without it where it cannot be done."""


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What a plan would hit (S12), by the graph and the archive."""

    traces: int
    """Traces of the incident's window that touch the targets, healthy ones included."""
    unfinished: int
    """Of them, those still running, whose work would be lost."""
    tasks: tuple[str, ...]
    agents: tuple[str, ...]
    regions: tuple[str, ...]
    share: float
    """Share of all traffic of the window, 0..1."""
    hot_restart: bool | None
    """Whether the agent restarts without losing what it does; None where no agent is meant."""
    snapshots: int
    """Traces in scope that have a state snapshot to go back to."""
    context_lost: tuple[str, ...]
    """Tasks whose context would be gone."""
    expected_gain: float
    """Failing traces an hour that would stop, if the cause is right."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A command made concrete. ``plan_hash`` binds an approval to exactly these steps."""

    steps: tuple[Step, ...]
    impact: Impact
    made_ms: int
    expires_ms: int
    warnings: tuple[str, ...] = ()

    @property
    def plan_hash(self) -> str:
        """SHA-256 of the steps: targets, parameters and the state they were planned against."""
        steps = [asdict(step) for step in self.steps]
        return sha256(orjson.dumps(steps, option=orjson.OPT_SORT_KEYS)).hexdigest()
