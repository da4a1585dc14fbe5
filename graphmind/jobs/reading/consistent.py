"""A page is read in several look-ups, all of one state of the archive."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from graphmind.archive.port import Archive

P = ParamSpec("P")
Found = TypeVar("Found")


def consistent(
    read: Callable[Concatenate[Archive, P], Found],
) -> Callable[Concatenate[Archive, P], Found]:
    """Let a reading of an archive, its first argument, see one state; it must store nothing."""

    @wraps(read)
    def reading(archive: Archive, /, *args: P.args, **kwargs: P.kwargs) -> Found:
        with archive.consistent():
            return read(archive, *args, **kwargs)

    return reading
