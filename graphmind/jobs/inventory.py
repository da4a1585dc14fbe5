"""The inventory: into the graph, and its changes into the archive, where analyses find them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from graphmind.archive.port import Archive
from graphmind.graph.rows import rows_of
from graphmind.graph.schema import Node
from graphmind.graph.schema.nodes import Change as ChangeNode
from graphmind.graph.schema.nodes import ModelVersion
from graphmind.incidents.changes import Change, first_seen
from graphmind.incidents.incident import Incident
from graphmind.jobs.stores import Stores

KIND: Final = "change"


def store_inventory(stores: Stores, nodes: Sequence[Node]) -> None:
    """Write inventory records to the graph, and keep what they say was changed when."""
    stores.archive.replace_documents(KIND, dict(filter(None, map(_change, nodes))))
    stores.graph.ensure_schema()
    stores.graph.upsert(rows_of(nodes))


def known_changes(archive: Archive, incidents: Sequence[Incident]) -> list[Change]:
    """Return the changes of the inventory, and what telemetry shows as new in the causes."""
    documents = archive.documents(KIND).values()
    stated = [change for document in documents if (change := Change.of(document))]
    items = {
        (item.kind, item.name)
        for incident in incidents
        for cause in incident.causes
        for item in cause.all_of
    }
    return stated + first_seen(archive.first_touches(items), archive.first_start())


def _change(node: Node) -> tuple[str, dict[str, Any]] | None:
    match node:
        case ChangeNode():
            return node.key, asdict(node)
        case ModelVersion(released_ms=int(at_ms)):
            return f"release {node.key}", {"kind": "release", "target": node.key, "at_ms": at_ms}
        case _:
            return None
