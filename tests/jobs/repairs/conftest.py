"""A planet that broke down once for a module's tests; each begins without any repair."""

from collections.abc import Iterator

import pytest

from tests.jobs.repairs.planet import Planet, Registry

JOURNAL = ("Repair", "RepairStep", "Approval", "AuditEntry", "JournalHead", "Lease", "Switch")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planet]:
    planet = Planet(tmp_path_factory.mktemp("planet"), rate=20, auto_repair=1)
    planet.break_down()
    yield planet
    planet.close()


@pytest.fixture
def planet(broken: Planet) -> Planet:
    for label in JOURNAL:
        broken.graph._engine.write(f"MATCH (n:{label}) DETACH DELETE n", {})
    broken.archive.replace_documents("no_repair", {}, without=broken.archive.documents("no_repair"))
    broken.connectors.clear()
    broken.registry = Registry(version="3")
    broken.connectors["registry"] = broken.registry
    broken.restart()
    return broken
