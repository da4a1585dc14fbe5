"""Reads rules from YAML; what cannot be used is refused with the line where it stands."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import yaml

from graphmind.classification.rules import Rule
from graphmind.errors import SettingsError
from graphmind.telemetry.facts import ITEM_KINDS
from graphmind.telemetry.symptoms import CHANNEL
from graphmind.telemetry.triggers import KIND as METRIC

SHIPPED: Final = "rules.yaml"
LABEL: Final = re.compile(r"[a-z][a-z0-9_]*")
SIGNS: Final = ("code", "text")
CONDITIONS: Final = {"symptom": (*CHANNEL, METRIC), "cause": ITEM_KINDS}
"""Conditions, and the values that each knows."""
FIELDS: Final = ("label", "confidence", *SIGNS, *CONDITIONS)


@cache
def default_rules() -> tuple[Rule, ...]:
    """Return the rules graphmind ships."""
    text = files("graphmind.classification").joinpath(SHIPPED).read_text("utf-8")
    return parse(text, SHIPPED)


def rules_from(path: str) -> tuple[Rule, ...]:
    """Return the rules of a file with those shipped; of no path, only those.

    Raises SettingsError.
    """
    if not path:
        return default_rules()
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise SettingsError(f"cannot read the rules {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"the rules {path} are not UTF-8 text: {error}") from error
    return parse(text, path) + default_rules()


def parse(text: str, origin: str) -> tuple[Rule, ...]:
    """Parse a list of rules. Raises SettingsError that names the line and what is allowed."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise SettingsError(f"{origin} is not YAML: {error}") from error
    if root is None:
        return ()
    if not isinstance(root, yaml.SequenceNode):
        raise _refusal(root, origin, "expected a list of rules, each with label and confidence")
    return tuple(_rule(node, origin) for node in root.value)


def _rule(node: yaml.Node, origin: str) -> Rule:
    fields = _fields(node, origin)
    if missing := [name for name in ("label", "confidence") if name not in fields]:
        raise _refusal(node, origin, f"a rule needs {' and '.join(missing)}")
    if not fields.keys() & {*SIGNS, *CONDITIONS}:
        wanted = ", ".join((*SIGNS, *CONDITIONS))
        raise _refusal(node, origin, f"a rule needs something to look at: one of {wanted}")
    return Rule(
        label=_label(fields["label"], origin),
        confidence=_confidence(fields["confidence"], origin),
        codes=_patterns(fields.get("code"), origin),
        texts=_patterns(fields.get("text"), origin),
        symptoms=_known("symptom", fields.get("symptom"), origin),
        causes=_known("cause", fields.get("cause"), origin),
        place=f"{Path(origin).name}:{_line(node)}",
    )


def _fields(node: yaml.Node, origin: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _refusal(node, origin, f"a rule should map names to values, got {_text(node)!r}")
    fields: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = _text(key)
        if name not in FIELDS:
            raise _refusal(key, origin, f"no field {name!r}. Known: {', '.join(FIELDS)}")
        if name in fields:
            raise _refusal(key, origin, f"{name} stands twice in one rule")
        fields[name] = value
    return fields


def _label(node: yaml.Node, origin: str) -> str:
    label = _text(node)
    if not LABEL.fullmatch(label):
        raise _refusal(node, origin, f"a label is lower case letters, digits and _, got {label!r}")
    return label


def _confidence(node: yaml.Node, origin: str) -> float:
    try:
        confidence = float(_text(node))
    except ValueError:
        confidence = -1.0
    if not 0.0 < confidence <= 1.0:
        raise _refusal(
            node, origin, f"confidence should lie above 0 and up to 1, got {_text(node)!r}"
        )
    return confidence


def _patterns(node: yaml.Node | None, origin: str) -> tuple[re.Pattern[str], ...]:
    patterns = []
    for item in _items(node, origin):
        try:
            patterns.append(re.compile(_text(item), re.IGNORECASE))
        except re.error as error:
            message = f"{_text(item)!r} is not a regular expression: {error}"
            raise _refusal(item, origin, message) from error
    return tuple(patterns)


def _known(field: str, node: yaml.Node | None, origin: str) -> frozenset[str]:
    items = _items(node, origin)
    for item in items:
        if _text(item) not in CONDITIONS[field]:
            known = ", ".join(CONDITIONS[field])
            raise _refusal(item, origin, f"no {field} {_text(item)!r}. Known: {known}")
    return frozenset(map(_text, items))


def _items(node: yaml.Node | None, origin: str) -> list[yaml.Node]:
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise _refusal(node, origin, f"expected a list with something in it, got {_text(node)!r}")
    for item in node.value:
        if not isinstance(item, yaml.ScalarNode) or not item.value:
            raise _refusal(item, origin, f"expected a text, got {_text(item)!r}")
    items: list[yaml.Node] = node.value
    return items


def _text(node: yaml.Node) -> str:
    """Return a scalar as it was written; what is none, by its kind."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "a list or a map"


def _refusal(node: yaml.Node, origin: str, message: str) -> SettingsError:
    return SettingsError(f"{origin}:{_line(node)}: {message}")


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1
