"""YAML as plain values, with the place in the file where each of them stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

import yaml

from graphmind.errors import SettingsError

Path = tuple[str | int, ...]
"""Keys and positions from the root to a value."""
DEPTH_MAX: Final = 24
"""Lists and maps within each other (chosen: three times what a strategy needs)."""
WHOLE_MAX: Final = 2**63 - 1
SCALARS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool"))


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in a file; both count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong at a place: what was expected, what came."""

    place: Place
    expected: str
    came: str

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, got {self.came}"


class Unreadable(SettingsError):  # noqa: N818 - reads as the finding it reports
    """A file that cannot be used, with all that is wrong in it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A document and where its values and keys stand."""

    value: Any
    values: Mapping[Path, Place] = field(repr=False)
    keys: Mapping[Path, Place] = field(repr=False)
    """Where the key of a value stands, by the path of the value."""

    def place(self, path: Path) -> Place:
        """Return where a value stands; for one that is absent, what it should stand in."""
        while path not in self.values:
            path = path[:-1]
        return self.values[path]


def read_marked(text: str, file: str) -> Marked:
    """Read YAML that holds one document of plain values. Raises Unreadable."""
    loader = yaml.SafeLoader("")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            start = Place(file=file, line=1, column=1)
            raise Unreadable(Problem(place=start, expected="a strategy", came="an empty file"))
        reader = _Reader(file, loader)
        value = reader.value(root, ())
    except yaml.MarkedYAMLError as error:
        raise Unreadable(_not_yaml(error, file)) from error
    except (yaml.YAMLError, RecursionError) as error:
        start = Place(file=file, line=1, column=1)
        came = str(error).splitlines()[0] if isinstance(error, yaml.YAMLError) else "endless depth"
        raise Unreadable(Problem(place=start, expected="YAML", came=came)) from error
    finally:
        loader.dispose()
    return Marked(value=value, values=reader.values, keys=reader.keys)


class _Reader:
    """Turns nodes into values and keeps their places."""

    def __init__(self, file: str, loader: yaml.SafeLoader) -> None:
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self._file, self._loader = file, loader
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        place = self.values[path] = self._place(node)
        # A value that is named and used again may hold itself, or grow without end.
        if isinstance(node, yaml.CollectionNode) and id(node) in self._seen:
            raise _wrong(place, "the value itself", "an alias of it: write it out")
        self._seen.add(id(node))
        if len(path) > DEPTH_MAX:
            raise _wrong(place, f"at most {DEPTH_MAX} lists and maps within each other", "more")
        if isinstance(node, yaml.MappingNode):
            return dict(self._pair(key, value, path) for key, value in self._once(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(inner, (*path, n)) for n, inner in enumerate(node.value)]
        return self._scalar(node, place)

    def _pair(self, key: yaml.Node, value: yaml.Node, path: Path) -> tuple[str, Any]:
        name = _encodable(str(key.value), self._place(key))
        inner = (*path, name)
        self.keys[inner] = self._place(key)
        return name, self.value(value, inner)

    def _once(self, node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _wrong(self._place(key), "a name", "a list or a map")
            if key.value in seen:
                raise _wrong(self._place(key), f"{key.value} once", "it again")
            seen.add(key.value)
        pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
        return pairs

    def _scalar(self, node: yaml.Node, place: Place) -> Any:
        if node.tag not in SCALARS:
            kind = node.tag.rpartition(":")[2]
            came = "nothing" if kind == "null" else f"{node.value!r}, which YAML reads as {kind}"
            raise _wrong(place, "a text, number, true or false (quote a text)", came)
        try:
            value = self._loader.construct_object(node)
        except ValueError:
            raise _wrong(place, "a number", repr(node.value)) from None
        if isinstance(value, float) and not isfinite(value):
            raise _wrong(place, "a finite number", node.value)
        if isinstance(value, int) and abs(value) > WHOLE_MAX:
            raise _wrong(place, "a whole number of 64 bits", node.value)
        return _encodable(value, place) if isinstance(value, str) else value

    def _place(self, node: yaml.Node) -> Place:
        mark = node.start_mark
        return Place(file=self._file, line=mark.line + 1, column=mark.column + 1)


def _encodable(text: str, place: Place) -> str:
    """Return a text that can be written as UTF-8: an escape may name half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _wrong(place, "whole characters", ascii(text)) from None
    return text


def _wrong(place: Place, expected: str, came: str) -> Unreadable:
    return Unreadable(Problem(place=place, expected=expected, came=came))


def _not_yaml(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    place = Place(file=file, line=line, column=column)
    came = " ".join(part for part in (error.context, error.problem) if part)
    return Problem(place=place, expected="YAML", came=came or "something else")
