"""The command that an incident calls for (S39): proposed, never run from here.

The level follows from what the cause is: a model version is switched, an agent degraded, a region
drained, a poisoned key quarantined; what has no cause or no lever is marked and dispatched again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from graphmind.incidents.incident import Incident, Item, NamedCause
from graphmind.repair.alternatives import Alternatives

KEYS_MAX: Final = 20
"""Keys quarantined one by one; more are named by their writer (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Lever:
    """What can be done about one kind of item."""

    level: str
    """trace, agent, model, region or key."""
    steps: Callable[[Item, Incident, Alternatives], list[str]]


def propose(incident: Incident, alternatives: Alternatives) -> dict[str, Any]:
    """Return the ``multi_trace_repair`` command for an incident, with its reasons."""
    cause = incident.causes[0] if incident.causes else None
    item, lever = _lever(cause)
    steps = _steps(incident, lever, alternatives) if lever else []
    return {
        "action": "multi_trace_repair",
        "state": "proposed",
        "level": lever.level if lever else "trace",
        "root_node": f"{item.kind}:{item.name}" if item else incident.root_module,
        "matched_cluster": incident.cluster_id,
        "trace_scope": list(incident.trace_ids),
        "only_where": [
            {"kind": other.kind, "name": other.name}
            for other in (cause.all_of if cause else ())
            if other != item
        ],
        "repair_path": [*steps, *_afterwards(incident)],
        "reasons": _reasons(incident, cause),
        "touches": {
            "traces": incident.reach.traces,
            "tasks": list(incident.reach.tasks),
            "agents": list(incident.reach.agents),
            "regions": list(incident.reach.regions),
            "keys": list(incident.reach.written_keys),
        },
    }


def _steps(incident: Incident, lever: Lever, alternatives: Alternatives) -> list[str]:
    """Pull the lever for each cause that it fits: several stand for a group never recorded."""
    pulled = (_lever(cause) for cause in incident.causes)
    steps = [
        step
        for item, own in pulled
        if item and own is lever
        for step in own.steps(item, incident, alternatives)
    ]
    return list(dict.fromkeys(steps))


def _lever(cause: NamedCause | None) -> tuple[Item | None, Lever | None]:
    """Pick the item of the cause that something can be done about, by the order of LEVERS."""
    items = cause.all_of if cause else ()
    for kind, lever in LEVERS.items():
        for item in items:
            if item.kind == kind:
                return item, lever
    return (items[0] if items else None), None


def _switch_model(_item: Item, _incident: Incident, alternatives: Alternatives) -> list[str]:
    return [f"switch_model_version:{alternatives.model_version or 'previous'}"]


def _switch_prompt(_item: Item, _incident: Incident, alternatives: Alternatives) -> list[str]:
    return [f"switch_prompt_version:{alternatives.prompt_version or 'previous'}"]


def _on_agent(item: Item, incident: Incident, _alternatives: Alternatives) -> list[str]:
    action = {"hang": "restart", "fork": "disable", "loop": "disable"}.get(
        incident.symptom, "degrade"
    )
    return [f"{action}:{item.name}"]


def _restart(item: Item, _incident: Incident, _alternatives: Alternatives) -> list[str]:
    return [f"restart:{item.name}"]


def _drain_region(item: Item, _incident: Incident, alternatives: Alternatives) -> list[str]:
    steps = [f"drain:{item.name}"]
    if alternatives.region:
        steps.append(f"fail_over:{alternatives.region}")
    return steps


def _quarantine(item: Item, _incident: Incident, _alternatives: Alternatives) -> list[str]:
    return _of_keys(item.name)


def _quarantine_written(item: Item, incident: Incident, _alternatives: Alternatives) -> list[str]:
    keys = incident.reach.written_keys
    if not keys or len(keys) > KEYS_MAX:
        return [f"quarantine_key:{item.kind}={item.name}"]
    return _of_keys(*keys)


def _of_keys(*keys: str) -> list[str]:
    return [f"{action}:{key}" for action in ("quarantine_key", "revert_state") for key in keys]


def _stop_writer(item: Item, incident: Incident, alternatives: Alternatives) -> list[str]:
    return [f"disable:{item.name}", *_quarantine_written(item, incident, alternatives)]


def _skip(item: Item, _incident: Incident, _alternatives: Alternatives) -> list[str]:
    return [f"skip_step:{item.name}"]


LEVERS: Final[dict[str, Lever]] = {
    "kv_key": Lever(level="key", steps=_quarantine),
    "written_by_trace": Lever(level="key", steps=_quarantine_written),
    "written_by_agent": Lever(level="key", steps=_stop_writer),
    "fed_by_trace": Lever(level="key", steps=_quarantine_written),
    "fed_by_agent": Lever(level="key", steps=_stop_writer),
    "model_version": Lever(level="model", steps=_switch_model),
    "model_requested": Lever(level="model", steps=_switch_model),
    "prompt_version": Lever(level="agent", steps=_switch_prompt),
    "agent": Lever(level="agent", steps=_on_agent),
    "region": Lever(level="region", steps=_drain_region),
    "instance": Lever(level="agent", steps=_restart),
    "service": Lever(level="agent", steps=_restart),
    "tool": Lever(level="trace", steps=_skip),
    "endpoint": Lever(level="trace", steps=_skip),
    "module": Lever(level="trace", steps=_skip),
}
"""The lever of each kind of item; of a conjunction the first in this order is pulled, only where
the other item is touched."""


LEVELS_OF_CAUSE: Final = {kind: lever.level for kind, lever in LEVERS.items()}
"""The level at which something can be done about an item of a kind, in the order of LEVERS."""


def _afterwards(incident: Incident) -> list[str]:
    """What is done to the traces hit, whatever the cause."""
    again = {"wrong": "revert_state:last_good", "slow": ""}.get(incident.symptom, "redispatch:bulk")
    return [*([again] if again else []), "mark_trace:fallback", "log_recovery:bulk"]


def _reasons(incident: Incident, cause: NamedCause | None) -> list[str]:
    """Say in words why this level, from the evidence."""
    if cause is None:
        if incident.root_module is None:
            return ["no shared cause, and no module where they went wrong"]
        share = round(100 * incident.root_module_share)
        return [f"no shared cause; {share} % went wrong at {incident.root_module}"]
    touched = cause.failed_with + cause.passed_with
    others = cause.failed_total + cause.passed_total - touched
    failed_others = cause.failed_total - cause.failed_with
    return [
        f"{cause.failed_with:g} of {touched:g} traces with {cause.label} fail",
        f"{failed_others:g} of {others:g} traces without it fail",
        f"risk ratio {cause.risk_ratio:.1f}, at least {cause.risk_ratio_low:.1f} (95 %)",
        f"confidence {cause.confidence:.2f}"
        + (f", not told apart from {len(cause.tied)} other names" if cause.tied else ""),
    ]
