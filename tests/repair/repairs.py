"""Repairs, plans and a shelf of values that a connector sets: what the tests of running need."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from graphmind.repair.audit import drafted
from graphmind.repair.connector import (
    Action,
    Applied,
    Description,
    Effect,
    Planned,
    Seen,
    StateChanged,
)
from graphmind.repair.journal import AuditDraft, Journal
from graphmind.repair.model import Call, Impact, Json, Plan, Step
from graphmind.repair.record import Approval, Repair
from graphmind.repair.states import Event, State, after

IMPACT = Impact(
    traces=3,
    unfinished=1,
    tasks=("checkout",),
    agents=("shop/router",),
    regions=("eu",),
    share=0.25,
    hot_restart=None,
    snapshots=2,
    context_lost=(),
    expected_gain=12.5,
)
EXPIRES_MS = 1_000_000


def setting(target: str, value: str) -> Call:
    return Call(action="set", target=target, params={"value": value})


def step(
    number: int,
    target: str,
    *,
    has_undo: bool = True,
    connector: str = "shelf",
    optional: bool = False,
) -> Step:
    """Set a target from ``old`` to ``new``."""
    return Step(
        number=number,
        level="model",
        connector=connector,
        call=setting(target, "new"),
        before={"value": "old"},
        undo=setting(target, "old") if has_undo else None,
        summary=f"set {target} from old to new",
        undoes_with="" if has_undo else "nobody unsends it",
        optional=optional,
    )


def plan(*steps: Step) -> Plan:
    return Plan(steps=steps, impact=IMPACT, made_ms=1_000, expires_ms=EXPIRES_MS)


def repair(repair_id: str = "r1", *steps: Step, **changed) -> Repair:
    """A repair that waits to be planned, or is planned where steps are given."""
    found = Repair(
        repair_id=repair_id,
        version=0,
        incident_id="i1",
        cluster_id="c1",
        root_cause="model_version:m@2",
        fingerprint="f1",
        strategy="switch-model@3",
        level="model",
        target="model_version:m@2",
        command={"action": "multi_trace_repair", "trace_scope": ["t1", "t2"]},
        state=State.PROPOSED,
        mode="live",
        operator="system",
        requested_by="policy",
        requested_ms=1_000,
        idempotency_key=f"key of {repair_id}",
    )
    return replace(found, plan=plan(*steps) if steps else None, **changed)


def kept_approved(journal: Journal, wanted: Repair) -> Repair:
    """Bring a planned repair into the journal, approved by the policy."""
    assert wanted.plan is not None
    approval = Approval(
        who="policy", role="policy", approved=True, at_ms=1_000, plan_hash=wanted.plan.plan_hash
    )
    kept = journal.create(wanted, draft(wanted, "propose"))
    state = after(after(kept.state, Event.PLAN), Event.APPROVE)
    approved = replace(kept, state=state, approvals=(approval,))
    return journal.change(approved, draft(approved, "plan"), draft(approved, "approve"))


def draft(of: Repair, what: str = "note", at_ms: int = 1_000, **facts) -> AuditDraft:
    return drafted(of, what, who="tester", at_ms=at_ms, **facts)


@dataclass
class Shelf:
    """A control plane that keeps values by target. ``on_apply`` may misbehave before and after."""

    values: dict[str, str] = field(default_factory=dict)
    live: bool = True
    calls: list[str] = field(default_factory=list)
    """``apply:TARGET`` and ``undo:TARGET``, as they took effect."""
    before_apply: Callable[[Call], None] = field(default=lambda call: None)
    after_apply: Callable[[Call], None] = field(default=lambda call: None)
    before_undo: Callable[[Call], None] = field(default=lambda call: None)
    after_undo: Callable[[Call], None] = field(default=lambda call: None)
    before_verify: Callable[[Call], None] = field(default=lambda call: None)
    known: set[str] = field(default_factory=set)

    def describe(self) -> Description:
        actions = (Action(name="set", level="model", params_schema={}, undoable=True),)
        return Description(kind="shelf", address="here", live=self.live, actions=actions)

    def plan(self, call: Call) -> Planned:
        value = self.values.get(call.target, "old")
        return Planned(
            before={"value": value}, undo=setting(call.target, value), summary=f"set {call.target}"
        )

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        self.before_apply(call)
        value = self.values.get(call.target, "old")
        if value not in (before["value"], call.params["value"]):
            raise StateChanged(f"{call.target} should be {before['value']}, is {value}")
        if key not in self.known:
            self.known.add(key)
            self.values[call.target] = call.params["value"]
            self.calls.append(f"apply:{call.target}")
        self.after_apply(call)
        return Applied(detail="set", facts={"id": f"set of {call.target}"})

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        self.before_verify(call)
        value = self.values.get(call.target, "old")
        effects = {before["value"]: Effect.NOT_APPLIED, call.params["value"]: Effect.APPLIED}
        return Seen(effect=effects.get(value, Effect.OTHER), state={"value": value})

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        self.before_undo(call)
        value = self.values.get(call.target, "old")
        if value not in ("new", before["value"]):
            raise StateChanged(f"{call.target} is {value}")
        if value != before["value"]:
            self.values[call.target] = before["value"]
            self.calls.append(f"undo:{call.target}")
        self.after_undo(call)
        return Applied(detail="set back")

    def close(self) -> None:
        return None
