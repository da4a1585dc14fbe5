"""The port of the journal: repairs, leases and the audit trail, each change in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from graphmind.errors import GraphmindError
from graphmind.repair.model import Json
from graphmind.repair.record import Repair

FOREVER_MS: Final = 2**62
"""Later than any time."""


class Outdated(GraphmindError):  # noqa: N818 - reads as the finding it reports
    """Somebody else changed the repair meanwhile: read it again."""


class TargetBusy(GraphmindError):  # noqa: N818 - reads as the finding it reports
    """Another live repair holds the target."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right of one repair to act on a target."""

    target: str
    repair_id: str
    until_ms: int


@dataclass(frozen=True, kw_only=True)
class AuditHead:
    """Where the audit trail ends: kept apart from it, so that a tail cut off is missed."""

    seq: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class AuditDraft:
    """One decision or step, before it takes its place in the chain."""

    who: str
    what: str
    """The event: ``plan``, ``approve``, ``step_intended``, ``step_applied``, ``verdict``..."""
    at_ms: int
    repair_id: str = ""
    body: Json = field(default_factory=dict)
    """The rest of the record (S32), built by ``audit.drafted``. ``trace_ids``, ``task_ids`` (lists)
    and ``strategy`` are what the trail is searched by."""


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """A link of the chain: ``hash`` is over the canonical JSON of all else, ``prev_hash`` too."""

    seq: int
    prev_hash: str
    hash: str
    draft: AuditDraft


class Journal(Protocol):
    """Where repairs live. Every method may raise StoreError; then nothing was written."""

    def create(self, repair: Repair, draft: AuditDraft) -> Repair:
        """Keep a new repair; for an idempotency key that is known, return that repair instead."""

    def change(
        self, repair: Repair, *drafts: AuditDraft, lease_until_ms: int | None = None
    ) -> Repair:
        """Write a changed repair and its audit entries; return it with its new version.

        The target's lease is taken or renewed while the new state is live, and let go with the
        first that is not. Raises Outdated where ``version`` is not the stored one, TargetBusy
        where another repair holds the target: its lease has not run out by the time of the drafts,
        or it stands half done (running, rolling back) and must be recovered first.
        """

    def note(self, *drafts: AuditDraft) -> None:
        """Write audit entries that belong to no repair: the stop switch, a strategy's change."""

    def get(self, repair_id: str) -> Repair:
        """Return one repair. Raises UnknownName."""

    def repairs(
        self, *, incident_id: str | None = None, states: Sequence[str] = (), limit: int = 200
    ) -> list[Repair]:
        """Return repairs, newest first."""

    def entries(
        self,
        *,
        repair_id: str | None = None,
        trace_id: str = "",
        task_id: str = "",
        strategy: str = "",
        from_ms: int = 0,
        until_ms: int = FOREVER_MS,
        from_seq: int = 0,
        limit: int = 1000,
    ) -> list[AuditEntry]:
        """Return the audit trail in order.

        A trace, task or strategy (of any revision where none is given) selects the repairs that
        name it, with all their entries. ``until_ms`` is excluded.
        """

    def head(self) -> AuditHead:
        """Return where the trail ends; ``seq`` 0 before the first entry."""

    def lease(self, target: str) -> Lease | None:
        """Return who holds a target, or held it last without letting go."""

    def setting(self, name: str) -> Json:
        """Return a durable switch (``stop``, ``suppressed``); empty where it was never set."""

    def set(self, name: str, value: Json, draft: AuditDraft) -> None:
        """Set a durable switch, with its audit entry."""
