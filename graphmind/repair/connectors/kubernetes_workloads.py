"""What calls make of a Deployment: replicas and pod templates, pure.

A template is known by a hash that leaves out what a restart writes. Nothing of a template but its
hash and its images is ever shown or kept: environments hold secrets.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import msgspec
import orjson

from graphmind.repair.connector import ConnectorError, StateChanged
from graphmind.repair.model import Call, Json

RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
RESTART: Final = "graphmind.io/restart"
"""On the template: key of the step, hash of the state before, and the time, of our own restart."""
KEPT: Final = "graphmind.io/replicas"
"""On a Deployment that was disabled: how many replicas it had."""
REVISION: Final = "deployment.kubernetes.io/revision"
POD_HASH: Final = "pod-template-hash"
"""Label that a Deployment adds to the templates of its ReplicaSets."""

Template = dict[str, Any]


class Owner(msgspec.Struct, frozen=True):
    """Whom an object belongs to."""

    kind: str = ""
    name: str = ""


class Metadata(msgspec.Struct, frozen=True):
    """Of any object."""

    name: str
    resourceVersion: str = ""  # noqa: N815 - as it is written
    annotations: dict[str, str] | None = None
    ownerReferences: list[Owner] | None = None  # noqa: N815


class WorkloadSpec(msgspec.Struct, frozen=True):
    """Of a Deployment or a ReplicaSet."""

    template: Template
    replicas: int = 1
    selector: dict[str, Any] = msgspec.field(default_factory=dict)


class Workload(msgspec.Struct, frozen=True):
    """A Deployment or a ReplicaSet."""

    metadata: Metadata
    spec: WorkloadSpec

    @property
    def annotations(self) -> dict[str, str]:
        """Annotations of the object itself."""
        return self.metadata.annotations or {}

    @property
    def revision(self) -> int:
        """Number of its rollout; 0 where there is none."""
        text = self.annotations.get(REVISION, "")
        return int(text) if text.isdecimal() else 0

    @property
    def hash(self) -> str:
        """Hash of its template."""
        return template_hash(self.spec.template)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A call with the state it was planned against and its key."""

    call: Call
    before: Json
    key: str
    at: str
    """Now, in RFC 3339."""
    model_env: str
    """Environment variable that chooses the model."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to be written to a Deployment; None: nothing of it."""

    template: Template | None = None
    replicas: int | None = None
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    """To set, or to remove where None."""


def template_hash(template: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that tell templates apart, restarts left out."""
    plain = copy.deepcopy(dict(template))
    metadata = plain.get("metadata") or {}
    for part, own in (("annotations", (RESTARTED, RESTART)), ("labels", (POD_HASH,))):
        kept = {n: v for n, v in (metadata.get(part) or {}).items() if n not in own}
        metadata = {**metadata, part: kept}
    plain["metadata"] = {name: value for name, value in metadata.items() if value}
    return sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def state_of(call: Call, one: Workload, sets: Sequence[Workload]) -> dict[str, Any]:
    """Return what a call may change of a Deployment, and nothing that changes by itself."""
    if call.action in {"scale", "disable", "enable"}:
        return {"replicas": one.spec.replicas, "kept": one.annotations.get(KEPT)}
    state: dict[str, Any] = {"template": one.hash, "images": _images(one.spec.template)}
    if call.action == "restart":
        marks = _marks(one.spec.template)
        return state | {"restarted_at": marks.get(RESTARTED), "restart": marks.get(RESTART)}
    if call.action == "rollout_undo":
        older = _older(one, sets, call.params.get("revision"))
        state["older"] = {"revision": older.revision, "template": older.hash}
    return state


def is_before(call: Call, now: Json, before: Json) -> bool:
    """Whether a state is the one before."""
    if call.action == "rollout_undo":  # which one is older changes with what is current
        return bool(now["template"] == before["template"])
    return dict(now) == dict(before)


def is_made(step: Step, one: Workload) -> bool:
    """Whether a Deployment is as the step makes it."""
    call, before = step.call, step.before
    if call.action in {"scale", "disable", "enable"}:
        now = {"replicas": one.spec.replicas, "kept": one.annotations.get(KEPT)}
        return now == wanted_replicas(call, before)
    if call.action == "restart":
        marks = _marks(one.spec.template)
        key, _, at = _restart(marks)
        return key == step.key and at == marks.get(RESTARTED) and one.hash == before["template"]
    if call.action == "rollout_undo":
        return bool(one.hash == before["older"]["template"])
    return template_hash(degraded(call, one.spec.template, step.model_env)) == one.hash


def change_of(step: Step, one: Workload, sets: Sequence[Workload]) -> Change:
    """Return what a call writes to a Deployment that is as it was before."""
    call = step.call
    if call.action in {"scale", "disable", "enable"}:
        wanted = wanted_replicas(call, step.before)
        return Change(replicas=wanted["replicas"], annotations={KEPT: wanted["kept"]})
    if call.action == "restart":
        mark = f"{step.key} {_hash(step.before)} {step.at}"
        return Change(template=_marked(one.spec.template, {RESTARTED: step.at, RESTART: mark}))
    if call.action == "rollout_undo":
        return Change(template=held(sets, step.before["older"]["template"]))
    return Change(template=degraded(call, one.spec.template, step.model_env))


def undo_of(call: Call, before: Json, one: Workload, model_env: str) -> Call:
    """Return the call that brings ``before`` back, with what it expects to find."""
    made: dict[str, Any]
    if call.action in {"scale", "disable", "enable"}:
        made = wanted_replicas(call, before)
    elif call.action == "restart":
        made = {"template": before["template"], "restart_of": _hash(before)}
    elif call.action == "rollout_undo":
        made = {"template": before["older"]["template"]}
    else:
        made = {"template": template_hash(degraded(call, one.spec.template, model_env))}
    return Call(action="restore", target=call.target, params={"made": made})


def restoring(made: Json, before: Json, one: Workload, sets: Sequence[Workload]) -> Change | None:
    """Return what brings ``before`` back; None where it is back already.

    Raises StateChanged where the Deployment is neither as made nor as before.
    """
    if "replicas" in made:
        now = {"replicas": one.spec.replicas, "kept": one.annotations.get(KEPT)}
        _expect(now, made, before)
        if now == dict(before):
            return None
        return Change(replicas=before["replicas"], annotations={KEPT: before["kept"]})
    if "restart_of" in made:
        return _unmarking(made, before, one)
    _expect({"template": one.hash}, made, {"template": before["template"]})
    if one.hash == before["template"]:
        return None
    return Change(template=held(sets, before["template"]))


def held(sets: Sequence[Workload], wanted: str) -> Template:
    """Return the template of a hash from the ReplicaSets that keep it."""
    for one in sets:
        if one.hash == wanted:
            template = copy.deepcopy(one.spec.template)
            labels = (template.get("metadata") or {}).get("labels") or {}
            labels.pop(POD_HASH, None)
            return template
    raise ConnectorError(
        f"expected a ReplicaSet that keeps the template {wanted}, but none does; deploy it anew, "
        "and raise `revisionHistoryLimit`"
    )


def degraded(call: Call, template: Template, model_env: str) -> Template:
    """Return a template with another image or other environment variables."""
    changed = copy.deepcopy(template)
    container = _container(changed, call)
    if "image" in call.params:
        container["image"] = call.params["image"]
    variables = dict(call.params.get("env") or {})
    if "to" in call.params:
        variables[model_env] = call.params["to"]
    entries: list[dict[str, Any]] = container.get("env") or []
    for name, value in sorted(variables.items()):
        entry = {"name": name, "value": value}
        places = [place for place, one in enumerate(entries) if one.get("name") == name]
        if places:
            entries[places[0]] = entry
        else:
            entries.append(entry)
    if entries:
        container["env"] = entries
    return changed


def wanted_replicas(call: Call, before: Json) -> dict[str, Any]:
    """Return how many replicas a call wants, and what number is kept for later."""
    replicas, kept = before["replicas"], before["kept"]
    if call.action == "scale":
        return {"replicas": call.params["replicas"], "kept": kept}
    if call.action == "disable":
        return {"replicas": 0, "kept": str(replicas) if replicas else kept}
    asked = call.params.get("replicas")
    if asked is None:
        asked = replicas or (int(kept) if kept and kept.isdecimal() else 1)
    return {"replicas": asked, "kept": None}


def _unmarking(made: Json, before: Json, one: Workload) -> Change | None:
    marks = _marks(one.spec.template)
    now = {
        "template": one.hash,
        "restarted_at": marks.get(RESTARTED),
        "restart": marks.get(RESTART),
    }
    wanted = {name: before[name] for name in now}
    if now == wanted:
        return None
    _, of, at = _restart(marks)
    own = of == made["restart_of"] and at == now["restarted_at"]
    _expect({"template": one.hash, "own": own}, {"template": made["template"], "own": True}, wanted)
    back = {RESTARTED: before["restarted_at"], RESTART: before["restart"]}
    return Change(template=_marked(one.spec.template, back))


def _expect(now: Json, made: Json, before: Json) -> None:
    if dict(now) not in (dict(made), dict(before)):
        raise StateChanged(
            f"expected it as the step left it ({_shown(made)}), but it is {_shown(now)}; somebody "
            "else changed it since, so it is left alone"
        )


def _shown(state: Json) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(state.items()))


def _older(one: Workload, sets: Sequence[Workload], revision: int | None) -> Workload:
    others = [each for each in sets if each.hash != one.hash]
    if revision is not None:
        others = [each for each in others if each.revision == revision]
    if not others:
        which = f"of revision {revision}" if revision is not None else "with another template"
        known = ", ".join(str(n) for n in sorted(each.revision for each in sets)) or "none"
        raise ConnectorError(
            f"{one.metadata.name}: expected an older ReplicaSet {which}, got revisions {known}; "
            "there is nothing to go back to"
        )
    return max(others, key=lambda each: (each.revision, each.metadata.name))


def _container(template: Template, call: Call) -> dict[str, Any]:
    containers: list[dict[str, Any]] = (template.get("spec") or {}).get("containers") or []
    name = call.params.get("container")
    chosen = [one for one in containers if name in (None, one.get("name"))]
    if len(chosen) != 1:
        known = ", ".join(str(one.get("name")) for one in containers) or "none"
        raise ConnectorError(
            f"{call.action} {call.target}: expected one container, got {len(chosen)}; name it with "
            f"`container`. Known: {known}"
        )
    return chosen[0]


def _images(template: Mapping[str, Any]) -> dict[str, str]:
    containers = (template.get("spec") or {}).get("containers") or []
    return {str(one.get("name")): str(one.get("image")) for one in containers}


def _marks(template: Mapping[str, Any]) -> dict[str, str]:
    return dict((template.get("metadata") or {}).get("annotations") or {})


def _restart(marks: Mapping[str, str]) -> tuple[str, str, str]:
    """Read our own mark of a restart: key, hash of the state before, time."""
    parts = marks.get(RESTART, "").rsplit(" ", 2)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else ("", "", "")


def _marked(template: Template, marks: Mapping[str, str | None]) -> Template:
    changed = copy.deepcopy(template)
    metadata = changed.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), **marks}
    kept = {name: value for name, value in annotations.items() if value is not None}
    if kept:
        metadata["annotations"] = kept
    else:
        metadata.pop("annotations", None)
    if metadata:
        changed["metadata"] = metadata
    else:
        changed.pop("metadata", None)
    return changed


def _hash(state: Json) -> str:
    return sha256(orjson.dumps(dict(state), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
