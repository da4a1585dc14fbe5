"""After a crash: repairs that stand half done are settled, then finished or undone."""

import logging
from collections.abc import Callable
from typing import Final

from graphmind.repair.journal import Journal, Outdated, TargetBusy
from graphmind.repair.progress import next_back
from graphmind.repair.record import Repair
from graphmind.repair.runner import Runner
from graphmind.repair.states import State

log = logging.getLogger(__name__)

UNFINISHED: Final = (State.RUNNING, State.ROLLING_BACK, State.HARMFUL)
"""States that call for the runner: a harmful repair is undone by itself."""
PAGED: Final = "page"
"""The remedy, in a repair's verification, that leaves a harmful repair to people."""
AT_ONCE_MAX: Final = 1_000
"""Repairs that one recovery looks at; there is one live repair a target (chosen)."""


def recover(
    journal: Journal,
    runner: Runner,
    *,
    now_ms: Callable[[], int],
    alone: bool,
    who: str = "recovery",
) -> list[Repair]:
    """Resume each repair whose runner is gone, oldest first; return them as they stand then.

    ``alone`` says that no other runner lives, as at the start of the one process that owns an
    embedded graph. Otherwise a repair is left until its lease has run out: its runner may live.
    Raises StoreError.
    """
    found = journal.repairs(states=UNFINISHED, limit=AT_ONCE_MAX)
    resumed = []
    for repair in reversed(found):
        if not alone and _is_held(journal, repair, now_ms()):
            continue
        try:
            resumed.append(_resumed(runner, repair, who))
        except (Outdated, TargetBusy) as error:  # Another process was first, or is at the target.
            log.info("repair_not_resumed repair_id=%s reason=%s", repair.repair_id, error)
    return resumed


def _resumed(runner: Runner, repair: Repair, who: str) -> Repair:
    if repair.state is not State.HARMFUL:
        return runner.resume(repair.repair_id, who=who)
    if next_back(repair) is None or repair.verification.get("remedy") == PAGED:
        return repair
    return runner.undo(repair.repair_id, who=who, reason="it did harm", by="system")


def _is_held(journal: Journal, repair: Repair, now_ms: int) -> bool:
    lease = journal.lease(repair.target)
    return lease is not None and lease.repair_id == repair.repair_id and lease.until_ms > now_ms
