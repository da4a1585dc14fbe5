"""What all systems that route traffic to regions have in common: weights, draining, failing over.

A region has members (servers of a load balancer, DNS records), each with a weight. An adapter reads
and writes members; this file says what a call makes of them, and whether the world is as planned.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, Protocol

from graphmind.errors import SettingsError
from graphmind.repair.connector import (
    Action,
    Applied,
    ConnectorError,
    Description,
    Effect,
    Planned,
    Seen,
    StateChanged,
)
from graphmind.repair.connectors.calls import Calls, one_of, params_schema
from graphmind.repair.connectors.config import Section
from graphmind.repair.model import Call, Json

WEIGHT_MAX: Final = 256
"""Largest weight of HAProxy, and near enough Route 53's 255 (which that adapter checks)."""

Regions = Mapping[str, tuple[str, ...]]
"""Members of each region, as they are configured."""
Mode = Literal["ready", "drain", "maint"]
Members = Mapping[str, "Member"]


@dataclass(frozen=True, kw_only=True)
class Member:
    """One server or record of a region."""

    weight: int
    mode: Mode = "ready"
    """``maint``: taken out by somebody on purpose; no call touches it."""

    @property
    def takes_traffic(self) -> bool:
        """Whether new work may go there."""
        return self.mode == "ready" and self.weight > 0

    def __str__(self) -> str:
        return f"{self.mode} {self.weight}"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All members as they are now."""

    members: Members
    down: frozenset[str] = field(default_factory=frozenset)
    """Members whose health check fails; not part of what is compared, it changes by itself."""


class Routes(Protocol):
    """The system behind: how members are read and written. Raises ConnectorError."""

    def read(self) -> Reading:
        """Return all configured members."""

    def write(self, wanted: Members, now: Members) -> Applied:
        """Set some members, all or none; raises OutcomeUnknown where nobody can tell."""

    def pool(self, member: str) -> str:
        """Name the pool in which a member stands in for others."""

    def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What is configured of a regional connector."""

    section: Section
    address: str
    """Of the system, without secrets."""
    regions: Regions
    full: int
    """Weight of a member that takes its whole share."""
    has_drain: bool
    """Members can be drained with their weight kept; else draining is weight 0."""
    lag: str = ""
    """In words, what delays the effect: resolvers that keep an answer."""


def members_of(section: Section, regions: Regions, *, like: re.Pattern[str]) -> frozenset[str]:
    """Return all members; raises SettingsError for one misnamed, or in two regions."""
    seen: set[str] = set()
    for region, names in regions.items():
        for name in names:
            if not like.fullmatch(name):
                raise SettingsError(
                    f"{section.where}: connector {section.name}: `regions.{region}`: expected "
                    f"members like {like.pattern}, got {name!r}"
                )
            if name in seen:
                raise SettingsError(
                    f"{section.where}: connector {section.name}: {name} stands twice in `regions`; "
                    "a member belongs to one region"
                )
            seen.add(name)
        if not names:
            raise SettingsError(
                f"{section.where}: connector {section.name}: region {region} has no members"
            )
    return frozenset(seen)


_WEIGHT: Final = {"type": "integer", "minimum": 0, "maximum": WEIGHT_MAX}
_FULL: Final = {"type": "integer", "minimum": 1, "maximum": WEIGHT_MAX}
_MEMBERS: Final = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {"weight": _WEIGHT, "mode": {"enum": ["ready", "drain", "maint"]}},
        "required": ["weight", "mode"],
        "additionalProperties": False,
    },
}
_NAME: Final = {"type": "string", "minLength": 1}
_SCHEMAS: Final[Mapping[str, Json]] = {
    "drain": params_schema(),
    "disable": params_schema(),
    "enable": params_schema(weight=_FULL),
    "set_weight": params_schema(["weight"], weight=_WEIGHT),
    "fail_over": params_schema(["from", "to"], **{"from": _NAME, "to": _NAME, "weight": _FULL}),
    "restore": params_schema(["members", "made"], members=_MEMBERS, made=_MEMBERS),
}
ACTIONS: Final = tuple(
    Action(name=name, level="region", params_schema=schema, undoable=True)
    for name, schema in _SCHEMAS.items()
)
"""``restore`` brings members back; it is what undoes the others."""


class RegionConnector:
    """Speaks the port of a connector for any system that routes to regions."""

    def __init__(self, layout: Layout, routes: Routes) -> None:
        self._layout = layout
        self._routes = routes
        self._calls = Calls(layout.section, ACTIONS)

    def describe(self) -> Description:
        """Say what it is; asks nothing of the system."""
        return self._calls.describe(self._layout.address)

    def plan(self, call: Call) -> Planned:
        """Read the present members and say what the call would make of them."""
        names = self._names(call)
        reading = self._routes.read()
        before = self._touched(call, reading.members)
        missing = sorted({*names} - {*before})
        if missing:
            raise ConnectorError(
                f"{self._layout.address}: expected {', '.join(missing)}, but no such member is "
                "there; mend `regions` in the connectors file"
            )
        wanted = self._wanted(call, before)
        self._leaves_traffic(call, reading, wanted, ConnectorError)
        moved = [f"{name}: {before[name]} -> {wanted[name]}" for name in _differing(before, wanted)]
        return Planned(
            before=_plain(before),
            undo=Call(
                action="restore",
                target=call.target,
                params={"members": _plain(before), "made": _plain(wanted)},
            ),
            summary=f"{call.action} {call.target} at {self._layout.address}: "
            + ("; ".join(moved) or "nothing to change"),
            preconditions=("another region takes traffic",),
            undoes_with=self._layout.lag,
        )

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        """Set the members that are not yet as the call wants them."""
        _ = key  # what is wanted is a state: to ask twice for it changes nothing more
        old = _members(before)
        wanted = self._wanted(call, old)
        return self._move(call, old=old, wanted=wanted, guarded=True)

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        """Read the members again."""
        _ = key
        old = _members(before)
        wanted = self._wanted(call, old)
        now = self._touched(call, self._routes.read().members)
        left = _differing(now, wanted)
        if not left:
            return Seen(effect=Effect.APPLIED, state=_plain(now))
        if _others(now, old, wanted):
            return Seen(effect=Effect.OTHER, state=_plain(now), detail=_surprise(now, old, wanted))
        done = len(_differing(old, wanted)) - len(left)
        detail = f"half done: {done} of {done + len(left)}; to apply again ends it" if done else ""
        return Seen(effect=Effect.NOT_APPLIED, state=_plain(now), detail=detail)

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        """Bring the members back to ``before``, if they are as the step left them."""
        _ = key
        old = _members(before)
        made = call.params["made"] if call.action == "restore" else None
        wanted = _members(made) if made is not None else self._wanted(call, old)
        return self._move(call, old=wanted, wanted=old, guarded=False)

    def close(self) -> None:
        """Release connections."""
        self._routes.close()

    def _move(self, call: Call, *, old: Members, wanted: Members, guarded: bool) -> Applied:
        """Bring members from one state to another; what is there already stays."""
        self._calls.refuse_unless_live()
        reading = self._routes.read()
        now = self._touched(call, reading.members)
        if _others(now, old, wanted):
            raise StateChanged(f"{self._layout.address}: {_surprise(now, old, wanted)}; plan anew")
        left = _differing(now, wanted)
        if not left:
            return Applied(detail="nothing to change: it is so already", facts={"changed": "0"})
        if guarded:
            self._leaves_traffic(call, reading, wanted, StateChanged)
        return self._routes.write({name: wanted[name] for name in left}, now)

    def _wanted(self, call: Call, before: Members) -> Members:
        """Return what a call makes of the members it touches."""
        self._calls.check(call)
        if call.action == "restore":
            return _members(call.params["members"])
        if call.action == "fail_over":
            out, into = call.params["from"], call.params["to"]
            left = self._of(out, before)
            taking = self._of(into, before)
            weight = call.params.get("weight")
            return self._drained(left) | self._enabled(into, taking, weight)
        members = self._of(call.target, before)
        if call.action in {"drain", "disable"}:
            return self._drained(members)
        if call.action == "enable":
            return self._enabled(call.target, members, call.params.get("weight"))
        weight = call.params["weight"]
        return {name: _weighed(each, weight) for name, each in members.items()}

    def _drained(self, members: Members) -> dict[str, Member]:
        if self._layout.has_drain:
            return {
                name: each if each.mode == "maint" else replace(each, mode="drain")
                for name, each in members.items()
            }
        return {name: replace(each, weight=0) for name, each in members.items()}

    def _enabled(self, region: str, members: Members, weight: int | None) -> dict[str, Member]:
        """Let a region take traffic, at a weight or else the one it has, or its full one."""
        if all(each.mode == "maint" for each in members.values()):
            raise ConnectorError(
                f"{self._layout.address}: expected a member of region {region} that may be "
                "enabled, but all are in maintenance; end that by hand"
            )
        return {
            name: each
            if each.mode == "maint"
            else Member(weight=weight or each.weight or self._layout.full)
            for name, each in members.items()
        }

    def _touched(self, call: Call, members: Members) -> Members:
        """Return the members that a call is about, as far as they are there."""
        return {name: members[name] for name in sorted(self._names(call)) if name in members}

    def _names(self, call: Call) -> Sequence[str]:
        """Return the names of the members that a call is about."""
        self._calls.check(call)
        if call.action == "restore":
            return [*call.params["members"]]
        if call.action != "fail_over":
            return self._region(call.target)
        out, into = call.params["from"], call.params["to"]
        if out == into or call.target not in {out, into}:
            raise ConnectorError(
                f"fail_over expects two different regions, one of them its target; got from {out} "
                f"to {into} with target {call.target}"
            )
        return [*self._region(out), *self._region(into)]

    def _region(self, region: str) -> Sequence[str]:
        names = self._layout.regions.get(region)
        if not names:
            raise ConnectorError(
                f"{self._layout.address}: expected a configured region "
                f"({one_of(self._layout.regions)}), got {region!r}"
            )
        return names

    def _of(self, region: str, members: Members) -> Members:
        """Return the members of a region, of those given, which hold them all."""
        try:
            return {name: members[name] for name in self._region(region)}
        except KeyError as error:
            raise StateChanged(
                f"{self._layout.address}: region {region} has a member {error} that was not there "
                "when it was planned; plan anew"
            ) from error

    def _leaves_traffic(
        self, call: Call, reading: Reading, wanted: Members, refusal: type[ConnectorError]
    ) -> None:
        """Refuse to take the last member out of any pool: all of its work would fail."""
        after = {**reading.members, **wanted}
        for pool in sorted({self._routes.pool(name) for name in wanted}):
            own = [name for name in after if self._routes.pool(name) == pool]
            up = [name for name in own if name not in reading.down]
            if _taking(up, reading.members) and not _taking(up, after):
                where = f" of {pool}" if pool else ""
                raise refusal(
                    f"{self._layout.address}: {call.action} {call.target} would leave nothing"
                    f"{where} that takes traffic; enable another region first"
                )


def _weighed(member: Member, weight: int) -> Member:
    return member if member.mode == "maint" else replace(member, weight=weight)


def _taking(names: Sequence[str], members: Members) -> bool:
    return any(members[name].takes_traffic for name in names)


def _differing(now: Members, wanted: Members) -> list[str]:
    return [name for name in sorted(wanted) if now.get(name) != wanted[name]]


def _others(now: Members, old: Members, wanted: Members) -> list[str]:
    """Return the members that are neither as they were nor as they should become."""
    names = sorted({*now, *old})
    return [name for name in names if now.get(name) not in (old.get(name), wanted.get(name))]


def _surprise(now: Members, old: Members, wanted: Members) -> str:
    name = _others(now, old, wanted)[0]
    return f"expected {name} to be {old.get(name)}, as planned against, but it is {now.get(name)}"


def _plain(members: Members) -> dict[str, Any]:
    return {name: asdict(member) for name, member in sorted(members.items())}


def _members(state: Json) -> Members:
    return {name: Member(weight=one["weight"], mode=one["mode"]) for name, one in state.items()}
