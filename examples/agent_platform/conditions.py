"""What is wrong with the world at this moment: rules that the injector writes to a file.

The processes of the platform read them as a real fault would reach them: at a network connection,
in a model's weights, in an agent's memory. Nothing of it is written to any telemetry.
"""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

Rule = Mapping[str, Any]
LOOK_S: Final = 0.25
"""A file is looked at so often (chosen)."""


class Watched:
    """A JSON file that others replace; read again when it has changed, at most every LOOK_S."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._looked = 0.0
        self._stamp: tuple[int, int] | None = None
        self._document: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Return the document; empty while there is no file."""
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return self._document
        self._looked = now
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                self._document = orjson.loads(self.path.read_bytes())
                self._stamp = stamp
        except FileNotFoundError:
            self._document, self._stamp = {}, None
        return self._document


def replace_file(path: Path, document: Any) -> None:
    """Write a JSON document so that a reader sees the old one or the new one, whole."""
    beside = path.with_suffix(f".{os.getpid()}.new")
    beside.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    beside.replace(path)


class Conditions:
    """The rules in force."""

    def __init__(self, path: Path) -> None:
        self._file = Watched(path)

    def at(self, place: str, **facts: object) -> Rule | None:
        """Return the first rule in force at a place of the platform."""
        return matching(self._file.read().get("rules", ()), place, facts)


def matching(rules: Sequence[Rule], place: str, facts: Mapping[str, object]) -> Rule | None:
    """Return the first rule of a place all of whose ``where`` the facts meet."""
    for rule in rules:
        if rule["at"] == place and all(
            facts.get(name) == wanted for name, wanted in rule.get("where", {}).items()
        ):
            return rule
    return None
