"""Repairs that run on after their request was answered."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from graphmind.repair.record import Repair

WAIT_S: Final = 1.0
"""How long a request waits for the end, so that a refusal is its answer (chosen)."""
AT_ONCE: Final = 8
"""Repairs that run at once; more wait (chosen)."""

_log = logging.getLogger(__name__)


class UnderWay:
    """Runs and undoes repairs on threads of their own; ``close`` waits for them."""

    def __init__(self, *, wait_s: float = WAIT_S) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="repair")
        self._wait_s = wait_s

    def begin(self, repair_id: str, call: Callable[[], Repair]) -> Repair | None:
        """Start a call; return what it returned, or None where it goes on. Raises what it raised.

        What a call raises later is logged: the journal has how far the repair got.
        """
        running = self._threads.submit(call)
        try:
            return running.result(self._wait_s)
        except TimeoutError:
            if running.done():  # The call's own error, or it ended in the same moment.
                return running.result()
        running.add_done_callback(lambda ended: _note(repair_id, ended))
        return None

    def close(self) -> None:
        """Take no more calls, wait for those under way, and return."""
        self._threads.shutdown()


def _note(repair_id: str, ended: Future[Repair]) -> None:
    if error := ended.exception():
        _log.error("repair_ended_early repair_id=%s", repair_id, exc_info=error)
