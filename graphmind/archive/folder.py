"""The data folder belongs to one process: a lock the system releases when its owner dies."""

import fcntl
import os
from pathlib import Path
from typing import IO

from graphmind.errors import StoreBusy, StoreError

LOCK = "archive.lock"


def own_folder(folder: Path) -> IO[str]:
    """Create the folder if need be and lock it; closing what is returned releases it.

    Raises StoreBusy with the owner's pid, also when the owner is this process, and StoreError where
    the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("a+", encoding="ascii")
    except OSError as error:
        raise StoreError(
            f"expected a folder to write in at {folder}, got: {error.strerror}. "
            "Make it writable, or name another data folder (--data-dir)"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        with lock:
            lock.seek(0)
            raise busy(folder, lock.read().strip()) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def owner_of(folder: Path) -> int | None:
    """Return the process that owns a folder now; None where none does."""
    try:
        with (folder / LOCK).open("r", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
    except BlockingIOError:
        pid = (folder / LOCK).read_text("ascii").strip()
        return int(pid) if pid.isdigit() else None
    except OSError:
        return None


def busy(folder: Path, pid: str) -> StoreBusy:
    """Say who owns the folder and what to do."""
    owner = "this process" if pid == str(os.getpid()) else f"process {pid or 'unknown'}"
    return StoreBusy(
        f"the data folder {folder} is owned by {owner}. "
        "End it, or name another data folder (--data-dir)"
    )
