"""A server gives back what it no longer needs; each test is a process of its own."""

import os
import subprocess
import sys

import pytest

from graphmind.cli.memory import ALLOCATOR, ENVIRONMENT

FREED_MB = """
import os, psutil
from graphmind.cli.memory import bound_memory
if {bounded}:
    bound_memory()
held = [(b"x" * 100_000, b"x" * 6_000) for _ in range(1_000)]
before = psutil.Process().memory_info().rss
small = [small for _, small in held]  # each lies between two large ones
del held
print((before - psutil.Process().memory_info().rss) / 2**20)
"""
ENGINE_ARGUMENTS = """
import os
from graphmind.cli.memory import bound_memory
bound_memory()
print(os.environ["ARCADEDB_NATIVE_ISOLATE_ARGS"])
"""


def printed(program: str, **environment: str) -> str:
    """Run a program without what this module sets; return what it printed."""
    inherited = {k: v for k, v in os.environ.items() if k not in {*ENVIRONMENT, *ALLOCATOR}}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has these parameters")
def test_large_blocks_go_back_when_they_are_freed() -> None:
    """Bodies of requests leave no holes between small objects that live longer."""
    assert float(printed(FREED_MB.format(bounded=True))) > 80
    assert float(printed(FREED_MB.format(bounded=False))) < 20


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has these parameters")
def test_what_the_environment_says_stands() -> None:
    """Someone who knows their machine better is not overruled."""
    asked = {"MALLOC_MMAP_THRESHOLD_": str(2**24)}

    assert float(printed(FREED_MB.format(bounded=True), **asked)) < 20
    assert printed(ENGINE_ARGUMENTS, ARCADEDB_NATIVE_ISOLATE_ARGS="-Xmn8m") == "-Xmn8m"
