"""The only place that builds adapters from settings, and finds plugins."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphmind.access.running_server import find_server
from graphmind.archive.duck import DuckArchive
from graphmind.archive.folder import owner_of
from graphmind.errors import SettingsError
from graphmind.graph.port import GraphStore
from graphmind.jobs.stores import Stores
from graphmind.settings import Settings
from graphmind.sources import PullSource
from graphmind.telemetry.resolver_table import Table, default_table, extended_table

if TYPE_CHECKING:  # only a server pays for what it needs
    from graphmind.jobs.repairs.desk import RepairDesk
    from graphmind.jobs.workbench.local import LocalWorkbench
    from graphmind.jobs.workbench.port import Workbench
    from graphmind.serving.service import Listener, Service

ARCHIVE_MEMORY, LIVE_ARCHIVE_MEMORY = "2GB", "128MB"
"""A server shares its machine and runs for months; a command may take what it needs (chosen). With
128 MB instead of 192 MB taking in costs the same (34 to 37 s of processor time a million spans, 35
before) and one append of 2 million spans passes (measured)."""
DELIVERY_TIMEOUT_S = 5.0
"""How long an endpoint of alerts may take to answer (chosen)."""


@contextmanager
def open_stores(settings: Settings, *, live: bool = False) -> Iterator[Stores]:
    """Open the archive and the graph of a data folder, and close them afterwards.

    ``live`` bounds their memory for a server. Raises StoreBusy or StoreError with what to do.
    """
    memory_max = LIVE_ARCHIVE_MEMORY if live else ARCHIVE_MEMORY
    with DuckArchive(settings.data_dir, memory_max=memory_max) as archive:
        graph = open_graph(settings)
        try:
            yield Stores(archive=archive, graph=graph)
        finally:
            graph.close()


@contextmanager
def open_desk(stores: Stores, settings: Settings) -> "Iterator[RepairDesk]":
    """Open the desk of repairs over open stores, with the connectors of the set file.

    Raises SettingsError for a mistake in that file or in the folder of strategies.
    """
    from graphmind.jobs.repairs.desk import RepairDesk
    from graphmind.repair.connectors.config import open_connectors

    with ExitStack() as held:
        path = settings.connectors
        connectors = open_connectors(Path(path), os.environ) if path else {}
        for connector in connectors.values():
            held.callback(connector.close)
        desk = RepairDesk(stores, settings, connectors)
        desk.open()
        yield desk


@contextmanager
def open_workbench(
    settings: Settings, stage: "Callable[[str], None]" = lambda _name: None
) -> "Iterator[Workbench]":
    """Open what commands ask: the server that owns the data folder, or else its stores.

    ``stage`` is told what is being done; a server tells nothing. Raises as ``open_stores`` does.
    """
    from graphmind.jobs.workbench.remote import open_remote

    found = find_server(settings.data_dir)
    if found and owner_of(settings.data_dir) == found[0].pid:
        with open_remote(found[0].url, found[1]) as remote:
            yield remote
        return
    with open_stores(settings) as stores, ExitStack() as held:
        yield workbench_over(
            stores, settings, lambda: held.enter_context(open_desk(stores, settings)), stage
        )


def workbench_over(
    stores: Stores,
    settings: Settings,
    desk: "Callable[[], RepairDesk]",
    stage: "Callable[[str], None]" = lambda _name: None,
) -> "LocalWorkbench":
    """Return the workbench over open stores; ``desk`` is asked for when a call needs it."""
    from graphmind.jobs.workbench.intake import Intake
    from graphmind.jobs.workbench.local import LocalWorkbench

    read = plugin("graphmind.readers", "files")
    intake = Intake(settings=settings, read=read, table=resolver_table(settings))
    return LocalWorkbench(stores, settings, intake=intake, open_desk=desk, stage=stage)


@contextmanager
def open_service(
    stores: Stores, settings: Settings, *, host: str, desk: "RepairDesk | None" = None
) -> "Iterator[Service]":
    """Run the live service over open stores: receivers, pull sources and loops.

    With a desk it proposes, runs and verifies repairs there; without one it only finds incidents.
    Raises SettingsError where a setting is wrong or an address is taken.
    """
    import httpx

    from graphmind.jobs.deliveries import open_deliveries
    from graphmind.serving.service import Service

    sources = _sources(settings)
    with ExitStack() as held:
        client = held.enter_context(httpx.Client(timeout=DELIVERY_TIMEOUT_S))
        service = Service(
            stores,
            settings,
            table=resolver_table(settings),
            deliveries=open_deliveries(stores.archive, settings, client),
            read_alerts=plugin("graphmind.readers", "alerts"),
            desk=desk,
        )
        held.callback(service.stop)
        service.start(_listeners(settings, host), sources)
        yield service


def _listeners(settings: Settings, host: str) -> "list[Listener]":
    ports = {"otlp-grpc": settings.otlp_grpc_port, "otlp-http": settings.otlp_http_port}
    return [
        partial(plugin("graphmind.receivers", name), settings=settings, host=host)
        for name, port in ports.items()
        if port >= 0
    ]


def _sources(settings: Settings) -> list[PullSource]:
    if not settings.sources:
        return []
    read = plugin("graphmind.readers", "sources")
    configs = read(Path(settings.sources), os.environ)
    return [plugin("graphmind.pull_sources", config.kind)(config) for config in configs]


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
