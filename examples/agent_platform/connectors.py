"""The file by which graphmind reaches the platform's control planes."""

import yaml

from examples.agent_platform.layout import Layout
from examples.agent_platform.topology import ALIAS


def connectors_file(layout: Layout) -> str:
    """Return the connectors file, YAML."""
    controller = {"name": "controller", "kind": "runtime_controller", "url": layout.controller}
    return yaml.safe_dump({"connectors": [controller], "alias": ALIAS}, sort_keys=False)
