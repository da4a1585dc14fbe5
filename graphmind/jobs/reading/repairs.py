"""What was done about incidents: states of their repairs, now or as of a moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from graphmind.jobs.stores import Stores
from graphmind.repair.graph_journal import GraphJournal
from graphmind.repair.journal import FOREVER_MS, AuditEntry
from graphmind.repair.record import Repair

REPAIRS_MAX: Final = 1_000
"""Repairs looked at, the newest (chosen)."""
PAGE: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class RepairAt:
    """A repair entered a state."""

    repair_id: str
    at_ms: int
    state: str
    strategy: str


def newest_live(stores: Stores, incident_id: str | None = None) -> list[Repair]:
    """Return the newest repairs, of one incident where it is named; dry runs are none."""
    found = GraphJournal(stores.graph).repairs(incident_id=incident_id, limit=REPAIRS_MAX)
    return [each for each in found if each.mode == "live"]


def newest_states(stores: Stores, as_of_ms: int | None = None) -> dict[str, str]:
    """Return the state of the newest repair of each incident that has one; dry runs left out."""
    repairs = newest_live(stores)
    if as_of_ms is None:
        return _newest({each.repair_id: str(each.state) for each in repairs}, repairs)
    asked = [each for each in repairs if each.requested_ms <= as_of_ms]
    if not asked:
        return {}
    states = {
        entry.draft.repair_id: entry.draft.body["state"]
        for entry in _entries(GraphJournal(stores.graph), until_ms=as_of_ms + 1)
        if "state" in entry.draft.body
    }
    return _newest(states, asked)


def states_of(stores: Stores, incident_id: str, as_of_ms: int | None = None) -> list[RepairAt]:
    """Return the states that the live repairs of an incident went through, by time."""
    journal = GraphJournal(stores.graph)
    until_ms = FOREVER_MS if as_of_ms is None else as_of_ms + 1
    passed: list[RepairAt] = []
    for repair in newest_live(stores, incident_id):
        passed += _changes(_entries(journal, repair_id=repair.repair_id, until_ms=until_ms))
    return sorted(passed, key=lambda each: (each.at_ms, each.repair_id))


def _newest(states: dict[str, str], repairs: list[Repair]) -> dict[str, str]:
    """Return a state by incident; repairs come newest first."""
    newest: dict[str, str] = {}
    for repair in repairs:
        if repair.repair_id in states:
            newest.setdefault(repair.incident_id, states[repair.repair_id])
    return newest


def _changes(entries: Iterator[AuditEntry]) -> Iterator[RepairAt]:
    before = None
    for entry in entries:
        body = entry.draft.body
        if body.get("state") not in (None, before):
            before = body["state"]
            yield RepairAt(
                repair_id=entry.draft.repair_id,
                at_ms=entry.draft.at_ms,
                state=before,
                strategy=body.get("strategy", ""),
            )


def _entries(
    journal: GraphJournal, *, until_ms: int, repair_id: str | None = None
) -> Iterator[AuditEntry]:
    """Yield audit entries before a moment in order."""
    place = 0
    while True:
        page = journal.entries(repair_id=repair_id, until_ms=until_ms, from_seq=place, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        place = page[-1].seq + 1
