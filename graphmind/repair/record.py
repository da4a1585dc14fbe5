"""The record of a repair: what the journal keeps, people read and the runner resumes from."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from graphmind.repair.model import Json, Level, Plan
from graphmind.repair.states import State

Operator = Literal["system", "human", "mixed"]
Mode = Literal["dry_run", "live"]


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One decision on a plan; it counts for the plan of that hash only."""

    who: str
    role: str
    """viewer, responder, approver or admin; ``policy`` where the policy itself approved."""
    approved: bool
    at_ms: int
    plan_hash: str
    reason: str = ""


class StepState(StrEnum):
    """Where one step stands."""

    INTENDED = "intended"
    """Written before the call: after a crash only ``verify`` can tell whether it was made."""
    APPLIED = "applied"
    FAILED = "failed"
    LEFT_OUT = "left_out"
    """Optional, and it could not be done: the repair went on without it."""
    UNDOING = "undoing"
    """As INTENDED, for the inverse."""
    UNDONE = "undone"


@dataclass(frozen=True, kw_only=True)
class StepRun:
    """How far a step of the plan got. A step that was never begun has none."""

    number: int
    state: StepState
    attempts: int
    started_ms: int
    ended_ms: int | None = None
    detail: str = ""
    """What the system answered, or why it failed."""


@dataclass(frozen=True, kw_only=True)
class Repair:
    """A repair on its way. ``version`` rises by one with each change that the journal keeps."""

    repair_id: str
    version: int
    incident_id: str
    cluster_id: str
    root_cause: str
    """``kind:name`` of what the first cause names, items of a conjunction joined by `` + ``."""
    fingerprint: str
    """Hash of the incident's structure, by which the case library finds it; may be empty."""
    strategy: str
    """``strategyId@revision``."""
    level: Level
    target: str
    """``kind:name`` of what it acts on: it holds one lease."""
    command: Json
    """The ``multi_trace_repair`` command (S39)."""
    state: State
    mode: Mode
    operator: Operator
    requested_by: str
    requested_ms: int
    idempotency_key: str
    plan: Plan | None = None
    approvals: tuple[Approval, ...] = ()
    steps: tuple[StepRun, ...] = ()
    started_ms: int | None = None
    executed_ms: int | None = None
    """When the last step was acknowledged: T of the verification."""
    ended_ms: int | None = None
    verification: Json = field(default_factory=dict)
    """Verdict with its evidence, figures before and after, and the relapse watch."""
    verdict: str = ""
    reason: str = ""
    """Why it is in its state, for people."""
