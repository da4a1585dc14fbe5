"""The lineage of a bad value: who wrote it, who read it since, what to close."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.analysis.contamination.failures import Failures, failures_of
from graphmind.analysis.contamination.origin import (
    WRITERS,
    blamed_writes,
    patient_zero,
    suspects_in,
)
from graphmind.analysis.contamination.trail import Trail, follow
from graphmind.archive.port import Archive, Selection
from graphmind.errors import UnknownName
from graphmind.jobs.settle import HOUR_NS
from graphmind.repair.quarantine import quarantine
from graphmind.telemetry.facts import Facts
from graphmind.telemetry.lineage import History, history_of
from graphmind.telemetry.tree import Ints

MS_NS: Final = 1_000_000
AROUND_HOURS: Final = (24, 12, 6, 3, 1, 0)
"""How long before and after the incident traces are read: the longest with few enough (chosen)."""
TRACES_MAX: Final = 200_000
"""Traces read at most (chosen: 150 MB of what they touched of keys)."""
HOPS_MAX: Final = 6
"""Writes that a value is followed through: twice as far as a cause is sought (chosen)."""
LISTED_MAX: Final = 1_000
"""Traces and keys that a document lists of each kind, nearest first."""


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """Where a bad value began, how far it came, and the command against it."""

    subject: dict[str, str]
    """``kind`` (incident, key or trace) and ``name`` of what was asked for."""
    basis: str
    """Why these origins: cause, search, failing_traces or asked."""
    window: dict[str, int]
    """``from_ms``, ``until_ms`` and ``traces`` of what was read."""
    trail: Trail
    command: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """Return it as JSON-ready names and values; long lists are cut, their counts are whole."""
        trail = self.trail
        at_risk = trail.traces.filter(trail.traces["healthy"])
        unread = trail.keys.filter(pc.equal(trail.keys["harmed"], 0))
        zero = trail.patient_zero
        return {
            "subject": self.subject,
            "basis": self.basis,
            "window": self.window,
            "origins": [asdict(write) for write in trail.origins[:LISTED_MAX]],
            "patient_zero": None if zero is None else asdict(zero),
            "by_hops": [asdict(ring) for ring in trail.rings],
            "not_reached": {"traces": trail.others.traces, "failing": trail.others.harmed},
            "counts": {
                "traces": trail.traces.num_rows,
                "harmed": pc.sum(trail.traces["harmed"]).as_py() or 0,
                "at_risk_traces": at_risk.num_rows,
                "keys": trail.keys.num_rows,
                "at_risk_keys": unread.num_rows,
                "keys_holding": len(trail.rollbacks),
            },
            "traces": trail.traces.slice(0, LISTED_MAX).to_pylist(),
            "at_risk_traces": at_risk["trace_id"].slice(0, LISTED_MAX).to_pylist(),
            "keys": trail.keys.slice(0, LISTED_MAX).to_pylist(),
            "at_risk_keys": unread["key"].slice(0, LISTED_MAX).to_pylist(),
            "rollbacks": [
                {**asdict(each), "healthy_writers": list(each.healthy_writers[:LISTED_MAX])}
                for each in trail.rollbacks[:LISTED_MAX]
            ],
            "contaminated": trail.contaminated.to_pylist(),
            "command": self.command,
        }


def lineage_of_incident(
    archive: Archive, incident_id: str, *, traces_max: int = TRACES_MAX
) -> Lineage:
    """Follow what poisoned an incident's traces. Raises UnknownName.

    The origins are what its causes wrote. Where the causes name no writer, they are what its own
    traces wrote; where there is no cause, the write that explains the failures best, if one does.
    """
    incident: Mapping[str, Any] = archive.incident(incident_id)
    own = pa.array(incident["trace_ids"], pa.string())
    first, last = _time_of(archive, own, f"incident {incident_id}")
    facts, window = _read(archive, first, last, traces_max)
    history, failures = _arranged(facts, own)
    origins, zero, basis = _origins(history, failures, incident["causes"])
    trail = follow(history, failures, origins, patient_zero=zero, hops_max=HOPS_MAX)
    return Lineage(
        subject={"kind": "incident", "name": incident_id},
        basis=basis,
        window=window,
        trail=trail,
        command=quarantine(trail, matched_cluster=incident["cluster_id"]),
    )


def lineage_of_key(archive: Archive, key: str, *, at_ms: int) -> Lineage:
    """Follow the value that a key held at a time, epoch ms. Raises UnknownName if none is known."""
    at_ns = (at_ms + 1) * MS_NS - 1
    facts, window = _read(archive, at_ns, at_ns)
    history, failures = _arranged(facts, None)
    accesses = history.accesses
    before = history.written & (accesses["at_ns"].to_numpy() <= at_ns)
    rows = np.flatnonzero(pc.equal(accesses["key"], key).to_numpy() & before)
    if not len(rows):
        raise UnknownName(
            f"no write of key {key} before {at_ms} is known. Keys are named `store:key`; times are "
            "epoch ms"
        )
    return _asked(history, failures, rows[-1:], window, subject={"kind": "key", "name": key})


def lineage_of_trace(archive: Archive, trace_id: str) -> Lineage:
    """Follow everything that a trace wrote. Raises UnknownName if it is not known."""
    first, last = _time_of(archive, pa.array([trace_id], pa.string()), f"trace {trace_id}")
    facts, window = _read(archive, first, last)
    history, failures = _arranged(facts, None)
    of_trace = pc.equal(history.accesses["trace_id"], trace_id).to_numpy()
    rows = np.flatnonzero(of_trace & history.written)
    return _asked(history, failures, rows, window, subject={"kind": "trace", "name": trace_id})


def _asked(
    history: History,
    failures: Failures,
    origins: Ints,
    window: dict[str, int],
    *,
    subject: dict[str, str],
) -> Lineage:
    trail = follow(history, failures, origins, hops_max=HOPS_MAX)
    command = quarantine(trail, matched_cluster=f"{subject['kind']}:{subject['name']}")
    return Lineage(subject=subject, basis="asked", window=window, trail=trail, command=command)


def _time_of(archive: Archive, trace_ids: pa.Array, whose: str) -> tuple[int, int]:
    """Return when the first and the last of the traces began, ns."""
    ran = archive.queries.time_of(trace_ids)
    if ran.since_ns >= ran.until_ns:
        raise UnknownName(f"the archive holds no facts of {whose}: unknown, not settled, or pruned")
    return ran.since_ns, ran.until_ns - 1


def _read(
    archive: Archive, first_ns: int, last_ns: int, traces_max: int = TRACES_MAX
) -> tuple[Facts, dict[str, int]]:
    """Read the traces of a time, and of as long before and after as the bound allows."""
    for selection in _narrowing(first_ns, last_ns):
        if sum(archive.failing_and_healthy(selection)) <= traces_max:
            break
    facts = archive.facts(selection, with_items=False)
    starts = facts.traces["start_ns"]
    return facts, {
        "from_ms": (pc.min(starts).as_py() or first_ns) // MS_NS,
        "until_ms": (pc.max(starts).as_py() or last_ns) // MS_NS,
        "traces": facts.traces.num_rows,
    }


def _narrowing(first_ns: int, last_ns: int) -> Iterator[Selection]:
    """Yield ever shorter times: less around it, then only the beginning, where the origin is."""
    for hours in AROUND_HOURS:
        around = hours * HOUR_NS
        yield Selection(from_ns=first_ns - around, until_ns=last_ns + around + 1)
    length = last_ns - first_ns
    while length:
        length //= 2
        yield Selection(from_ns=first_ns, until_ns=first_ns + length + 1)


def _arranged(facts: Facts, own: pa.Array | None) -> tuple[History, Failures]:
    """Arrange the accesses, and who failed: of an incident the traces given, else everyone."""
    history = history_of(facts.accesses)
    shown = facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))
    mine = pc.unique(shown["trace_id"]) if own is None else own
    return history, failures_of(history, shown, mine)


def _origins(
    history: History, failures: Failures, causes: list[dict[str, Any]]
) -> tuple[Ints, int | None, str]:
    """Return rows of writes, the one to blame first, and why these."""
    suspects = suspects_in(history, failures)
    blamed = blamed_writes(history, suspects, _items(causes))
    if len(blamed):
        return blamed, patient_zero(suspects, blamed), "cause"
    zero = None if causes else patient_zero(suspects, blamed)
    if zero is not None:
        return blamed, zero, "search"
    own = np.flatnonzero(history.written & failures.own[history.trace])
    return own, None, "failing_traces"


def _items(causes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the items that name writers: of the causes, else of what is tied with them."""
    named = [item for cause in causes for item in cause["all_of"]]
    tied = [item for cause in causes for items in cause["tied"] for item in items]
    for items in (named, tied):
        found = [(item["kind"], item["name"]) for item in items if item["kind"] in WRITERS]
        if found:
            return found
    return []
