"""The changes of a repair as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.concurrency import run_in_threadpool

from graphmind.errors import GraphmindError
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.repair.states import LIVE, State
from graphmind_api.repair_models import RepairSummary

LOOK_EVERY_S: Final = 0.5
"""Between two looks at the journal (chosen)."""
ALIVE_EVERY_S: Final = 15.0
"""Without news a comment is sent, so that nobody in between ends the connection (chosen)."""
BEFORE_RUN: Final = frozenset(
    {State.PROPOSED, State.PLANNED, State.AWAITING_APPROVAL, State.APPROVED}
)


async def events_of(
    desk: RepairDesk,
    repair_id: str,
    *,
    is_closing: Callable[[], bool],
    look_every_s: float = LOOK_EVERY_S,
    alive_every_s: float = ALIVE_EVERY_S,
) -> AsyncIterator[str]:
    """Yield an event for each version seen, until the repair is over or the server closes.

    A store that does not answer ends the stream: clients come again by themselves.
    """
    version, quiet_s = -1, 0.0
    while not is_closing():
        try:
            repair = await run_in_threadpool(desk.get, repair_id)
        except GraphmindError:
            return
        if repair.version != version:
            version, quiet_s = repair.version, 0.0
            text = RepairSummary.of(repair).model_dump_json()
            yield f"event: repair\nid: {version}\ndata: {text}\n\n"
        if repair.state not in LIVE | BEFORE_RUN:
            return
        await asyncio.sleep(look_every_s)
        quiet_s += look_every_s
        if quiet_s >= alive_every_s:
            quiet_s = 0.0
            yield ": alive\n\n"
