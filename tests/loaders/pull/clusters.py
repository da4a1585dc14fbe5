"""Objects of a Kubernetes cluster, as its API writes them."""

from datetime import UTC, datetime
from typing import Any

CREATED_MS = 1_795_000_000_000
MINUTE_MS = 60_000


def deployment(name: str, image: str, **metadata: Any) -> dict[str, Any]:
    """A deployment with one container."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "prod", **metadata},
        "spec": {"replicas": 1, "template": _template(image)},
    }


def replica_set(
    owner: str, number: int, image: str, *, revision: int | None = None
) -> dict[str, Any]:
    """The replica set of a rollout, created so many minutes after CREATED_MS."""
    at_s = (CREATED_MS + number * MINUTE_MS) / 1000
    created = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{owner}-{number}",
            "namespace": "prod",
            "creationTimestamp": created,
            "annotations": {"deployment.kubernetes.io/revision": str(revision or number)},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": owner}],
        },
        "spec": {"replicas": 0, "template": _template(image)},
    }


def _template(image: str) -> dict[str, Any]:
    secret = {"name": "TOKEN", "value": "hush"}
    return {"spec": {"containers": [{"name": "main", "image": image, "env": [secret]}]}}
