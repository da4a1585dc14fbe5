"""What could stand in for a cause: the healthiest sibling that the window has seen at work."""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from graphmind.incidents.incident import Incident
from graphmind.telemetry.facts import Facts

TRACES_MIN: Final = 10
"""A sibling seen on fewer traces has not proven itself (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Alternatives:
    """Where traffic could go instead, by kind; None where nothing is known to be healthier."""

    model_version: str | None = None
    prompt_version: str | None = None
    region: str | None = None


def alternatives_to(incident: Incident, facts: Facts) -> Alternatives:
    """Return, for the incident's first cause, its healthiest siblings."""
    items = {item.kind: item.name for item in incident.causes[0].all_of} if incident.causes else {}
    model = "model_version" if "model_version" in items else "model_requested"
    return Alternatives(
        model_version=_healthiest(facts, model, items.get(model), family=True),
        prompt_version=_healthiest(
            facts, "prompt_version", items.get("prompt_version"), family=True
        ),
        region=_healthiest(facts, "region", items.get("region"), family=False),
    )


def _healthiest(facts: Facts, kind: str, blamed: str | None, *, family: bool) -> str | None:
    """Return the other name of a kind with the lowest failing share; of a family if it has one."""
    if blamed is None:
        return None
    counts = _failing_by_name(facts, kind)
    blamed_share = counts.get(blamed, (0, 1.0))[1]
    siblings = {
        name: share
        for name, (traces, share) in counts.items()
        if name != blamed and traces >= TRACES_MIN and share < blamed_share
    }
    related = {n: s for n, s in siblings.items() if _family(n) == _family(blamed)}
    chosen = related or ({} if family and "@" in blamed else siblings)
    return min(chosen, key=lambda name: (chosen[name], name), default=None)


def _failing_by_name(facts: Facts, kind: str) -> dict[str, tuple[int, float]]:
    """Return traces and failing share of each name of a kind."""
    items = facts.items.filter(pc.equal(facts.items["kind"], kind)).select(["trace_id", "name"])
    sick = pc.unique(facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))["trace_id"])
    failing = pc.cast(pc.is_in(items["trace_id"], value_set=sick), pa.float64())
    grouped = items.append_column("failing", failing).group_by("name")
    counted = grouped.aggregate([("failing", "count"), ("failing", "mean")])
    return {row["name"]: (row["failing_count"], row["failing_mean"]) for row in counted.to_pylist()}


def _family(name: str) -> str:
    """Return the model or prompt of a version: `planner@v3` is of the family `planner`."""
    return name.partition("@")[0]
