"""The questions of ``cypher/questions/``: one file each, in the folder of its category.

The header is read strictly. A file begins with comment lines: the title, a blank one, the question,
and two lists::

    // Slowest modules
    //
    // In which modules is the time spent?
    //
    // parameters:
    //   from_ms: integer = 0     traces that started at or after, epoch ms
    //   trace_id: string         without a default it must be given
    // columns:
    //   module     name of the module
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from graphmind.errors import QueryRefused, UnknownName

_PARAMETER: Final = re.compile(r"(\w+): (string|integer|float)(?: = (\S+))?\s+([^\s=].*)")
_COLUMN: Final = re.compile(r"(\w+)\s+(\S.*)")
INTEGER_MAX: Final = 2**63 - 1
"""Integers are times and numbers of rows; Cypher's have 64 bits."""
_TYPES: Final = {"string": str, "integer": int, "float": float}


CATEGORIES: Final = {
    "triage": "what is wrong, and since when",
    "shared_cause": "what failing traces have in common",
    "lineage": "who wrote the value, who read it",
    "versions": "of models: what ran, what to go back to",
    "regions": "where it fails",
    "retry_storms": "traces that go on from others, agents that go round in circles",
    "repairs": "what a repair would hit, what came of those before",
    "review": "a look back over a week",
}
"""Folders of ``cypher/questions/``, in the order of an investigation: (name, what it is about)."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a question; without a default it must be given."""

    name: str
    type: str
    default: str | int | float | None
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question and its Cypher."""

    name: str
    category: str
    """A key of ``CATEGORIES``."""
    title: str
    asks: str
    parameters: tuple[Parameter, ...]
    columns: tuple[tuple[str, str], ...]
    """(name, meaning), in the order in which they are returned."""
    text: str


def cypher_folder() -> Path:
    """Return the folder ``cypher``: in the installed package, else in the checkout."""
    packaged = Path(str(files("graphmind"))) / "cypher"
    return packaged if packaged.is_dir() else packaged.parents[1] / "cypher"


def list_questions(category: str = "") -> list[Question]:
    """Return the questions of a category, or all, sorted by name. Raises UnknownName."""
    if category and category not in CATEGORIES:
        raise UnknownName(f"No category {category!r}. Known: {', '.join(CATEGORIES)}.")
    found = [question(name) for name in _paths()]
    return [asked for asked in found if category in ("", asked.category)]


@cache
def question(name: str) -> Question:
    """Return a question by its file name. Raises UnknownName."""
    paths = _paths()
    if name not in paths:
        raise UnknownName(f"No question {name!r}. Known: {', '.join(paths)}.")
    return parse(paths[name].parent.name, name, paths[name].read_text(encoding="utf-8"))


def bind(asked: Question, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a question, defaults filled in, text converted to their types.

    Raises UnknownName for a parameter that the question does not have, QueryRefused for one that is
    missing or of another type.
    """
    unknown = given.keys() - {p.name for p in asked.parameters}
    if unknown:
        known = ", ".join(p.name for p in asked.parameters)
        raise UnknownName(f"{asked.name} has no parameter {min(unknown)!r}. It takes: {known}.")
    return {p.name: _value(asked, p, given.get(p.name)) for p in asked.parameters}


def _paths() -> dict[str, Path]:
    """Return the file of each question, sorted by name."""
    found = (cypher_folder() / "questions").glob("*/*.cypher")
    return {path.stem: path for path in sorted(found, key=lambda path: path.stem)}


def _value(asked: Question, parameter: Parameter, given: Any) -> str | int | float:
    value = parameter.default if given is None else given
    wanted = _TYPES[parameter.type]
    if value is None:
        raise QueryRefused(f"{asked.name} needs {parameter.name}: {parameter.meaning}.")
    try:
        converted: str | int | float = wanted(value)
    except (TypeError, ValueError, OverflowError) as error:
        message = f"{parameter.name} should be of type {parameter.type}, got {value!r}."
        raise QueryRefused(message) from error
    if isinstance(converted, int) and not 0 <= converted <= INTEGER_MAX:
        raise QueryRefused(f"{parameter.name} should be 0 to {INTEGER_MAX}, got {value!r}.")
    return converted


def parse(category: str, name: str, text: str) -> Question:
    """Read a question file. Raises ValueError for a header that is not as the module describes."""
    if category not in CATEGORIES:
        raise ValueError(
            f"{category}/{name}.cypher: the folder is none of {', '.join(CATEGORIES)}."
        )
    lines = text.splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith("//")), len(lines))
    header = [line.removeprefix("//").removeprefix(" ").rstrip() for line in lines[:end]]
    body = "\n".join(lines[end:]).strip()
    title, prose, parameters, columns = _sections(name, header)
    if not (title and prose and columns and body):
        raise ValueError(f"{name}.cypher needs a title, a question, columns and a statement.")
    return Question(
        name=name,
        category=category,
        title=title,
        asks=" ".join(prose),
        parameters=tuple(_parameter(name, line) for line in parameters),
        columns=tuple(_column(name, line) for line in columns),
        text=body,
    )


def _sections(name: str, header: list[str]) -> tuple[str, list[str], list[str], list[str]]:
    """Split a header into title, question, parameter lines and column lines."""
    lists: dict[str, list[str]] = {"": [], "parameters:": [], "columns:": []}
    current = ""
    for line in header[1:]:
        if line in lists:
            current = line or current
        elif line.startswith("  ") == bool(current):
            lists[current].append(line.strip())
        else:
            wanted = "an indented line, parameters: or columns:" if current else "the question"
            raise ValueError(f"{name}.cypher: expected {wanted}, got {line!r}.")
    return header[0] if header else "", lists[""], lists["parameters:"], lists["columns:"]


def _parameter(name: str, line: str) -> Parameter:
    match = _PARAMETER.fullmatch(line)
    if match is None:
        raise ValueError(f"{name}.cypher: expected `name: type = default  meaning`, got {line!r}.")
    field, type_, default, meaning = match.groups()
    value = None if default is None else _TYPES[type_](default.strip("'"))
    return Parameter(name=field, type=type_, default=value, meaning=meaning)


def _column(name: str, line: str) -> tuple[str, str]:
    match = _COLUMN.fullmatch(line)
    if match is None:
        raise ValueError(f"{name}.cypher: expected `name  meaning`, got {line!r}.")
    return match[1], match[2]
