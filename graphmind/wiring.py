"""The only place that builds adapters from settings, and finds plugins."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from graphmind.archive.duck import DuckArchive
from graphmind.errors import SettingsError
from graphmind.graph.port import GraphStore
from graphmind.jobs.stores import Stores
from graphmind.settings import Settings
from graphmind.telemetry.resolver_table import Table, default_table, extended_table


@contextmanager
def open_stores(settings: Settings) -> Iterator[Stores]:
    """Open the archive and the graph of a data folder, and close them afterwards.

    Raises StoreBusy or StoreError with what to do.
    """
    with DuckArchive(settings.data_dir) as archive:
        graph = open_graph(settings)
        try:
            yield Stores(archive=archive, graph=graph)
        finally:
            graph.close()


def open_graph(settings: Settings) -> GraphStore:
    """Open Neo4j where its address is set, else the embedded graph of the data folder."""
    if settings.neo4j_uri:
        from graphmind.graph.neo4j import open_neo4j

        return open_neo4j(
            uri=settings.neo4j_uri,
            user=settings.neo4j_user,
            password=settings.neo4j_password,
            database=settings.neo4j_database,
        )
    from graphmind.graph.embedded import open_embedded

    return open_embedded(settings.data_dir)


def resolver_table(settings: Settings) -> Table:
    """Return the attribute table, extended by the user's file if one is set."""
    return extended_table(Path(settings.resolver)) if settings.resolver else default_table()


def plugin(group: str, name: str) -> Any:
    """Load what an entry point names. Raises SettingsError where the install lacks it."""
    found = entry_points(group=group, name=name)
    for entry in found:
        return entry.load()
    raise SettingsError(f"nothing provides {group}:{name}; install graphmind again with `make`")
