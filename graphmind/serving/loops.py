"""Named background loops: each runs one job again and again, and says so in the log."""

import logging
import math
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from graphmind.errors import GraphmindError

ERROR_PAUSE_MAX_S: Final = 60.0
"""Longest pause of a loop that fails again and again (chosen)."""
LATE_RUNS: Final = 30
"""A loop is late when it has not finished a run for so many of its pauses (chosen)."""
LATE_MIN_S: Final = 60.0
_log = logging.getLogger(__name__)

Job = Callable[[], Mapping[str, int | float | str]]
"""Does a run and returns its counts; an empty answer says that there was nothing to do."""


@dataclass(kw_only=True)
class LoopState:
    """What a loop did last."""

    runs: int = 0
    failures: int = 0
    """In a row."""
    failed: int = 0
    """In all."""
    error: str = ""
    """Of the last run; empty when it went well."""
    seconds: float = 0.0
    """That the last run took."""
    finished_s: float = field(default_factory=time.monotonic)
    """When the last good run ended, on the monotonic clock."""


class Loop:
    """A thread that runs a job every so many seconds until it is stopped."""

    def __init__(
        self,
        name: str,
        job: Job,
        *,
        every_s: float,
        rest: float = 0.0,
        rest_max_s: float = math.inf,
        strain: Callable[[], float] = lambda: 1.0,
    ) -> None:
        """Pause at least ``rest`` times as long as the run before took: work that can wait.

        No longer than ``rest_max_s``, where a run may take long because it waits for others.
        ``strain`` multiplies that rest: how much the process has to do just then, 1 or more.
        """
        self.name = name
        self._rest = rest
        self._rest_max_s = rest_max_s
        self._strain = strain
        self.every_s = every_s
        self.state = LoopState()
        self._job = job
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first run comes at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the run under way."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def trouble(self) -> str:
        """Say what is wrong with the loop; empty if nothing."""
        if not self._thread.is_alive() and not self._stop.is_set():
            return "not running"
        if self.state.failures:
            return f"failed {self.state.failures} times in a row: {self.state.error}"
        late_s = time.monotonic() - self.state.finished_s
        if late_s > max(LATE_MIN_S, LATE_RUNS * self.every_s):
            return f"no run finished for {late_s:.0f} s"
        return ""

    def run_once(self) -> None:
        """Do one run and note how it went; nothing is raised."""
        run_id, began_s = uuid.uuid4().hex[:12], time.monotonic()
        try:
            counts = self._job()
        except GraphmindError as error:
            self._failed(run_id, began_s, str(error))
        except Exception as error:  # noqa: BLE001 - the one edge: a bug must not end the loop
            self._failed(run_id, began_s, f"{type(error).__name__}: {error}")
            _log.debug("job_failed job=%s run_id=%s", self.name, run_id, exc_info=True)
        else:
            self._succeeded(run_id, began_s, counts)

    def _run(self) -> None:
        pause_s = 0.0
        while not self._stop.wait(pause_s):
            began_s = time.monotonic()
            self.run_once()
            tries = min(self.state.failures, 10)
            took_s = time.monotonic() - began_s
            rest_s = min(self._rest * self._strain() * took_s, self._rest_max_s)
            pause_s = max(0.0, self.every_s - took_s, rest_s)
            if tries:
                pause_s = min(ERROR_PAUSE_MAX_S, self.every_s * 2**tries)

    def _succeeded(
        self, run_id: str, began_s: float, counts: Mapping[str, int | float | str]
    ) -> None:
        state = self.state
        state.finished_s = time.monotonic()
        state.seconds, state.error, state.failures = state.finished_s - began_s, "", 0
        state.runs += 1
        if counts:
            told = " ".join(f"{name}={value}" for name, value in counts.items())
            _log.info(
                "job job=%s %s seconds=%.3f run_id=%s", self.name, told, state.seconds, run_id
            )

    def _failed(self, run_id: str, began_s: float, reason: str) -> None:
        state = self.state
        state.seconds, state.error = time.monotonic() - began_s, reason
        state.failures += 1
        state.failed += 1
        _log.error(
            "job_failed job=%s seconds=%.3f run_id=%s reason=%r",
            self.name,
            state.seconds,
            run_id,
            reason,
        )
