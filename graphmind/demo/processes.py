"""Child processes of a demonstration: each in a group of its own, ended with all it started."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from graphmind.errors import GraphmindError
from graphmind.settings import PREFIX

END_S: Final = 40.0
"""A child that was asked to end may take so long: the platform ends twenty of its own (chosen)."""
LOG_SHOWN: Final = 1_500


class DemoError(GraphmindError):
    """The demonstration cannot go on; the message says what to do."""


class Child:
    """A process that writes to a log of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        cwd: Path,
        environment: Mapping[str, str],
    ) -> None:
        self.name = name
        self.log_path = folder / f"{name}.log"
        with self.log_path.open("wb") as log:
            # A session of its own: Ctrl-C reaches the parent alone, which ends them in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                command,
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return self.log_path.read_text("utf-8", "replace")

    def must_live(self) -> None:
        """Raise DemoError with the end of its log where it has ended."""
        code = self._process.poll()
        if code is not None:
            raise DemoError(
                f"{self.name} ended with {code}; {self.log_path} ends with:\n"
                f"{self.log[-LOG_SHOWN:]}"
            )

    def must_come(self, deadline_s: float, what: str) -> None:
        """Raise DemoError where it ended, or the moment (monotonic clock) has passed."""
        self.must_live()
        if time.monotonic() > deadline_s:
            raise DemoError(f"{self.name}: {what} did not come in time; see {self.log_path}")

    def end(self) -> None:
        """Ask it to end, and see that nothing of its group is left."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C, so that who started children ends them too. Main thread only."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def free_ports(count: int) -> list[int]:
    """Return ports that were free on loopback just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without settings of another server."""
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX)}
