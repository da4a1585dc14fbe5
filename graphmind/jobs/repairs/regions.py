"""What should be done about regions now: the region watcher over traffic, incidents and routers.

It proposes, and says why; what is done is planned, approved and run as any other repair is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from graphmind.archive.port import Archive, Selection
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.window import read_newest
from graphmind.repair.connector import Connector, ConnectorError
from graphmind.repair.journal import AuditDraft
from graphmind.repair.model import Call
from graphmind.repair.policy import POLICY
from graphmind.repair.record import Repair
from graphmind.repair.region_health import Bounds, Judged, judge, namings_of, traffic_of
from graphmind.repair.regions import Outlook, Policy, Region, watch
from graphmind.repair.states import State
from graphmind.telemetry.facts import Facts

KIND: Final = "regions"
OUTLOOK: Final = "outlook"
"""The one document of that kind: the latest outlook."""
LOOK_BACK_NS: Final = 600 * 10**9
"""Traffic of so long is judged, or since the region's weight changed (chosen)."""
PAST_MAX: Final = 200
"""Repairs of regions looked back over (chosen)."""
TAKEN_BACK: Final = frozenset({State.ROLLED_BACK, State.INTERCEPTED, State.FAILED})
_MS_NS: Final = 1_000_000

Document = dict[str, Any]


def look_at_regions(desk: RepairDesk) -> Document | None:
    """Judge the regions that connectors route to, keep the outlook; None where none is routed.

    Proposals that were not made before are audited, once.
    """
    routers = [each for each in desk.connectors.values() if _routes(each)]
    if not routers:
        return None
    now_ms, archive = desk.now_ms(), desk.stores.archive
    window = Selection(from_ns=now_ms * _MS_NS - LOOK_BACK_NS)
    facts = read_newest(archive, window, desk.settings.live_traces)
    repairs = [each for each in desk.repairs(limit=PAST_MAX) if _moved_a_region(each)]
    named = {each.region for each in traffic_of(facts)} | {_region_of(each) for each in repairs}
    members = _members(routers, sorted(named))
    if not members:
        return None
    full = max((weight for own in members.values() for weight in own), default=0) or 1
    regions = [_region(name, own, full, repairs) for name, own in members.items()]
    judged = _judged(archive, regions, facts)
    outlook = watch(regions, judged, Policy(full=full), now_ms=now_ms)
    found = _document(regions, judged, outlook)
    _keep(desk, found, now_ms)
    return found


def outlook_of(archive: Archive) -> Document | None:
    """Return the latest outlook; None where no region was ever judged."""
    return archive.document(KIND, OUTLOOK)


def _routes(connector: Connector) -> bool:
    actions = connector.describe().actions
    return any(each.level == "region" and each.name == "set_weight" for each in actions)


def _moved_a_region(repair: Repair) -> bool:
    return (
        repair.target.startswith("region:")
        and repair.executed_ms is not None
        and repair.state not in TAKEN_BACK
    )


def _region_of(repair: Repair) -> str:
    return repair.target.partition(":")[2]


def _members(routers: Sequence[Connector], names: Sequence[str]) -> dict[str, list[int]]:
    """Return the weights of the members of each region that a router knows; 0 takes no traffic.

    What a router does not know, or keeps in maintenance on purpose, is not ours to weigh.
    """
    found: dict[str, list[int]] = {}
    for name in names:
        for router in routers:
            try:
                before = router.plan(Call(action="enable", target=name)).before
            except ConnectorError:
                continue
            found[name] = [
                each["weight"] if each["mode"] == "ready" else 0 for each in before.values()
            ]
            break
    return found


def _region(name: str, weights: Sequence[int], full: int, repairs: Sequence[Repair]) -> Region:
    own = [each for each in repairs if _region_of(each) == name]
    last = max(own, key=lambda each: each.executed_ms or 0, default=None)
    return Region(
        name=name,
        share=min(1.0, sum(weights) / (full * len(weights))),
        capacity=len(weights),
        changed_ms=last.executed_ms if last else None,
        by_watcher=last is not None and last.requested_by == POLICY,
    )


def _judged(archive: Archive, regions: Sequence[Region], facts: Facts) -> Mapping[str, Judged]:
    since = {each.name: each.changed_ms for each in regions if each.changed_ms is not None}
    namings = namings_of(archive.incidents())
    return judge([each.name for each in regions], traffic_of(facts, since), namings, Bounds())


def _document(
    regions: Sequence[Region], judged: Mapping[str, Judged], outlook: Outlook
) -> Document:
    return {
        "regions": [
            {
                "region": each.name,
                "health": judged[each.name].health.name.lower(),
                "excess": judged[each.name].excess,
                "share": each.share,
                "reasons": list(judged[each.name].reasons),
                "held": outlook.held.get(each.name),
            }
            for each in regions
        ],
        "proposals": [asdict(each) | {"reasons": list(each.reasons)} for each in outlook.proposals],
    }


def _keep(desk: RepairDesk, found: Document, now_ms: int) -> None:
    archive = desk.stores.archive
    known = outlook_of(archive) or {"proposals": []}
    archive.replace_documents(KIND, {OUTLOOK: {"at_ms": now_ms, **found}})
    made = [_without_reasons(each) for each in known["proposals"]]
    for each in found["proposals"]:
        if _without_reasons(each) not in made:
            entry = AuditDraft(who=POLICY, what="region_proposal", at_ms=now_ms, body=each)
            desk.journal.note(entry)


def _without_reasons(proposal: Document) -> Document:
    """Return what is proposed: its reasons hold figures that change with each look."""
    return {name: value for name, value in proposal.items() if name != "reasons"}
