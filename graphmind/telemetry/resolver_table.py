"""The table that says which attribute names give which column, read from YAML."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from graphmind.errors import SettingsError
from graphmind.telemetry.readings import READINGS, known

COLUMNS: Final = (
    *("agent", "agent_candidate", "agent_fallback", "namespace", "service", "agent_version"),
    *("instance", "model_version", "model_requested", "provider", "prompt_version", "tool"),
    *("arguments", "module", "operation", "region", "endpoint", "kv_key", "kv_op", "kv_store"),
    *("kv_system", "kv_database", "task", "task_id", "conversation", "retry_count", "fallback"),
    *("recovery", "failure"),
    *("error_code", "handoff_from", "handoff_to", "result", "quality", "sample_probability"),
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One attribute name, how its text is read, and a second name that refines it."""

    name: str
    """``span.name`` is the name of the span itself."""
    reading: str = ""
    refined_by: str = ""
    joined_by: str = "@"
    only_where: tuple[str, str] | None = None
    """Name and text, in any case, of an attribute that the span must carry besides."""


Table = Mapping[str, tuple[Rule, ...]]


@cache
def default_table() -> Table:
    """Return the table graphmind ships."""
    text = files("graphmind.telemetry").joinpath("attributes.yaml").read_text("utf-8")
    return parse(text, "attributes.yaml")


def extended_table(path: Path) -> Table:
    """Return the shipped table with a user's names in front. Raises SettingsError."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise SettingsError(f"cannot read the resolver table {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"the resolver table {path} is not UTF-8 text: {error}") from error
    own = parse(text, str(path))
    shipped = default_table()
    return {column: own.get(column, ()) + shipped[column] for column in shipped}


def parse(text: str, origin: str) -> Table:
    """Parse a table. Raises SettingsError that names the place and what is allowed."""
    try:
        document = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"{origin} is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError(f"{origin} should map columns to lists of attribute names")
    for column, entries in document.items():
        if column not in COLUMNS:
            raise SettingsError(f"{origin}: no column {column!r}. Known: {', '.join(COLUMNS)}")
        if not isinstance(entries, list):
            raise SettingsError(f"{origin}: {column} should be a list of names, got {entries!r}")
    return {
        column: tuple(_rule(entry, f"{origin}: {column}") for entry in entries)
        for column, entries in document.items()
    }


def _rule(entry: Any, place: str) -> Rule:
    fields = {"name": entry} if isinstance(entry, str) else entry
    if (
        not isinstance(fields, dict)
        or "name" not in fields
        or set(fields) - {"name", "as", "with", "by", "when"}
        or not all(isinstance(value, str) for value in fields.values())
        or ("when" in fields and "=" not in fields["when"])
    ):
        expected = "a name or {name, as, with, by, when: NAME=TEXT}"
        raise SettingsError(f"{place}: expected {expected}, got {entry!r}")
    name, _, text = fields.get("when", "").partition("=")
    rule = Rule(
        name=fields["name"],
        reading=fields.get("as", ""),
        refined_by=fields.get("with", ""),
        joined_by=fields.get("by", "@"),
        only_where=(name.strip(), text.strip().lower()) if name else None,
    )
    if rule.reading and not known(rule.reading):
        raise SettingsError(
            f"{place}: no reading {rule.reading!r}. Known: {', '.join(READINGS)}, json FIELD"
        )
    return rule
