"""Objects of a Kubernetes API: read, listed page by page, and patched if nobody else did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from graphmind.repair.connector import ConnectorError, OutcomeUnknown
from graphmind.repair.connectors.json_api import JsonApi, segment
from graphmind.repair.connectors.kubernetes_workloads import Change, Workload

T = TypeVar("T")

CONFLICT: Final = 409
NOT_FOUND: Final = 404
_PAGE: Final = 200  # chosen: nodes of a page are 4 MB at most
_PAGES_MAX: Final = 200
_PATCH: Final = {"content-type": "application/json-patch+json"}


class Conflict(Exception):  # noqa: N818 - never leaves the connector
    """Somebody else wrote the object between our reading and writing."""


class _ListMetadata(msgspec.Struct, frozen=True, rename={"onward": "continue"}):
    onward: str = ""


class _List(msgspec.Struct, frozen=True):
    """A page of a list; Go writes an empty one as null."""

    items: list[dict[str, Any]] | None
    metadata: _ListMetadata = _ListMetadata()


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a Deployment is."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Objects:
    """One API server."""

    def __init__(self, api: JsonApi, *, dry_run: bool) -> None:
        """``dry_run``: the server checks a patch before it is planned."""
        self.where = api.where
        self._api = api
        self._dry_run = dry_run

    def deployment(self, place: Place) -> Workload:
        """Read a Deployment. Raises ConnectorError where there is none."""
        reply = self._api.get(_deployment(place), tolerated={NOT_FOUND})
        if reply.status == NOT_FOUND:
            raise ConnectorError(
                f"{self.where}: expected Deployment {place}, but there is none; mend `agents` or "
                "`namespace` in the connectors file"
            )
        return reply.read_as(Workload)

    def replica_sets(self, place: Place, one: Workload) -> list[Workload]:
        """Read the ReplicaSets of a Deployment, which keep its older templates."""
        labels = one.spec.selector.get("matchLabels") or {}
        selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        path = f"apis/apps/v1/namespaces/{segment(place.namespace)}/replicasets"
        found = [self._read(each, Workload) for each in self.listed(path, selector)]
        return [
            each
            for each in found
            if any(
                (owner.kind, owner.name) == ("Deployment", place.name)
                for owner in each.metadata.ownerReferences or ()
            )
        ]

    def listed(self, path: str, selector: str) -> list[dict[str, Any]]:
        """Read a list to its end."""
        asked = {"limit": str(_PAGE)} | ({"labelSelector": selector} if selector else {})
        items: list[dict[str, Any]] = []
        for _ in range(_PAGES_MAX):
            page = self._api.get(path, asked).read_as(_List)
            items += page.items or []
            if not page.metadata.onward:
                return items
            asked["continue"] = page.metadata.onward
        raise ConnectorError(f"{self.where}: {path} goes on and on; narrow its selector")

    def change(self, place: Place, one: Workload, change: Change, *, dry: bool = False) -> None:
        """Write a change to the Deployment as it was read. Raises Conflict where it is not so."""
        operations: list[dict[str, Any]] = []
        if change.template is not None:
            operations.append(_set("/spec/template", change.template))
        if change.replicas is not None:
            operations.append(_set("/spec/replicas", change.replicas))
        if change.annotations:
            annotations = {**one.annotations, **change.annotations}
            kept = {name: value for name, value in annotations.items() if value is not None}
            operations.append(_set("/metadata/annotations", kept))
        self.patch(_deployment(place), one.metadata.resourceVersion, operations, dry=dry)

    def patch(
        self, path: str, version: str, operations: list[dict[str, Any]], *, dry: bool = False
    ) -> None:
        """Patch an object of that version; ``dry``: the server only says whether it would."""
        if dry and not self._dry_run:
            return
        # A resourceVersion that is written and not the present one is a conflict.
        checked = [_set("/metadata/resourceVersion", version), *operations]
        query = {"fieldManager": "graphmind"} | ({"dryRun": "All"} if dry else {})
        try:
            reply = self._api.change(
                "PATCH",
                f"{path}?{urlencode(query)}",
                content=msgspec.json.encode(checked),
                headers=_PATCH,
                tolerated={CONFLICT},
            )
        except OutcomeUnknown as error:
            if dry:
                raise ConnectorError(
                    f"dry run: {error}", retry_after_s=error.retry_after_s
                ) from None
            raise
        if reply.status == CONFLICT:
            raise Conflict(reply.where)

    def read_nodes(self, selector: str, kind: type[T]) -> list[T]:
        """Read the nodes with these labels; all for an empty selector."""
        return [self._read(each, kind) for each in self.listed("api/v1/nodes", selector)]

    def close(self) -> None:
        """Release connections."""
        self._api.close()

    def _read(self, value: Mapping[str, Any], kind: type[T]) -> T:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise ConnectorError(
                f"{self.where}: an object of another shape came: {error}"
            ) from None


def _deployment(place: Place) -> str:
    return f"apis/apps/v1/namespaces/{segment(place.namespace)}/deployments/{segment(place.name)}"


def _set(path: str, value: Any) -> dict[str, Any]:
    """Return the operation that sets a field, there or not (RFC 6902)."""
    return {"op": "add", "path": path, "value": value}
