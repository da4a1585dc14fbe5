"""The names that stand in a strategy for what an incident is about: ``{model}``, ``{key}``..."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphmind.repair.alternatives import Alternatives

PLACEHOLDER: Final = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")
"""``{name}``, or ``{name|text}`` with what is taken where the name has no value."""

NAMES: Final = {
    "incident": "id of the incident",
    "cluster": "its cluster",
    "module": "module where its traces go wrong",
    "model": "model of the version that is the cause",
    "model_version": "that version, `model@version`",
    "version": "the version alone",
    "to_model_version": "healthiest sibling of the version, `model@version`",
    "to_version": "that version alone",
    "prompt_version": "prompt version that is the cause",
    "to_prompt_version": "its healthiest sibling",
    "agent": "agents that are the cause, else those that fail because of it",
    "writer": "agent whose written values are the cause",
    "instance": "instance that is the cause",
    "service": "service that is the cause",
    "region": "region that is the cause or part of it",
    "healthy_region": "healthiest other region",
    "key": "keys that are the cause, else those the cause wrote",
    "tool": "tool that is the cause",
    "endpoint": "endpoint that is the cause",
    "task": "kinds of task that touch the cause",
    "trace": "failing traces of the incident, each a step of its own",
    "traces": "failing traces of the incident, as a list: alone in a parameter",
    "strategy": "the strategy itself, `strategyId@revision`",
}
"""What each name stands for."""

SEVERAL: Final = {"agent": 10, "key": 20, "task": 20, "trace": 20}
"""Names that may have several values, each a step of its own; and how many at most (chosen: what
people can read before they approve). More keys, agents or tasks than that are refused; of traces
the first are taken, and the others named in a warning."""
LISTS: Final = {"traces": 200}
"""Names that stand for a list, and how long it may be (chosen: some seconds of a controller)."""

Values = Mapping[str, tuple[str, ...]]


def names_in(value: Any) -> Iterator[tuple[str, bool]]:
    """Yield each name in a value, and whether it brings what is taken in its place."""
    for text in _texts(value):
        for match in PLACEHOLDER.finditer(text):
            yield match[1], match[2] is not None


def fill(value: Any, one: Mapping[str, Any]) -> Any:
    """Put names in; ``one`` holds one value a name, or a list. One without needs a stand-in."""
    if isinstance(value, str):
        whole = PLACEHOLDER.fullmatch(value)
        if whole and whole[1] in LISTS:
            return one[whole[1]]
        return PLACEHOLDER.sub(lambda match: one.get(match[1], match[2] or ""), value)
    if isinstance(value, Mapping):
        return {key: fill(inner, one) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [fill(inner, one) for inner in value]
    return value


def values_of(incident: Mapping[str, Any], alternatives: Alternatives) -> Values:
    """Return what each name stands for in an incident document; names without a value are out.

    ``strategy`` is left to whoever knows it.
    """
    items = _items(incident)
    model_version = _first(items, "model_version", "model_requested")
    model, _, version = model_version.partition("@")
    _, _, to_version = (alternatives.model_version or "").partition("@")
    single = {
        "incident": incident["incident_id"],
        "cluster": incident["cluster_id"],
        "module": _first(items, "module") or incident["root_module"],
        "model": model,
        "model_version": model_version,
        "version": version,
        "to_model_version": alternatives.model_version,
        "to_version": to_version,
        "prompt_version": _first(items, "prompt_version"),
        "to_prompt_version": alternatives.prompt_version,
        "writer": _first(items, "written_by_agent", "fed_by_agent"),
        "instance": _first(items, "instance"),
        "service": _first(items, "service"),
        "region": _first(items, "region"),
        "healthy_region": alternatives.region,
        "tool": _first(items, "tool"),
        "endpoint": _first(items, "endpoint"),
    }
    several = {
        "agent": items.get("agent") or _hit(incident, "agent"),
        "key": items.get("kv_key") or tuple(incident["reach"]["written_keys"]),
        "task": items.get("task") or tuple(incident["reach"]["tasks"]),
        "trace": tuple(incident["trace_ids"]),
        "traces": tuple(incident["trace_ids"]),
    }
    found = {name: (value,) for name, value in single.items() if value}
    return found | {name: values for name, values in several.items() if values}


def _items(incident: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the names of the first cause's items by kind, then those that other causes add.

    Several causes of one kind stand for a group that telemetry does not name: a class of agents.
    """
    first, *others = incident["causes"] or [{"all_of": ()}]
    items: dict[str, list[str]] = {}
    for item in first["all_of"]:
        items.setdefault(item["kind"], []).append(item["name"])
    for item in (item for cause in others for item in cause["all_of"]):
        if item["kind"] in items and item["name"] not in items[item["kind"]]:
            items[item["kind"]].append(item["name"])
    return {kind: tuple(names) for kind, names in items.items()}


def _first(items: Mapping[str, tuple[str, ...]], *kinds: str) -> str:
    return next((items[kind][0] for kind in kinds if kind in items), "")


def _hit(incident: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """Return who fails because of the cause."""
    return tuple(each["name"] for each in incident["effects"] if each["kind"] == kind)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
