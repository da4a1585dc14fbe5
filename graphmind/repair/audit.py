"""The audit trail: what an entry says, how entries are chained, and where a chain is broken. Pure.

Each entry's hash is over the canonical JSON of its place, the hash before it and what it says. The
journal's head keeps place and hash of the last one, so that a tail cut off is missed too. Who can
rewrite the whole graph can forge a whole chain: keep a head elsewhere now and then.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec

from graphmind.repair.journal import AuditDraft, AuditEntry, AuditHead
from graphmind.repair.record import Repair

GENESIS: Final = "0" * 64
"""What the first entry names as the hash before it."""
START: Final = AuditHead(seq=0, hash=GENESIS)
"""The head of a trail without entries."""

Fault = Literal["changed", "missing", "out_of_place", "unlinked"]


@dataclass(frozen=True, kw_only=True)
class ChainBreak:
    """Where a trail is not what was written."""

    place: int
    """1 is the first entry that was read; one more than there are for what is cut off."""
    seq: int
    """Place in the trail, as it should be there."""
    fault: Fault
    detail: str


def drafted(repair: Repair, what: str, *, who: str, at_ms: int, **facts: Any) -> AuditDraft:
    """Return the entry of one decision or step on a repair, in the words of S32."""
    body = {
        "incident_id": repair.incident_id,
        "root_cause": repair.root_cause,
        "strategy": repair.strategy,
        "operator": repair.operator,
        "mode": repair.mode,
        "level": repair.level,
        "target": repair.target,
        "state": str(repair.state),
    }
    return AuditDraft(
        who=who, what=what, at_ms=at_ms, repair_id=repair.repair_id, body={**body, **facts}
    )


def proposed(
    repair: Repair, *, who: str, at_ms: int, detected_ms: int, task_ids: Sequence[str] = ()
) -> AuditDraft:
    """Return a repair's first entry: the only one that names its traces, tasks and detection."""
    return drafted(
        repair,
        "propose",
        who=who,
        at_ms=at_ms,
        trace_ids=list(repair.command.get("trace_scope", ())),
        task_ids=list(task_ids) or list(repair.command.get("touches", {}).get("tasks", ())),
        detected_ms=detected_ms,
    )


def linked(drafts: Iterable[AuditDraft], head: AuditHead) -> list[AuditEntry]:
    """Return the drafts as entries that follow the head."""
    entries: list[AuditEntry] = []
    for draft in drafts:
        plain = replace(draft, body=msgspec.json.decode(canonical(draft.body)))
        seq, before = head.seq + 1, head.hash
        entry = AuditEntry(seq=seq, prev_hash=before, hash=digest(seq, before, plain), draft=plain)
        entries.append(entry)
        head = head_of(entry)
    return entries


def head_of(entry: AuditEntry) -> AuditHead:
    """Return the head of a trail that ends with the entry."""
    return AuditHead(seq=entry.seq, hash=entry.hash)


def digest(seq: int, prev_hash: str, draft: AuditDraft) -> str:
    """Return the hash of an entry: SHA-256 of its canonical JSON, in hexadecimal."""
    said = {
        "seq": seq,
        "prev_hash": prev_hash,
        "who": draft.who,
        "what": draft.what,
        "at_ms": draft.at_ms,
        "repair_id": draft.repair_id,
        "body": draft.body,
    }
    return sha256(canonical(said)).hexdigest()


def canonical(value: Any) -> bytes:
    """Return the one JSON text of a value: names sorted, no blanks, shortest numbers."""
    return msgspec.json.encode(value, order="sorted")


def verify_chain(
    entries: Iterable[AuditEntry], head: AuditHead | None = None, *, after: AuditHead = START
) -> Iterator[ChainBreak]:
    """Yield where the entries, in the order they were read, are not the chain that was written.

    Nothing is yielded for a whole one. ``head`` is where it should end, ``after`` where it begins.
    An entry that was changed and hashed anew is told by the one after it, which names the old hash.
    """
    walk = ChainWalk(after)
    for entry in entries:
        yield from walk.read(entry)
    if head is not None:
        yield from walk.end(head)


class ChainWalk:
    """Reads a trail entry by entry, and tells where it is broken."""

    def __init__(self, after: AuditHead = START) -> None:
        self.last = after.seq
        """Place of the last entry of the trail so far."""
        self._before = after.hash  # Empty after a changed entry: its hash tells nothing.
        self._place = 0

    def read(self, entry: AuditEntry) -> Iterator[ChainBreak]:
        """Yield what is wrong with the next entry."""
        self._place += 1
        expected, before = self.last + 1, self._before
        if entry.hash != digest(entry.seq, entry.prev_hash, entry.draft):
            self.last, self._before = expected, ""
            yield self._found(expected, "changed", "it is not what was written: its hash differs")
            return
        if entry.seq < expected:
            yield self._found(entry.seq, "out_of_place", f"it stands after entry {self.last}")
            return
        self.last, self._before = entry.seq, entry.hash
        if entry.seq > expected:
            many = f"up to entry {entry.seq - 1} " if entry.seq > expected + 1 else ""
            yield self._found(expected, "missing", f"{many}nothing stands in its place")
        elif before and entry.prev_hash != before:
            yield self._found(expected, "unlinked", f"it or entry {expected - 1} was written anew")

    def end(self, head: AuditHead) -> Iterator[ChainBreak]:
        """Yield what is wrong with where the trail ended."""
        if self.last < head.seq:
            self._place += 1
            yield self._found(self.last + 1, "missing", f"cut off: entry {head.seq} was the last")
        elif self.last > head.seq:
            yield self._found(self.last, "out_of_place", f"entry {head.seq} was the last")
        elif self._before and self._before != head.hash:
            yield self._found(self.last, "unlinked", "it was written anew: the head names another")

    def _found(self, seq: int, fault: Fault, detail: str) -> ChainBreak:
        return ChainBreak(place=self._place, seq=seq, fault=fault, detail=f"entry {seq}: {detail}")
