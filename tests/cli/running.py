"""Runs the command line as a user does: a process, its output and its exit code."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def graphmind(*words: object, stdin: bytes = b"", **environ: str) -> Answer:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "graphmind", *map(str, words)],
        input=stdin,
        capture_output=True,
        cwd=root,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **environ},
        check=False,
        timeout=300,
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
