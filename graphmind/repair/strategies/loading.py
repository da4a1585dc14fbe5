"""Strategies from YAML: those that are shipped, and those of a folder."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import orjson

from graphmind.repair.strategies.marked import Marked, Place, Problem, Unreadable, read_marked
from graphmind.repair.strategies.strategy import (
    Action,
    Condition,
    Hints,
    Overrides,
    Strategy,
    Threshold,
)
from graphmind.repair.strategies.validation import problems_of, threshold_of

DEFAULTS: Final[Mapping[str, Any]] = {
    "confidence_min": 0.9,
    "rollback": "undo",
    "ttl_s": 600.0,
    "attempts_max": 2,
}
"""As schema.json states them (chosen)."""
REVISION_DIGITS: Final = 12
"""Hexadecimal digits of the content hash (chosen: 48 bits tell any number of revisions apart)."""


@cache
def shipped() -> tuple[Strategy, ...]:
    """Return the strategies graphmind ships, by id."""
    folder = files("graphmind.repair.strategies").joinpath("library")
    texts = {each.name: each.read_text("utf-8") for each in folder.iterdir()}
    return strategies_of({name: text for name, text in texts.items() if name.endswith(".yaml")})


def strategies_in(folder: Path) -> tuple[Strategy, ...]:
    """Read every ``*.yaml`` of a folder. Raises Unreadable with all that is wrong in them."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            texts[str(path)] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(_no_text(path, error))
    if problems:
        raise Unreadable(*problems)
    return strategies_of(texts)


def strategies_of(texts: Mapping[str, str]) -> tuple[Strategy, ...]:
    """Read strategies from texts by file name; sorted by id. Raises Unreadable."""
    read: dict[str, Strategy] = {}
    problems: list[Problem] = []
    origins: dict[str, str] = {}
    for file, text in sorted(texts.items()):
        try:
            marked = read_marked(text, file)
        except Unreadable as error:
            problems += error.problems
            continue
        if found := problems_of(marked):
            problems += found
            continue
        strategy = strategy_of(marked.value)
        if strategy.strategy_id in read:
            problems.append(_twice(marked, origins[strategy.strategy_id]))
        read[strategy.strategy_id] = strategy
        origins.setdefault(strategy.strategy_id, file)
    if problems:
        raise Unreadable(*problems)
    return tuple(read[name] for name in sorted(read))


def merged(own: Iterable[Strategy], others: Iterable[Strategy]) -> tuple[Strategy, ...]:
    """Return strategies by id; the own ones stand for others of their id."""
    by_id = {each.strategy_id: each for each in (*others, *own)}
    return tuple(by_id[name] for name in sorted(by_id))


def revision_of(document: Mapping[str, Any]) -> str:
    """Hash what a file says: layout, comments and the order of names make no difference."""
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return sha256(text).hexdigest()[:REVISION_DIGITS]


def strategy_of(document: Mapping[str, Any]) -> Strategy:
    """Build a strategy from a document that is valid."""
    said = {**DEFAULTS, **document}
    return Strategy(
        strategy_id=said["strategy_id"],
        title=said["title"],
        level=said["level"],
        repair_level=said["repair_level"],
        condition=_condition(said["condition"]),
        actions=tuple(_action(each) for each in said["actions"]),
        confidence_min=said["confidence_min"],
        rollback=said["rollback"],
        verification=Hints(**said.get("verification", {})),
        approval=Overrides(**said.get("approval", {})),
        ttl_s=said["ttl_s"],
        attempts_max=said["attempts_max"],
        revision=revision_of(document),
        document=document,
    )


def _condition(said: Mapping[str, Any]) -> Condition:
    metrics = [found for each in _several(said, "metric") if (found := threshold_of(each))]
    if "latency_gt" in said:
        metrics.append(_slower_than(said["latency_gt"]))
    return Condition(
        root_cause=_several(said, "root_cause"),
        cause_class=_several(said, "class"),
        module=_several(said, "module"),
        error_code=_several(said, "error_code"),
        symptom=_several(said, "symptom"),
        level=said.get("level"),
        metrics=tuple(metrics),
        all_of=tuple(_condition(each) for each in said.get("all_of", ())),
        any_of=tuple(_condition(each) for each in said.get("any_of", ())),
    )


def _slower_than(milliseconds: float) -> Threshold:
    return Threshold(
        metric="latency",
        above=True,
        inclusive=False,
        number=float(milliseconds),
        written=f"latency > {milliseconds:g}ms",
    )


def _several(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    held: str | Sequence[str] = said.get(name, ())
    return (held,) if isinstance(held, str) else tuple(held)


def _action(said: Mapping[str, Any]) -> Action:
    return Action(**said)


def _twice(marked: Marked, first: str) -> Problem:
    name = marked.value["strategy_id"]
    place = marked.place(("strategy_id",))
    return Problem(place=place, expected="an id of its own", came=f"{name}, as in {first}")


def _no_text(path: Path, error: OSError | UnicodeDecodeError) -> Problem:
    why = error.strerror if isinstance(error, OSError) else "bytes that are not UTF-8"
    place = Place(file=str(path), line=1, column=1)
    return Problem(place=place, expected="a text file", came=why or "an unreadable file")
