"""An incident in one sentence. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

VERBS: Final = {
    "error": "fails",
    "storm": "storms its callback",
    "hang": "hangs",
    "wrong": "ends with a wrong result",
    "slow": "is slow",
    "short": "ends too early",
    "fork": "is dispatched twice",
    "loop": "goes round in circles",
    "metric": "is beyond a threshold",
}
WORDS: Final = {
    "model_version": "model",
    "model_requested": "model",
    "prompt_version": "prompt",
    "kv_key": "key",
    "written_by_agent": "what agent {} wrote",
    "written_by_trace": "what trace {} wrote",
    "fed_by_agent": "what came of agent {}",
    "fed_by_trace": "what came of trace {}",
}
"""Kinds of item that are called otherwise in a sentence."""


def sentence(incident: Mapping[str, Any], trace_count: int) -> str:
    """Say how many, since when (UTC), what, where and how sure, joined by `` - ``."""
    since = datetime.fromtimestamp(incident["onset_ms"] / 1000, UTC)
    many = "1 trace" if trace_count == 1 else f"{trace_count:,} traces"
    parts = [f"{many} since {since:%d %b %H:%M} UTC", f"{_what(incident)}{_place(incident)}"]
    if incident["causes"]:
        parts.append(f"{incident['causes'][0]['confidence']:.0%} sure".replace("%", " %"))
    return " - ".join(parts)


def items_in_words(items: Sequence[Mapping[str, Any]]) -> str:
    """Name items that are touched together: ``model atlas 3.1.7 in region eu``."""
    named = [_named(item) for item in items if item["kind"] != "region"]
    regions = [item["name"] for item in items if item["kind"] == "region"]
    if not named:
        return f"region {' and '.join(regions)}"
    return " with ".join(named) + (f" in {' and '.join(regions)}" if regions else "")


def _what(incident: Mapping[str, Any]) -> str:
    verb = VERBS.get(incident["symptom"], "fails")
    if not incident["causes"]:
        return f"no shared cause found, each {verb}"
    return f"{items_in_words(incident['causes'][0]['all_of'])} {verb}"


def _place(incident: Mapping[str, Any]) -> str:
    return f" in {incident['root_module']}" if incident["root_module"] else ""


def _named(item: Mapping[str, Any]) -> str:
    kind, name = item["kind"], item["name"]
    if kind.startswith("model_"):
        name = name.replace("@", " ")
    word = WORDS.get(kind, kind.replace("_", " "))
    return word.format(name) if "{}" in word else f"{word} {name}"
