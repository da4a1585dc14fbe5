"""Real servers, one function each: started on free ports in a folder, stopped at the end.

Where a server cannot be had the test that asks for it is skipped with the reason.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.conftest import CANNOT_BE_HAD, free_ports

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class JaegerServer:
    """Where a Jaeger takes OTLP over HTTP, and where it is asked."""

    otlp_url: str
    query_url: str


@contextmanager
def jaeger(folder: Path) -> Iterator[JaegerServer]:
    """A Jaeger that keeps traces in memory; built when there is none yet (minutes)."""
    script, ports = HERE / "jaeger.sh", free_ports(5)
    output_of(script, "start", folder, *ports)
    try:
        yield JaegerServer(
            query_url=f"http://127.0.0.1:{ports[0]}", otlp_url=f"http://127.0.0.1:{ports[1]}"
        )
    finally:
        subprocess.run([script, "stop", folder], check=True)


@contextmanager
def chdb_on_path() -> Iterator[None]:
    """ClickHouse's engine, importable as ``chdb``; it stays loaded, one to a process."""
    folder = output_of(HERE / "chdb.sh", "install").strip()
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def output_of(script: Path, *arguments: object) -> str:
    """Run a script of this folder; skips the test where it says that it cannot be had."""
    command = [str(script), *map(str, arguments)]
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode == CANNOT_BE_HAD:
        pytest.skip(f"{script.name}: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return done.stdout
