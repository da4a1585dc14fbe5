"""A process that outlives the one that started it ends itself: nothing is left behind by a kill."""

import asyncio
import os
from collections.abc import Callable
from typing import Final

LOOK_S: Final = 0.5
"""Pause between two looks (chosen)."""


def orphaned(parent: int) -> bool:
    """Whether the process that started this one is gone."""
    return os.getppid() != parent


async def follow(parent: int, end: Callable[[], None]) -> None:
    """Call ``end`` once the parent is gone."""
    while not orphaned(parent):  # noqa: ASYNC110 - nothing tells a process that its parent died
        await asyncio.sleep(LOOK_S)
    end()
