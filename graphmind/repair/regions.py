"""The region watcher: what to do about a region that fails more than the others, and the way back.

It proposes; whether a proposal is planned, approved and run is decided where all repairs are.
Pure: the caller keeps when a region was changed, and passes the time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from graphmind.repair.model import Call
from graphmind.repair.region_health import Health, Judged

Action = Literal["set_weight", "drain", "fail_over", "enable"]

STEPS: Final = (0.1, 0.5, 1.0)
"""Shares of its full weight by which a region comes back (chosen: a probe, half, all)."""
HALF: Final = 0.5
"""Share that a degraded region keeps: enough to see it recover (chosen)."""
RELAPSES_MAX: Final = 5
"""After more relapses the wait for the next probe is not doubled any more (chosen)."""
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the watcher may propose."""

    capacity_min: float = 0.5
    """Share of the capacity of all regions that stays in service, 0..1."""
    hold_ms: int = 120_000
    """A region is left alone so long after it was changed, before more is done to it (chosen)."""
    return_ms: int = 300_000
    """... and so long before a step on the way back; doubled by each relapse (chosen)."""
    between_ms: int = 30_000
    """Pause after any region was changed before another is taken down: the load has moved."""
    full: int = 100
    """Weight that a connector gives a region in full service."""


@dataclass(frozen=True, kw_only=True)
class Region:
    """How much of a region is in service."""

    name: str
    share: float
    """Of its full weight, 0..1; 0 is drained."""
    capacity: float = 1.0
    """What it can carry in full service, in any unit."""
    standby: bool = False
    """Meant to be out of service until another fails over to it."""
    changed_ms: int | None = None
    """When its share was last changed, by whomever; None: not since we look."""
    by_watcher: bool = False
    """That change was a proposal of the watcher: only such are taken back."""
    relapses: int = 0
    """Times that it was taken down again on its way back."""

    @property
    def serving(self) -> float:
        """Capacity in service."""
        return self.capacity * self.share


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What to do about one region, and why."""

    action: Action
    region: str
    share: float
    """What is left of the region's full weight."""
    into: str | None = None
    """Where it fails over to."""
    weight: int
    """For the connector; of ``into`` for a fail-over."""
    reasons: tuple[str, ...]

    @property
    def call(self) -> Call:
        """The call of a connector for regions."""
        if self.action == "fail_over":
            params = {"from": self.region, "to": self.into, "weight": self.weight}
            return Call(action="fail_over", target=self.region, params=params)
        if self.action == "drain":
            return Call(action="drain", target=self.region)
        return Call(action=self.action, target=self.region, params={"weight": self.weight})


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What is proposed now, and what is not although a region is not well."""

    proposals: tuple[Proposal, ...]
    """At most one that takes a region down, and one that brings one back."""
    held: Mapping[str, str]
    """Why nothing is proposed for a region, in words."""


def watch(
    regions: Sequence[Region], judged: Mapping[str, Judged], policy: Policy, *, now_ms: int
) -> Outlook:
    """Propose what to do now. ``judged`` holds the health of each of the regions."""
    ordered = sorted(regions, key=lambda each: each.name)
    held: dict[str, str] = {}
    down = _first_down(ordered, judged, policy, held, now_ms)
    if down is not None:
        return Outlook(proposals=(down,), held=held)
    back = _first_back(ordered, judged, policy, held, now_ms)
    return Outlook(proposals=(back,) if back else (), held=held)


def after(region: Region, proposal: Proposal, *, now_ms: int) -> Region:
    """Return a region as a proposal leaves it, once it was carried out."""
    if region.name == proposal.region:
        relapsed = proposal.share < region.share and region.by_watcher
        return replace(
            region,
            share=proposal.share,
            changed_ms=now_ms,
            by_watcher=True,
            relapses=region.relapses + relapsed,
        )
    if region.name == proposal.into:
        return replace(region, share=1.0, changed_ms=now_ms, by_watcher=True)
    return region


def _first_down(
    regions: Sequence[Region],
    judged: Mapping[str, Judged],
    policy: Policy,
    held: dict[str, str],
    now_ms: int,
) -> Proposal | None:
    """Take down the worst region that may be; one at a time."""
    bad = [each for each in regions if each.share and judged[each.name].health >= Health.DEGRADED]
    bad.sort(key=lambda each: (-judged[each.name].health, -judged[each.name].excess, each.name))
    last_ms = max(
        (each.changed_ms for each in regions if each.changed_ms is not None), default=None
    )
    for region in bad:
        wanted = 0.0 if judged[region.name].health is Health.SICK else HALF
        if region.share <= wanted + _ROUNDING:
            held[region.name] = f"it has {region.share:.0%} of its weight already"
            continue
        wait_ms = max(
            _left_ms(region.changed_ms, policy.hold_ms, now_ms),
            _left_ms(last_ms, policy.between_ms, now_ms),
        )
        if wait_ms:
            held[region.name] = f"a region was just changed: {wait_ms / 1000:g} s to wait"
            continue
        found = _down(region, regions, judged, policy)
        if isinstance(found, Proposal):
            return found
        held[region.name] = found
    return None


def _down(
    region: Region, regions: Sequence[Region], judged: Mapping[str, Judged], policy: Policy
) -> Proposal | str:
    """Drain, fail over or weigh down, whichever leaves enough in service; else say why not."""
    own = judged[region.name]
    others = [each for each in regions if each.name != region.name]
    healthy = [each for each in others if judged[each.name].health is Health.HEALTHY]
    needed = policy.capacity_min * sum(each.capacity for each in regions)
    rest = sum(each.serving for each in others)
    if own.health is Health.SICK:
        if any(each.share for each in healthy) and rest >= needed - _ROUNDING:
            return _proposal("drain", region, 0.0, policy, own.reasons)
        spare = [
            each
            for each in others
            if each.standby and not each.share and judged[each.name].health <= Health.UNCLEAR
            if not judged[each.name].named and rest + each.capacity >= needed - _ROUNDING
        ]
        if spare:
            into = max(spare, key=lambda each: (each.capacity, each.name))
            why = f"without {region.name} {rest:g} of {needed:g} would be in service or healthy"
            proposal = _proposal("fail_over", region, 0.0, policy, (*own.reasons, why))
            return replace(proposal, into=into.name, weight=policy.full)
    if not any(each.share for each in healthy):
        return "no other region that takes traffic is shown to be healthy"
    least = max(0.0, needed - rest) / region.capacity if region.capacity else 0.0
    share = max(HALF, least)
    if share >= region.share - _ROUNDING:
        return f"less of it would leave less than {needed:g} in service"
    return _proposal("set_weight", region, share, policy, own.reasons)


def _first_back(
    regions: Sequence[Region],
    judged: Mapping[str, Judged],
    policy: Policy,
    held: dict[str, str],
    now_ms: int,
) -> Proposal | None:
    """Bring back by a step the first region that is due; then send standbys home."""
    for region in regions:
        if region.standby or not region.by_watcher or region.share >= 1:
            continue
        why_not = _not_back(region, judged[region.name], policy, now_ms)
        if why_not:
            held.setdefault(region.name, why_not)
            continue
        share = next(step for step in STEPS if step > region.share + _ROUNDING)
        waited = f"unchanged for {(now_ms - (region.changed_ms or 0)) / 1000:g} s"
        return _proposal("enable", region, share, policy, (*judged[region.name].reasons, waited))
    return _standby_home(regions, judged, policy, now_ms)


def _not_back(region: Region, own: Judged, policy: Policy, now_ms: int) -> str:
    """Say why a region does not come back yet; empty where it may."""
    if own.health >= Health.DEGRADED:
        return "it is not well"
    if own.named:
        return "an open incident names it"
    if region.share and own.health is not Health.HEALTHY:
        return f"at {region.share:.0%} of its weight it is not shown to be healthy yet"
    wait_ms = policy.return_ms << min(region.relapses, RELAPSES_MAX)
    left_ms = _left_ms(region.changed_ms, wait_ms, now_ms)
    return f"{left_ms / 1000:g} s to wait before the next step" if left_ms else ""


def _standby_home(
    regions: Sequence[Region], judged: Mapping[str, Judged], policy: Policy, now_ms: int
) -> Proposal | None:
    """Drain a standby that was failed over to, once all others serve in full and are healthy."""
    usual = [each for each in regions if not each.standby]
    well = all(
        each.share >= 1
        and judged[each.name].health is Health.HEALTHY
        and not _left_ms(each.changed_ms, policy.return_ms, now_ms)
        for each in usual
    )
    needed = policy.capacity_min * sum(each.capacity for each in regions)
    for region in regions:
        rest = sum(each.serving for each in regions if each.name != region.name)
        due = not _left_ms(region.changed_ms, policy.return_ms, now_ms)
        if region.standby and region.by_watcher and region.share and due and usual and well:
            if rest < needed - _ROUNDING:
                continue
            why = "all regions that it stood in for serve in full again and are healthy"
            return _proposal("drain", region, 0.0, policy, (why,))
    return None


def _proposal(
    action: Action, region: Region, share: float, policy: Policy, reasons: tuple[str, ...]
) -> Proposal:
    return Proposal(
        action=action,
        region=region.name,
        share=share,
        weight=max(1, round(policy.full * share)) if share else 0,
        reasons=reasons,
    )


def _left_ms(since_ms: int | None, wait_ms: int, now_ms: int) -> int:
    """Return how much of a wait is left, in milliseconds."""
    return 0 if since_ms is None else max(0, since_ms + wait_ms - now_ms)
