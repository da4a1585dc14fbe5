"""What stops a repair, or stops it from running by itself: each guard answers in words. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from graphmind.repair.model import Json, Plan
from graphmind.repair.record import Repair
from graphmind.repair.strategies.actions import RECORDS
from graphmind.repair.strategies.strategy import Strategy

HOUR_MS: Final = 3_600_000
DAY_MINUTES: Final = 1_440
Stops = Literal["everything", "automatic"]
"""Whether people may go on in spite of it."""


@dataclass(frozen=True, kw_only=True)
class Objection:
    """Why a guard stops a repair."""

    guard: str
    reason: str
    stops: Stops
    alerts: bool = False
    """People are told at once: something goes round in circles."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """An action that was taken on a target."""

    action: str
    target: str
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Maintenance:
    """A time in which people work on something."""

    from_ms: int
    until_ms: int
    targets: tuple[str, ...]
    """Names of targets; ``*`` stands for any text."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """A time of every day in which nothing runs by itself; minutes of the day, UTC."""

    from_minute: int
    until_minute: int
    """Before ``from_minute``: of the next day."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much may happen by itself (numbers chosen)."""

    commands_an_hour: int = 10
    same_an_hour: int = 3
    """The same action on the same target so often in an hour is a storm."""
    share_max: float = 0.5
    """Share of the traffic that a repair may hit by itself."""
    traces_max: int = 5_000
    maintenance: tuple[Maintenance, ...] = ()
    quiet: tuple[QuietHours, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What guards look at, besides the plan."""

    now_ms: int
    repair: Repair
    strategy: Strategy
    past: Sequence[Repair] = ()
    """Repairs known, this one or not, in any order; an hour and all of the incident suffice."""
    stop: Json = field(default_factory=dict)
    """The durable switch ``stop``: ``{on, by, why}``."""
    suppressed: Json = field(default_factory=dict)
    """The durable switch ``suppressed``: by ``incident:ID``, ``strategy:ID``, ``target:kind:name``
    or ``cluster:ID``, each ``{until_ms, by, why}``; without ``until_ms`` for good."""


def objections(plan: Plan, scene: Scene, limits: Limits) -> tuple[Objection, ...]:
    """Return what every guard has against running this plan now."""
    return tuple(
        objection
        for guard in (_stopped, _suppressed, _expired, _attempts)
        for objection in guard(plan, scene)
    ) + tuple(
        objection
        for limit in (_budget, _storm, _radius, _maintained, _quiet)
        for objection in limit(plan, scene, limits)
    )


def commands_of(repairs: Iterable[Repair]) -> list[Command]:
    """Return the calls that live repairs began, oldest first."""
    found = [
        Command(action=step.call.action, target=step.call.target, at_ms=run.started_ms)
        for repair in repairs
        if repair.mode == "live" and repair.plan
        for step in repair.plan.steps
        for run in repair.steps
        if run.number == step.number
    ]
    return sorted(found, key=lambda each: (each.at_ms, each.action, each.target))


def stopped(stop: Json) -> str:
    """Return why everything stands still; empty where it does not."""
    if not stop.get("on"):
        return ""
    why = f": {stop['why']}" if stop.get("why") else ""
    return f"all repair is stopped by {stop.get('by', 'somebody')}{why}"


def _stopped(_plan: Plan, scene: Scene) -> Iterator[Objection]:
    if reason := stopped(scene.stop):
        yield Objection(guard="stop", reason=reason, stops="everything")


def in_force(suppressed: Json, now_ms: int) -> dict[str, Mapping[str, Any]]:
    """Return the rules of the switch ``suppressed`` that hold at a time, by what they suppress."""
    return {
        name: rule
        for name, rule in suppressed.items()
        if isinstance(rule, Mapping) and now_ms < rule.get("until_ms", now_ms + 1)
    }


def _suppressed(_plan: Plan, scene: Scene) -> Iterator[Objection]:
    repair = scene.repair
    names = (
        f"incident:{repair.incident_id}",
        f"cluster:{repair.cluster_id}",
        f"strategy:{scene.strategy.strategy_id}",
        f"target:{repair.target}",
    )
    rules = in_force(scene.suppressed, scene.now_ms)
    for name in names:
        rule = rules.get(name)
        if rule is not None:
            why = f": {rule['why']}" if rule.get("why") else ""
            reason = f"{name} is suppressed by {rule.get('by', 'somebody')}{why}"
            yield Objection(guard="suppressed", reason=reason, stops="everything")


def _expired(plan: Plan, scene: Scene) -> Iterator[Objection]:
    if scene.now_ms >= plan.expires_ms:
        late_s = (scene.now_ms - plan.expires_ms) / 1000
        reason = f"the plan ran out {late_s:.0f} s ago: make it anew"
        yield Objection(guard="ttl", reason=reason, stops="everything")


def _attempts(_plan: Plan, scene: Scene) -> Iterator[Objection]:
    """Count the repairs of the incident by the strategy that were begun, whatever came of them."""
    most = scene.strategy.attempts_max
    begun = sum(
        other.incident_id == scene.repair.incident_id
        and other.strategy.partition("@")[0] == scene.strategy.strategy_id
        and other.started_ms is not None
        and other.mode == "live"
        for other in _others(scene)
    )
    if begun >= most:
        reason = (
            f"{scene.strategy.strategy_id} was tried {begun} times on this incident, and at most "
            f"{most} are allowed: choose another strategy"
        )
        yield Objection(guard="attempts", reason=reason, stops="everything")


def _budget(_plan: Plan, scene: Scene, limits: Limits) -> Iterator[Objection]:
    used = sum(
        other.mode == "live"
        and other.operator == "system"
        and other.started_ms is not None
        and 0 <= scene.now_ms - other.started_ms < HOUR_MS
        for other in _others(scene)
    )
    if used >= limits.commands_an_hour:
        reason = f"{used} repairs ran by themselves within an hour, the budget is used up"
        yield Objection(guard="budget", reason=reason, stops="automatic", alerts=True)


def _storm(plan: Plan, scene: Scene, limits: Limits) -> Iterator[Objection]:
    recent = Counter(
        (command.action, command.target)
        for command in commands_of(_others(scene))
        if 0 <= scene.now_ms - command.at_ms < HOUR_MS
    )
    planned = {(step.call.action, step.call.target) for step in plan.steps}
    for action, target in sorted(planned):
        times = recent[action, target]
        if action not in RECORDS and times >= limits.same_an_hour:
            reason = f"{action} {target} was done {times} times within an hour: it does not help"
            yield Objection(guard="storm", reason=reason, stops="automatic", alerts=True)


def _radius(plan: Plan, _scene: Scene, limits: Limits) -> Iterator[Objection]:
    impact = plan.impact
    if impact.share > limits.share_max:
        reason = f"it hits {impact.share:.0%} of the traffic, more than {limits.share_max:.0%}"
        yield Objection(guard="blast_radius", reason=reason, stops="automatic")
    if impact.traces > limits.traces_max:
        reason = f"it hits {impact.traces} traces, more than {limits.traces_max}"
        yield Objection(guard="blast_radius", reason=reason, stops="automatic")


def _maintained(plan: Plan, scene: Scene, limits: Limits) -> Iterator[Objection]:
    targets = sorted({step.call.target for step in plan.steps})
    for window in limits.maintenance:
        if not window.from_ms <= scene.now_ms < window.until_ms:
            continue
        for target in targets:
            if any(fnmatchcase(target, pattern) for pattern in window.targets):
                reason = f"{target} is in maintenance: {window.reason}"
                yield Objection(guard="maintenance", reason=reason, stops="automatic")


def _quiet(_plan: Plan, scene: Scene, limits: Limits) -> Iterator[Objection]:
    minute = scene.now_ms // 60_000 % DAY_MINUTES
    for hours in limits.quiet:
        if _within(minute, hours):
            reason = (
                f"quiet hours from {_clock(hours.from_minute)} to {_clock(hours.until_minute)} UTC"
            )
            yield Objection(guard="quiet_hours", reason=reason, stops="automatic")


def _within(minute: int, hours: QuietHours) -> bool:
    if hours.from_minute <= hours.until_minute:
        return hours.from_minute <= minute < hours.until_minute
    return minute >= hours.from_minute or minute < hours.until_minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _others(scene: Scene) -> list[Repair]:
    return [other for other in scene.past if other.repair_id != scene.repair.repair_id]
