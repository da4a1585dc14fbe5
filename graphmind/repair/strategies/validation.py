"""Checks a strategy against the published schema, and says at which place what is wrong."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from graphmind.repair.model import LEVELS, Json
from graphmind.repair.strategies.actions import LEVEL_OF
from graphmind.repair.strategies.marked import Marked, Path, Place, Problem
from graphmind.repair.strategies.strategy import Threshold
from graphmind.repair.strategies.templates import LISTS, NAMES, PLACEHOLDER, names_in
from graphmind.telemetry.facts import ITEM_KINDS
from graphmind.telemetry.symptoms import CHANNEL
from graphmind.telemetry.triggers import KIND as METRIC_SYMPTOM

SYMPTOMS: Final = (*CHANNEL, METRIC_SYMPTOM)
METRIC: Final = re.compile(r"([a-z][a-z0-9_.:]*) *(>=|<=|>|<) *(\d+(?:\.\d+)?) *(ms|s|%)?")
SCALE: Final = {None: 1.0, "ms": 1.0, "s": 1000.0, "%": 0.01}
CAME_MAX: Final = 60
"""Characters of a value that an error repeats (chosen)."""


@cache
def schema() -> Json:
    """Return the published JSON schema of a strategy."""
    text = files("graphmind.repair.strategies").joinpath("schema.json").read_bytes()
    published: dict[str, Any] = orjson.loads(text)
    return published


def problems_of(marked: Marked) -> list[Problem]:
    """Return all that is wrong with a document, in the order of the file."""
    found = [p for error in _checker().iter_errors(marked.value) for p in _shape(error, marked)]
    if not found:  # The meaning of what has the wrong shape cannot be checked.
        found = list(_meaning(marked))
    return sorted(set(found), key=lambda each: (each.place.line, each.place.column, each.expected))


@cache
def _checker() -> Draft202012Validator:
    return Draft202012Validator(schema())


def threshold_of(written: str) -> Threshold | None:
    """Read a metric condition; None where it is none.

    >>> threshold_of("latency > 8s").number
    8000.0
    """
    match = METRIC.fullmatch(written.strip())
    if match is None:
        return None
    metric, sign, number, unit = match.groups()
    return Threshold(
        metric=metric,
        above=sign.startswith(">"),
        inclusive=sign.endswith("="),
        number=float(number) * SCALE[unit],
        written=written.strip(),
    )


def _shape(error: ValidationError, marked: Marked) -> Iterator[Problem]:
    path: Path = tuple(error.absolute_path)
    kind = str(error.validator)
    value: Any = error.instance
    rule: Any = error.validator_value
    fields: Any = error.schema  # a map wherever a rule is broken
    if kind == "required":
        for name in rule:
            if name not in value:
                meaning = _described(fields, name)
                yield Problem(
                    place=marked.place(path),
                    expected=f"{name} ({meaning})" if meaning else str(name),
                    came="no such field",
                )
        return
    if kind == "additionalProperties":
        known = sorted(fields["properties"])
        for name in sorted(set(value) - set(known)):
            place = marked.keys[(*path, name)]
            yield Problem(place=place, expected=f"one of {', '.join(known)}", came=str(name))
        return
    yield Problem(place=marked.place(path), expected=_wanted(kind, rule), came=shown(value))


def _described(fields: Json, name: str) -> str:
    described: str = fields["properties"].get(name, {}).get("description", "")
    return described.rstrip(".")


_TYPE: Final[dict[str, str]] = {
    "string": "a text",
    "array": "a list",
    "object": "a map of names to values",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
}
_WORDS: Final[dict[str, Callable[[Any], str]]] = {
    "type": lambda rule: " or ".join(_TYPE.get(t, t) for t in ([rule] if _text(rule) else rule)),
    "enum": lambda rule: f"one of {', '.join(map(str, rule))}",
    "pattern": lambda rule: f"a text of the form {rule}",
    "minLength": lambda _rule: "a text that is not empty",
    "maxLength": lambda rule: f"at most {rule} characters",
    "minItems": lambda rule: f"at least {rule} of them",
    "maxItems": lambda rule: f"at most {rule} of them",
    "minProperties": lambda _rule: "something that must hold",
    "minimum": lambda rule: f"{rule} or more",
    "maximum": lambda rule: f"{rule} or less",
    "exclusiveMinimum": lambda rule: f"more than {rule}",
}


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _wanted(kind: str, rule: Any) -> str:
    return _WORDS[kind](rule) if kind in _WORDS else f"{kind} {rule}"


def shown(value: Any) -> str:
    """Return a value as an error shows it: briefly."""
    if isinstance(value, Mapping):
        return f"a map of {', '.join(map(str, value))}" if value else "an empty map"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    text = repr(value) if isinstance(value, str) else str(value).lower()
    return text if len(text) <= CAME_MAX else f"{text[:CAME_MAX]}..."


def _meaning(marked: Marked) -> Iterator[Problem]:
    """Yield what the schema cannot say: names that mean nothing, levels that do not agree."""
    yield from _of_condition(marked, marked.value["condition"], ("condition",))
    repair_level = marked.value["repair_level"]
    for n, action in enumerate(marked.value["actions"]):
        path: Path = ("actions", n)
        yield from _of_names(marked, action["target"], (*path, "target"))
        yield from _of_names(marked, action.get("params", {}), (*path, "params"))
        level = LEVEL_OF.get(action["action"])
        needed = level and not action.get("optional")
        if needed and LEVELS.index(level) > LEVELS.index(repair_level):
            yield Problem(
                place=marked.place(("repair_level",)),
                expected=f"{level} or above, for {action['action']} acts there",
                came=repair_level,
            )


def _of_condition(marked: Marked, condition: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    known = {"root_cause": ITEM_KINDS, "symptom": SYMPTOMS}
    for name, values in known.items():
        for place, text in _each(marked, condition, path, name):
            if text.partition(":")[0] not in values or (name == "symptom" and ":" in text):
                kind = "kind or kind:name, of the kinds" if name == "root_cause" else "one of"
                yield Problem(place=place, expected=f"{kind} {', '.join(values)}", came=repr(text))
    for place, text in _each(marked, condition, path, "metric"):
        if threshold_of(text) is None:
            form = "name, one of > >= < <=, a number and ms, s, % or nothing"
            yield Problem(place=place, expected=f"{form}, as in latency > 8000ms", came=repr(text))
    for name in ("all_of", "any_of"):
        for n, inner in enumerate(condition.get(name, ())):
            yield from _of_condition(marked, inner, (*path, name, n))


def _each(
    marked: Marked, condition: Mapping[str, Any], path: Path, name: str
) -> Iterator[tuple[Place, str]]:
    """Yield the texts of a field that holds one or several, each with its place."""
    held = condition.get(name, [])
    if isinstance(held, str):
        yield marked.place((*path, name)), held
        return
    for n, text in enumerate(held):
        yield marked.place((*path, name, n)), text


def _of_names(marked: Marked, value: Any, path: Path) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _of_names(marked, inner, (*path, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _of_names(marked, inner, (*path, n))
    elif isinstance(value, str):
        place = marked.place(path)
        for name, _ in names_in(value):
            if name in LISTS and (path[-1] == "target" or value != f"{{{name}}}"):
                came = shown(value)
                yield Problem(place=place, expected=f"{{{name}}} alone in a parameter", came=came)
            if name not in NAMES:
                wanted = ", ".join(f"{{{each}}}" for each in NAMES)
                yield Problem(place=place, expected=f"one of {wanted}", came=f"{{{name}}}")
        if set(PLACEHOLDER.sub("", value)) & {"{", "}"}:
            yield Problem(place=place, expected="{name} or {name|text}", came=shown(value))
