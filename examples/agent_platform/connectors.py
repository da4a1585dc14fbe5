"""The file by which graphmind reaches the platform's control planes."""

from typing import Any, Final

import yaml

from examples.agent_platform.layout import Layout
from examples.agent_platform.topology import ALIAS, REGIONS, WITHIN

VARIABLE: Final = "PLATFORM_TOKEN"
"""Of the environment, from which graphmind reads the controller's token."""


def connectors_file(layout: Layout) -> str:
    """Return the connectors file (YAML): every lever of the platform, live.

    A token is no text of the file: it is read from the environment, ``PLATFORM_TOKEN``.
    """
    controller: dict[str, Any] = {
        "kind": "runtime_controller",
        "live": True,
        "url": layout.controller,
        "within": dict(WITHIN),
    }
    if layout.token:
        controller["token"] = f"${{{VARIABLE}}}"
    regions = {region: [f"regions/{region}"] for region in REGIONS}
    connectors = {
        "controller": controller,
        "state": {"kind": "state_store", "live": True, "url": layout.redis},
        "registry": {"kind": "model_registry", "live": True, "url": layout.mlflow, "alias": ALIAS},
        "regions": {
            "kind": "haproxy",
            "live": True,
            "socket": f"unix:{layout.balancer_socket}",
            "regions": regions,
        },
        "gateway": {"kind": "gateway", "live": True, "url": layout.gateway},
    }
    return yaml.safe_dump({"connectors": connectors}, sort_keys=False)
