"""Serves an emulated Kubernetes API on a port; run by the environment that has kmock."""

import asyncio
import sys

from kmock import KubernetesEmulator, ResourceInfo, Server, resource  # type: ignore[import-not-found]

KINDS = {"deployments": "Deployment", "replicasets": "ReplicaSet"}


async def serve(port: int) -> None:
    emulator = KubernetesEmulator()
    for plural, kind in KINDS.items():
        emulator.resources[resource("apps", "v1", plural)] = ResourceInfo(
            kind=kind, namespaced=True, verbs={"list", "get", "create", "patch", "delete"}
        )
    async with emulator, Server(emulator, port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
