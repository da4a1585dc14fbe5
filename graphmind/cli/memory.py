"""What the libraries of a server do with memory that they no longer need: told before they load."""

import ctypes
import os
import sys
from typing import Final

ENVIRONMENT: Final = {
    # Arrow: by glibc, bounded below. Its own pool keeps the peak of a server that works in bursts.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # The embedded graph: its new objects, most of them garbage soon, fill so much before it
    # collects, and all of its objects so much at most. By default those are shares of all memory.
    "ARCADEDB_NATIVE_ISOLATE_ARGS": "-Xmn32m -Xmx192m",
}
ALLOCATOR: Final = {
    "MALLOC_ARENA_MAX": (-8, 2),
    "MALLOC_MMAP_THRESHOLD_": (-3, 64 * 2**10),
    "MALLOC_TRIM_THRESHOLD_": (-1, 2**20),
}
"""What glibc reads from the environment as a process starts, the numbers of the same parameters in
its ``malloc.h``, and values: two arenas for forty threads, and bodies of requests in pages of their
own, which go back when they are freed. Under 40,000 spans a second for two minutes a server held
1.2 GB before Arrow and the graph's heap were bounded as well, with that 0.87 GB at a heap of 192 MB
and 0.99 GB at one of 384 MB (measured)."""


def bound_memory() -> None:
    """Keep little of what is freed; what the user's environment says otherwise stands.

    To be called before Arrow is imported, a graph is opened or a thread is started.
    """
    for name, text in ENVIRONMENT.items():
        os.environ.setdefault(name, text)
    # Other C libraries than glibc have no such parameters.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return
    for name, (parameter, value) in ALLOCATOR.items():
        if name not in os.environ:
            mallopt(parameter, value)
