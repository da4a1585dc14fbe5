"""States of repairs from the journal: now, and as of a moment."""

from dataclasses import replace

import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.graph.embedded import open_embedded
from graphmind.jobs.reading.past_cases import best_strategy, past_cases
from graphmind.jobs.reading.repairs import newest_states, states_of
from graphmind.jobs.stores import Stores
from graphmind.repair.graph_journal import GraphJournal
from graphmind.repair.states import State
from tests.repair.repairs import draft, repair


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    graph = open_embedded(tmp_path_factory.mktemp("graph"))
    graph.ensure_schema()
    with DuckArchive(None) as archive:
        yield Stores(archive=archive, graph=graph)
    graph.close()


@pytest.fixture(scope="module")
def journal(stores):
    """One repair of i1 that succeeded at 5000, one asked for at 9000, and a dry run."""
    journal = GraphJournal(stores.graph)
    first = repair("r1", requested_ms=1_000)
    kept = journal.create(first, draft(first, "propose"))
    for at_ms, state in ((3_000, State.APPROVED), (5_000, State.SUCCEEDED)):
        moved = replace(kept, state=state, verdict="effective", ended_ms=22_000)
        kept = journal.change(moved, draft(moved, str(state), at_ms))
    for name, mode in (("r2", "live"), ("r3", "dry_run")):
        asked = repair(name, requested_ms=9_000, mode=mode)
        journal.create(asked, draft(asked, "propose", 9_000))
    return journal


@pytest.mark.parametrize(
    ("as_of_ms", "expected"),
    [
        (None, "PROPOSED"),
        (999, None),
        (1_000, "PROPOSED"),
        (4_999, "APPROVED"),
        (5_000, "SUCCEEDED"),
        (9_000, "PROPOSED"),
    ],
)
@pytest.mark.usefixtures("journal")
def test_the_newest_repair_tells_the_state(stores, as_of_ms, expected):
    states = newest_states(stores, as_of_ms)

    assert {name: state.upper() for name, state in states.items()} == (
        {"i1": expected} if expected else {}
    )


@pytest.mark.usefixtures("journal")
def test_states_that_repairs_went_through_come_by_time(stores):
    passed = [(each.repair_id, each.at_ms) for each in states_of(stores, "i1")]

    assert passed == [("r1", 1_000), ("r1", 3_000), ("r1", 5_000), ("r2", 9_000)]
    assert [each.at_ms for each in states_of(stores, "i1", 4_000)] == [1_000, 3_000]
    assert states_of(stores, "i2") == []


@pytest.mark.usefixtures("journal")
def test_a_past_case_tells_what_was_done_and_what_worked(stores):
    match = {"incident_id": "i1", "score": 0.9, "title": "", "root_cause": None}
    incident = {"incident_id": "new", "seen": {"verdict": "seen before", "matches": [match]}}
    stores.archive.save_incidents("run", [incident])

    found = past_cases(stores, "new")

    [case] = found["matches"]
    assert (case["strategy"], case["verdict"], case["seconds_to_effect"]) == (
        "switch-model@3",
        "effective",
        21.0,
    )
    assert found["worked"] == {
        "strategy": "switch-model",
        "effective": 1,
        "of": 1,
        "median_s": 21.0,
    }


def test_the_best_strategy_is_the_one_that_was_effective_most_often():
    def past(name, strategy, verdict):
        states = {"effective": State.SUCCEEDED, "ineffective": State.INEFFECTIVE}
        return repair(name, strategy=strategy, verdict=verdict, state=states[verdict])

    tried = [
        past("1", "a@1", "effective"),
        past("2", "b@1", "effective"),
        past("3", "b@2", "effective"),
        past("4", "b@2", "ineffective"),
    ]
    best = best_strategy(tried)

    assert best is not None
    assert (best["strategy"], best["effective"], best["of"]) == ("b", 2, 3)
    assert best_strategy([past("1", "a@1", "ineffective")]) is None
