"""The published conversations as turns."""

import gzip
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphmind.analysis.localisation.conversation import Turn

SETS = ("Algorithm-Generated", "Hand-Crafted")
_RAN = "exitcode"
"""How the reply of a participant that runs code begins."""
_USER = "human"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A failed run with its label."""

    turns: tuple[Turn, ...]
    culprit: str
    step: int


def read_runs(folder: Path, name: str) -> list[Run]:
    """Read one of SETS."""
    with gzip.open(folder / f"{name}.jsonl.gz", "rt") as stream:
        told = [json.loads(line) for line in stream]
    ran, spoke = Counter[str](), Counter[str]()
    for each in told:
        for turn in each["history"]:
            spoke[_speaker(turn)] += 1
            ran[_speaker(turn)] += str(turn["content"]).startswith(_RAN)
    tools = {speaker for speaker, count in spoke.items() if ran[speaker] > count / 2}
    return [
        Run(
            turns=tuple(_turn(turn, tools) for turn in each["history"]),
            culprit=_agent(each["mistake_agent"]),
            step=int(each["mistake_step"]),
        )
        for each in told
    ]


def _turn(turn: dict[str, Any], tools: set[str]) -> Turn:
    speaker = _speaker(turn)
    kind = "tool" if speaker in tools else "user" if speaker == _USER else "agent"
    return Turn(speaker=speaker, kind=kind, text=str(turn["content"]))


def _speaker(turn: dict[str, Any]) -> str:
    return _agent(turn.get("name") or turn["role"])


def _agent(name: str) -> str:
    """Drop what an agent was doing, which stands in brackets."""
    return name.partition(" (")[0]
