"""The structure of JSON text that may be cut off or broken, seen without parsing it.

A key is only ever found where a key stands: text inside strings does not count.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

PATH_DEPTH_MAX = 4  # every signature of a kind lies above this depth
NESTING_MAX = 200  # chosen: no telemetry nests deeper, and parsers give up at about 1000

# A string may be cut off by the end of the text. A line that starts with an object is a record of
# its own, even if the line before it is broken.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\]:,]|\n(?=\{")', re.DOTALL)

Path = tuple[str, ...]
"""Keys from the top down to a value; lists leave no trace in it."""


@lru_cache(maxsize=4)
def key_paths(head: bytes) -> frozenset[Path]:
    """Return the paths of all keys in the head of a file, to a depth of four."""
    text = head.decode("utf-8", "replace")
    return frozenset(
        _path(keys)[:PATH_DEPTH_MAX]
        for mark, _, keys, _ in _scan(text, by_line=True)
        if mark == ":"
    )


def whole_records(text: str, is_record: Callable[[Path], bool]) -> str | None:
    """Cut broken JSON after its last complete record and close what is open.

    ``text`` ends where the break is. A record is an object in a list at a path for which
    ``is_record`` holds. None if no record is complete.
    """
    kept = None
    for mark, end, keys, closers in _scan(text, by_line=False):
        if mark == "}" and closers[-1:] == ["]"] and is_record(_path(keys)):
            kept = (end, "".join(reversed(closers)))
    return text[: kept[0]] + kept[1] if kept else None


def _path(keys: list[str]) -> Path:
    return tuple(key for key in keys if key)


def _scan(text: str, *, by_line: bool) -> Iterator[tuple[str, int, list[str], list[str]]]:
    """Yield each key (at its colon) and each end of an object.

    With the mark come the place after it, the keys down to it (empty where a list is) and what
    closes the brackets that are open, outermost first. Both lists change as the scan goes on.
    """
    keys: list[str] = []
    closers: list[str] = []
    last = ""
    for match in _TOKEN.finditer(text):
        mark = match.group()
        if mark in _CLOSERS:
            keys.append("")
            closers.append(_CLOSERS[mark])
        elif mark in "}]" or (mark == "\n" and by_line):
            closed = closers.pop() if closers else ""
            if closed != mark:
                closers.clear()
            del keys[len(closers) :]
        elif mark == ":" and closers[-1:] == ["}"]:
            keys[-1] = last.strip('"')
            yield mark, match.end(), keys, closers
        if mark == "}":
            yield mark, match.end(), keys, closers
        if len(closers) > NESTING_MAX:
            return
        last = mark


_CLOSERS = {"{": "}", "[": "]"}
