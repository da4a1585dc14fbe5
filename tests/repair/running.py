"""A runner on a clock that only sleeping moves, over a journal that watches every change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphmind.repair.calls import Patience
from graphmind.repair.connector import Connector
from graphmind.repair.graph_journal import GraphJournal
from graphmind.repair.journal import AuditDraft
from graphmind.repair.model import Step
from graphmind.repair.record import Repair
from graphmind.repair.recovery import recover
from graphmind.repair.runner import Runner
from graphmind.repair.states import Event, after
from tests.repair.repairs import Shelf, kept_approved, repair, step

EVENTS = {str(event) for event in Event}
PATIENCE = Patience(look_again_s=(0.1, 0.2))


class Watched(GraphJournal):
    """A journal that holds every change against the table, by the events of its entries.

    ``at`` is called before and after each transaction: it may look, or end the runner.
    """

    def __init__(self, graph) -> None:
        super().__init__(graph)
        self.at: Callable[[str], None] = lambda point: None

    def change(
        self, repair: Repair, *drafts: AuditDraft, lease_until_ms: int | None = None
    ) -> Repair:
        stored = self.get(repair.repair_id)
        state = stored.state
        for draft in drafts:
            if draft.what in EVENTS:
                state = after(state, Event(draft.what))
        assert state is repair.state or stored.version != repair.version
        assert drafts
        self.at(f"before {drafts[0].what}")
        changed = super().change(repair, *drafts, lease_until_ms=lease_until_ms)
        self.at(f"after {drafts[0].what}")
        return changed


class Killed(BaseException):
    """The runner's process ends here."""


@dataclass
class Bench:
    """A journal, a shelf and a runner, as a process would have them."""

    journal: Watched
    shelf: Shelf = field(default_factory=Shelf)
    now_ms: int = 2_000
    slept: list[float] = field(default_factory=list)
    connectors: Mapping[str, Connector] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connectors = self.connectors or {"shelf": self.shelf}

    def runner(self, patience: Patience = PATIENCE) -> Runner:
        return Runner(
            self.journal,
            self.connectors,
            now_ms=lambda: self.now_ms,
            sleep=self._sleep,
            patience=patience,
        )

    def approved(self, *steps: Step, name: str = "r1", **changed: Any) -> Repair:
        return kept_approved(self.journal, repair(name, *steps, **changed))

    def run(self, *steps: Step, **changed: Any) -> Repair:
        return self.runner().run(self.approved(*steps, **changed).repair_id, who="runner")

    def recovered(self, *, alone: bool = True) -> list[Repair]:
        return recover(self.journal, self.runner(), now_ms=lambda: self.now_ms, alone=alone)

    def told(self, name: str = "r1") -> list[str]:
        """The events of a repair since it was approved."""
        return [e.draft.what for e in self.journal.entries(repair_id=name)][3:]

    def entry(self, what: str) -> dict[str, Any]:
        """What the last entry of a kind says."""
        return dict([e for e in self.journal.entries() if e.draft.what == what][-1].draft.body)

    def _sleep(self, wait_s: float) -> None:
        self.slept.append(wait_s)
        self.now_ms += round(wait_s * 1000)


ABC = (step(1, "a"), step(2, "b"), step(3, "c"))


def failing(error: Exception, target: str, times: int = 99):
    """Something to do before or after a call: fail for one target, so many times."""
    left = [times]

    def fail(call) -> None:
        if call.target == target and left[0]:
            left[0] -= 1
            raise error

    return fail


def states(found) -> list[str]:
    return [str(run.state) for run in found.steps]
