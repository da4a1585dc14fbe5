"""Serves an emulated Kubernetes API that checks versions, runs dry and keeps rollouts.

Run by the environment that has kmock. What is emulated here beyond kmock: `resourceVersion` (409),
`dryRun=All`, label selectors of equality, and the ReplicaSets a Deployment leaves behind.
"""

import asyncio
import copy
import sys
from typing import Any

import aiohttp.web  # type: ignore[import-not-found]
from kmock import KubernetesEmulator, ResourceInfo, Server, resource  # type: ignore[import-not-found]
from kmock._internal.dicts import patch_dict  # type: ignore[import-not-found]
from kmock._internal.enums import action, method  # type: ignore[import-not-found]
from kmock._internal.k8s import KubernetesObjectConflictError  # type: ignore[import-not-found]

DEPLOYMENTS = resource("apps", "v1", "deployments")
REPLICASETS = resource("apps", "v1", "replicasets")
NODES = resource("", "v1", "nodes")
KINDS = {DEPLOYMENTS: "Deployment", REPLICASETS: "ReplicaSet", NODES: "Node"}
REVISION, POD_HASH = "deployment.kubernetes.io/revision", "pod-template-hash"


class Cluster(KubernetesEmulator):  # type: ignore[misc]
    """An emulator that behaves as the API does where writers meet."""

    async def _handle(self, request: Any) -> Any:
        key = (request.resource, request.namespace, request.name)
        if request.method == method.DELETE and request.name is None:
            # Everything: kmock keeps what was deleted and asked, and slows down with it.
            for each in list(self._objects):
                del self._objects[each]
            self._requests.clear()
            return aiohttp.web.json_response({})
        if request.action == action.UPDATE and key in self._objects:
            present = self._objects[key].raw
            patched = patch_dict(present, request.data)
            version = present["metadata"]["resourceVersion"]
            if patched["metadata"]["resourceVersion"] != version:
                raise KubernetesObjectConflictError
            if request.params.get("dryRun") == "All":
                return aiohttp.web.json_response(dict(patched))
            answer = await super()._handle(request)
            self._objects[key].patch({"metadata": {"resourceVersion": str(int(version) + 1)}})
            self._roll_out(key)
            return answer
        if request.action == action.CREATE:
            request.data["metadata"]["resourceVersion"] = "1"
            answer = await super()._handle(request)
            self._roll_out((request.resource, request.namespace, request.data["metadata"]["name"]))
            return answer
        return await super()._handle(request)

    async def _serve_list(self, request: Any) -> Any:
        page = await super()._serve_list(request)
        wanted = dict(
            pair.split("=") for pair in request.params.get("labelSelector", "").split(",") if pair
        )
        page["items"] = [
            one
            for one in page["items"]
            if wanted.items() <= one["metadata"].get("labels", {}).items()
        ]
        return page

    def _roll_out(self, key: Any) -> None:
        """Keep a ReplicaSet for the template of a Deployment, as its controller does."""
        if key[0] != DEPLOYMENTS:
            return
        deployment = self._objects[key].raw
        own = {
            set_key: self._objects[set_key].raw
            for set_key in list(self._objects)
            if set_key[:2] == (REPLICASETS, key[1])
            and self._objects[set_key].raw["metadata"]["ownerReferences"][0]["name"] == key[2]
        }
        revisions = [int(one["metadata"]["annotations"][REVISION]) for one in own.values()]
        top = max(revisions, default=0)
        for set_key, one in own.items():
            if _plain(one["spec"]["template"]) == _plain(deployment["spec"]["template"]):
                if int(one["metadata"]["annotations"][REVISION]) != top:
                    changed = {"metadata": {"annotations": {REVISION: str(top + 1)}}}
                    self._objects[set_key].patch(changed)
                return
        name = f"{key[2]}-{top + 1}"
        template = _plain(deployment["spec"]["template"])
        template.setdefault("metadata", {}).setdefault("labels", {})[POD_HASH] = str(top + 1)
        self._objects[(REPLICASETS, key[1], name)] = {
            "metadata": {
                "name": name,
                "namespace": key[1],
                "resourceVersion": "1",
                "labels": deployment["spec"]["selector"]["matchLabels"],
                "annotations": {REVISION: str(top + 1)},
                "ownerReferences": [{"kind": "Deployment", "name": key[2]}],
            },
            "spec": {"replicas": 0, "template": template},
        }


def _plain(template: Any) -> Any:
    plain = copy.deepcopy(template)
    plain.get("metadata", {}).get("labels", {}).pop(POD_HASH, None)
    return plain


async def serve(port: int) -> None:
    emulator = Cluster()
    for each, kind in KINDS.items():
        emulator.resources[each] = ResourceInfo(
            kind=kind,
            namespaced=each != NODES,
            verbs={"list", "get", "create", "patch", "delete"},
        )
    async with emulator, Server(emulator, port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
