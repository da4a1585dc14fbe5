"""Nodes of a region: no new work is put on those that are cordoned; what runs there goes on."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from graphmind.repair.connector import (
    Applied,
    ConnectorError,
    Effect,
    OutcomeUnknown,
    Planned,
    Seen,
    StateChanged,
)
from graphmind.repair.connectors.calls import one_of
from graphmind.repair.connectors.kubernetes_objects import Conflict, Objects
from graphmind.repair.connectors.kubernetes_workloads import Metadata
from graphmind.repair.model import Call, Json

STAYS: Final = "what runs on the nodes goes on, and what was placed elsewhere meanwhile stays there"


class _Spec(msgspec.Struct, frozen=True):
    unschedulable: bool = False


class Node(msgspec.Struct, frozen=True):
    """A machine of the cluster."""

    metadata: Metadata
    spec: _Spec = _Spec()


class Nodes:
    """Cordons the nodes of regions."""

    def __init__(self, objects: Objects, regions: Mapping[str, str]) -> None:
        """``regions``: label selector of each region's nodes."""
        self._objects = objects
        self._regions = regions

    def plan(self, call: Call) -> Planned:
        """Say which nodes a call would close or open."""
        now = self._read(call)
        before = {name: node.spec.unschedulable for name, node in now.items()}
        if call.action == "cordon":
            self._leaves_nodes(before)
        made = self._wanted(call, before)
        changed = [name for name in sorted(made) if made[name] != before[name]]
        for name in changed:
            self._write(now[name], cordoned=made[name], dry=True)
        return Planned(
            before={"nodes": before},
            undo=Call(action="restore", target=call.target, params={"made": {"nodes": made}}),
            summary=f"{call.action} nodes of {call.target}: {one_of(changed)}",
            preconditions=("nodes of another region take work",),
            undoes_with=STAYS,
        )

    def apply(self, call: Call, *, before: Json) -> Applied:
        """Close or open the nodes that are not yet so."""
        return self._move(call, before["nodes"], self._wanted(call, before["nodes"]))

    def undo(self, call: Call, *, before: Json) -> Applied:
        """Bring the nodes back to what they were."""
        return self._move(call, call.params["made"]["nodes"], before["nodes"])

    def verify(self, call: Call, *, before: Json) -> Seen:
        """Read the nodes again."""
        old = before["nodes"]
        wanted = self._wanted(call, old)
        now = {name: node.spec.unschedulable for name, node in self._read(call).items()}
        state = {"nodes": now}
        if set(now) - set(old):
            new = one_of(set(now) - set(old))
            return Seen(effect=Effect.OTHER, state=state, detail=f"there are new nodes: {new}")
        left = [name for name in now if now[name] != wanted[name]]
        if not left:
            return Seen(effect=Effect.APPLIED, state=state)
        detail = "" if now == old else f"not all: {one_of(left)} left"
        return Seen(effect=Effect.NOT_APPLIED, state=state, detail=detail)

    def _move(self, call: Call, old: Mapping[str, bool], wanted: Mapping[str, bool]) -> Applied:
        """Nodes that are gone are left out; new ones are not as planned."""
        now = self._read(call)
        new = set(now) - set(old)
        if new:
            raise StateChanged(
                f"region {call.target}: expected nodes {one_of(old)}, but there are new ones: "
                f"{one_of(new)}; plan anew"
            )
        changed = [name for name in sorted(now) if now[name].spec.unschedulable != wanted[name]]
        if call.action == "cordon" and changed:
            self._leaves_nodes(now)
        for done, name in enumerate(changed):
            try:
                self._write(now[name], cordoned=wanted[name])
            except Conflict:
                raise self._halted(call, done, changed, "others wrote it too") from None
            except ConnectorError as error:
                if not done:
                    raise
                raise self._halted(call, done, changed, str(error)) from None
        if not changed:
            return Applied(detail="nothing to change: it is so already")
        return Applied(detail=f"{len(changed)} nodes", facts={"nodes": one_of(changed)})

    def _halted(self, call: Call, done: int, nodes: Sequence[str], why: str) -> ConnectorError:
        """Say how far it came: with some nodes done it is neither done nor not."""
        kind = OutcomeUnknown if done else ConnectorError
        return kind(
            f"{call.action} {call.target}: {done} of {len(nodes)} nodes are done, then "
            f"{nodes[done]}: {why}; to do it again does the rest"
        )

    def _read(self, call: Call) -> dict[str, Node]:
        selector = self._regions.get(call.target)
        if selector is None:
            raise ConnectorError(
                f"expected a configured region ({one_of(self._regions)}), got {call.target!r}"
            )
        found = {node.metadata.name: node for node in self._objects.read_nodes(selector, Node)}
        if not found:
            raise ConnectorError(
                f"region {call.target}: expected nodes with labels {selector}, but there are none; "
                "mend `regions` in the connectors file"
            )
        return found

    def _wanted(self, call: Call, before: Mapping[str, bool]) -> dict[str, bool]:
        return dict.fromkeys(before, call.action == "cordon")

    def _leaves_nodes(self, own: Mapping[str, Any]) -> None:
        others = self._objects.read_nodes("", Node)
        if all(node.spec.unschedulable for node in others if node.metadata.name not in own):
            raise ConnectorError(
                f"expected nodes besides {one_of(own)} that take work, but there are none: nothing "
                "could be placed any more; uncordon another region first"
            )

    def _write(self, node: Node, *, cordoned: bool, dry: bool = False) -> None:
        operation = {"op": "add", "path": "/spec/unschedulable", "value": cordoned}
        path = f"api/v1/nodes/{node.metadata.name}"
        self._objects.patch(path, node.metadata.resourceVersion, [operation], dry=dry)
