"""Kubernetes: Deployments are restarted, scaled, degraded and rolled back; nodes are cordoned.

A change is sent with the ``resourceVersion`` it was decided on, so that of two writers one is told.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import Field, SecretStr

from graphmind.repair.connector import (
    Action,
    Applied,
    Connector,
    ConnectorError,
    Description,
    Effect,
    Planned,
    Seen,
    StateChanged,
)
from graphmind.repair.connectors.calls import Calls, one_of, params_schema
from graphmind.repair.connectors.config import HttpOptions, Section
from graphmind.repair.connectors.json_api import Bearer, JsonApi
from graphmind.repair.connectors.kubernetes_nodes import Nodes
from graphmind.repair.connectors.kubernetes_objects import Conflict, Objects, Place
from graphmind.repair.connectors.kubernetes_workloads import (
    Change,
    Step,
    Workload,
    change_of,
    held,
    is_before,
    is_made,
    restoring,
    state_of,
    undo_of,
)
from graphmind.repair.model import Call, Json

ATTEMPTS_MAX: Final = 3
"""Times that a change is decided anew as others wrote meanwhile: status, autoscaler (chosen)."""

_REPLICAS: Final = {"type": "integer", "minimum": 0, "maximum": 10_000}
_TEXT: Final = {"type": "string", "minLength": 1}
_ENV: Final = {
    "type": "object",
    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$"},
    "additionalProperties": {"type": "string"},
    "minProperties": 1,
}
_DEGRADE: Final = {
    **params_schema(container=_TEXT, image=_TEXT, env=_ENV, to=_TEXT),
    "anyOf": [{"required": [name]} for name in ("image", "env", "to")],
}
_MADE: Final = {"type": "object"}
ON_NODES: Final = frozenset({"cordon", "uncordon"})
ACTIONS: Final = (
    Action(name="restart", level="agent", params_schema=params_schema(), undoable=True),
    Action(
        name="scale",
        level="agent",
        params_schema=params_schema(["replicas"], replicas=_REPLICAS),
        undoable=True,
    ),
    Action(name="disable", level="agent", params_schema=params_schema(), undoable=True),
    Action(
        name="enable",
        level="agent",
        params_schema=params_schema(replicas={**_REPLICAS, "minimum": 1}),
        undoable=True,
    ),
    Action(name="degrade", level="agent", params_schema=_DEGRADE, undoable=True),
    Action(
        name="rollout_undo",
        level="agent",
        params_schema=params_schema(revision={"type": "integer", "minimum": 1}),
        undoable=True,
    ),
    Action(name="cordon", level="region", params_schema=params_schema(), undoable=True),
    Action(name="uncordon", level="region", params_schema=params_schema(), undoable=True),
    Action(
        name="restore",
        level="agent",
        params_schema=params_schema(["made"], made=_MADE),
        undoable=False,
    ),
)
"""``restore`` undoes the others, and is of no use by itself."""

_UNDOES_WITH: Final = {
    "restart": "the pods start a second time; what they held in memory is lost",
    "disable": "what the pods held in memory is lost",
    "scale": "what pods that ended held in memory is lost",
    "enable": "what pods that ended held in memory is lost",
    "degrade": "the pods start a second time; what they held in memory is lost",
    "rollout_undo": "the pods start a second time; what they held in memory is lost",
}


class KubernetesOptions(HttpOptions):
    """Options of kind kubernetes."""

    token: SecretStr | None = None
    """Of a service account that may read and patch Deployments, ReplicaSets and nodes."""
    namespace: str = Field(default="default", min_length=1)
    agents: Mapping[str, str] = Field(default_factory=dict)
    """``NAMESPACE/DEPLOYMENT`` or ``DEPLOYMENT`` of each agent; empty: each has its own name."""
    regions: Mapping[str, str] = Field(default_factory=dict)
    """Label selector of the nodes of each region."""
    model_env: str = "MODEL"
    """Environment variable that chooses an agent's model: ``degrade`` sets it to ``to``."""
    server_dry_run: bool = True
    """A plan is checked by the server; off for one that takes a dry run for the real thing."""


class Kubernetes:
    """One cluster."""

    def __init__(
        self, section: Section, options: KubernetesOptions, *, clock: Callable[[], datetime]
    ) -> None:
        token = options.token.get_secret_value() if options.token else ""
        auth = Bearer(token) if token else None
        api = JsonApi(section, options, auth=auth, secrets=(token,))
        self._url = options.url
        self._agents, self._namespace = options.agents, options.namespace
        self._model_env = options.model_env
        self._clock = clock
        self._calls = Calls(section, ACTIONS)
        self._objects = Objects(api, dry_run=options.server_dry_run)
        self._nodes = Nodes(self._objects, options.regions)

    def describe(self) -> Description:
        """Say what it is; asks nothing of the system."""
        return self._calls.describe(self._url)

    def plan(self, call: Call) -> Planned:
        """Read the present state, and let the server say whether it would take the change."""
        self._calls.check(call)
        if call.action in ON_NODES:
            return self._dry(lambda: self._nodes.plan(call))
        if call.action == "restore":
            raise ConnectorError("restore undoes a step that was planned; it is not planned itself")
        return self._dry(lambda: self._plan(call))

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        """Patch the Deployment if it is as it was planned against."""
        self._calls.check(call)
        self._calls.refuse_unless_live()
        if call.action in ON_NODES:
            return self._nodes.apply(call, before=before)
        step = self._step(call, before, key)
        return self._change(call, lambda one, sets: self._decide(step, one, sets))

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        """Read the state again; how far its rollout is does not count."""
        self._calls.check(call)
        if call.action in ON_NODES:
            return self._nodes.verify(call, before=before)
        _, one, sets = self._read(call)
        step = self._step(call, before, key)
        state = state_of(call, one, sets)
        if is_made(step, one):
            return Seen(effect=Effect.APPLIED, state=state)
        if is_before(call, state, before):
            return Seen(effect=Effect.NOT_APPLIED, state=state)
        return Seen(effect=Effect.OTHER, state=state, detail=_surprise(state, before))

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        """Bring the state before back, if it is as the step left it."""
        self._calls.check(call)
        self._calls.refuse_unless_live()
        made = call.params.get("made", {})
        if "nodes" in made:
            return self._nodes.undo(call, before=before)
        if not made:
            raise ConnectorError(
                f"undo of step {key}: expected its call `restore`, got {call.action}"
            )
        return self._change(call, lambda one, sets: restoring(made, before, one, sets))

    def close(self) -> None:
        """Release connections."""
        self._objects.close()

    def _plan(self, call: Call) -> Planned:
        place, one, sets = self._read(call)
        before = state_of(call, one, sets)
        step = self._step(call, before, "dry-run")
        change = change_of(step, one, sets)
        self._objects.change(place, one, change, dry=True)
        undo: Call | None = undo_of(call, before, one, self._model_env)
        undoes_with = _UNDOES_WITH[call.action]
        if call.action in {"degrade", "rollout_undo"}:
            try:
                held(sets, one.hash)
            except ConnectorError as error:
                undo, undoes_with = None, str(error)
        return Planned(
            before=before,
            undo=undo,
            summary=f"{call.action} {call.target}: Deployment {place}, "
            + _in_words(call, change, before),
            undoes_with=undoes_with,
        )

    def _decide(self, step: Step, one: Workload, sets: Sequence[Workload]) -> Change | None:
        """Return what is to be written; None where it is done already."""
        if is_made(step, one):
            return None
        now = state_of(step.call, one, sets)
        if not is_before(step.call, now, step.before):
            raise StateChanged(f"{step.call.target}: {_surprise(now, step.before)}; plan anew")
        return change_of(step, one, sets)

    def _change(
        self, call: Call, decide: Callable[[Workload, Sequence[Workload]], Change | None]
    ) -> Applied:
        for _ in range(ATTEMPTS_MAX):
            place, one, sets = self._read(call)
            change = decide(one, sets)
            if change is None:
                return Applied(detail="nothing to change: it is so already")
            try:
                self._objects.change(place, one, change)
            except Conflict:
                continue
            return Applied(
                detail=f"Deployment {place} patched",
                facts={"deployment": str(place), "version_before": one.metadata.resourceVersion},
            )
        raise ConnectorError(
            f"{self._objects.where}: {call.target} was written by others {ATTEMPTS_MAX} times "
            "while it was to be changed; try again"
        )

    def _read(self, call: Call) -> tuple[Place, Workload, list[Workload]]:
        place = self._place(call.target)
        one = self._objects.deployment(place)
        needs_sets = call.action in {"degrade", "rollout_undo", "restore"}
        return place, one, self._objects.replica_sets(place, one) if needs_sets else []

    def _place(self, target: str) -> Place:
        if self._agents and target not in self._agents:
            raise ConnectorError(
                f"{self._objects.where}: expected a configured agent ({one_of(self._agents)}), "
                f"got {target!r}"
            )
        stated = self._agents.get(target, target)
        namespace, _, name = stated.rpartition("/")
        return Place(namespace=namespace or self._namespace, name=name)

    def _step(self, call: Call, before: Json, key: str) -> Step:
        at = self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        return Step(call=call, before=before, key=key, at=at, model_env=self._model_env)

    def _dry(self, plan: Callable[[], Planned]) -> Planned:
        for _ in range(ATTEMPTS_MAX):
            try:
                return plan()
            except Conflict:
                continue
        raise ConnectorError(
            f"{self._objects.where}: written by others each time it was planned; try again"
        )


def open_connector(section: Section) -> Connector:
    """Open a cluster; nothing is asked of it yet."""
    options = section.read_as(KubernetesOptions)
    return Kubernetes(section, options, clock=lambda: datetime.now(UTC))


def _in_words(call: Call, change: Change, before: Json) -> str:
    if change.replicas is not None:
        return f"replicas {before['replicas']} -> {change.replicas}"
    images = ", ".join(before["images"].values())
    if call.action == "rollout_undo":
        return f"{images}, back to revision {before['older']['revision']}"
    if call.action == "restart":
        return f"all pods of {images} start anew"
    names: dict[str, Any] = {n: v for n, v in call.params.items() if n in {"image", "to"}}
    names |= {"env": ", ".join(sorted(call.params["env"]))} if "env" in call.params else {}
    return f"{images} -> " + ", ".join(f"{name} {value}" for name, value in sorted(names.items()))


def _surprise(now: Json, before: Json) -> str:
    name = next((name for name in sorted(before) if now.get(name) != before[name]), "it")
    return f"expected {name} {before.get(name)}, as planned against, but it is {now.get(name)}"
