"""The two stores a job works on."""

from dataclasses import dataclass

from graphmind.archive.port import Archive
from graphmind.graph.port import GraphStore


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The archive and the graph of one data folder."""

    archive: Archive
    graph: GraphStore
