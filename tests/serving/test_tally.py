from dataclasses import replace

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.graph.embedded import open_embedded
from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.jobs.stores import Stores
from graphmind.repair.graph_journal import GraphJournal
from graphmind.repair.states import State
from graphmind.serving.repairing import Repairing
from graphmind.settings import Settings
from tests.repair.repairs import draft, kept_approved, repair, step


class Counting(GraphJournal):
    """Counts how often repairs are read in full."""

    read = 0

    def repairs(self, **filters):
        self.read += 1
        return super().repairs(**filters)


@pytest.fixture
def desk(tmp_path):
    graph = open_embedded(tmp_path)
    with DuckArchive(None) as archive:
        desk = RepairDesk(Stores(archive=archive, graph=graph), Settings(), {})
        desk.open()
        desk.journal = Counting(graph)
        yield desk
    graph.close()


def test_repairs_are_read_once_for_numbers_until_one_changes(desk):
    kept = kept_approved(desk.journal, repair("r1", step(1, "a")))
    repairing = Repairing(desk, show=lambda facts: None)

    attempts = [repairing.tally().attempts for _ in range(3)]
    read_before = desk.journal.read
    running = replace(kept, state=State.RUNNING, started_ms=2_000)
    desk.journal.change(running, draft(running, "run"), lease_until_ms=9_000)

    assert (attempts, read_before) == ([0, 0, 0], 1)
    assert repairing.tally().attempts == 1
    assert desk.journal.read == 2
