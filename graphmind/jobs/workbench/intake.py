"""Files become spans in the archive and nodes in the graph."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from graphmind.graph.schema import Node
from graphmind.jobs.analyze import Stage
from graphmind.jobs.inventory import store_inventory
from graphmind.jobs.load import Loaded, load
from graphmind.jobs.settle import settle
from graphmind.jobs.stores import Stores
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import Table

Read = Callable[..., Iterable[pa.RecordBatch | Node]]
"""What the entry point ``graphmind.readers:files`` names."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What some files brought."""

    loaded: Loaded
    settled: int
    """Traces whose facts were derived."""
    inventory: int
    """Records of inventories."""

    def document(self) -> dict[str, Any]:
        """Return what was read, for an answer."""
        return {
            "spans": self.loaded.spans,
            "traces": len(self.loaded.trace_ids),
            "rejected": self.loaded.rejected.rows(),
        }


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Reads files into stores."""

    settings: Settings
    read: Read
    table: Table

    def take(self, paths: list[str], stores: Stores, stage: Stage) -> Taken:
        """Read, archive and settle. Raises SourceError for what cannot be read at all."""
        rejected = Rejections()
        inventory: list[Node] = []
        found = self.read(paths, rejected, stdin=sys.stdin.buffer)
        loaded = load(
            _spans(found, inventory, stage),
            stores.archive,
            self.settings,
            table=self.table,
            rejected=rejected,
            now_ns=time.time_ns(),
        )
        stage("deriving symptoms and items")
        settled = settle(stores.archive, self.settings, rejected)
        if inventory:
            stage("writing the inventory")
            store_inventory(stores, inventory)
        return Taken(loaded=loaded, settled=settled, inventory=len(inventory))


def _spans(
    found: Iterable[pa.RecordBatch | Node], inventory: list[Node], stage: Stage
) -> Iterator[pa.RecordBatch]:
    """Pass the spans on, count them, and put the nodes of inventories aside."""
    spans = 0
    for part in found:
        if isinstance(part, Node):
            inventory.append(part)
            continue
        spans += part.num_rows
        stage(f"read {spans:,} spans")
        yield part
