"""From an incident, a key or a trace to the trail of what it wrote."""

from dataclasses import replace

import orjson
import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.errors import UnknownName
from graphmind.graph.contamination import contamination_rows
from graphmind.jobs import lineage as lineages
from graphmind.jobs.analyze import examine
from graphmind.jobs.lineage import lineage_of_incident, lineage_of_key, lineage_of_trace
from graphmind.jobs.window import with_lineage
from graphmind.settings import Settings
from tests.analysis.planted import SECOND
from tests.analysis.poisoned import poison

MS_NS = 1_000_000


@pytest.fixture(scope="module")
def planted():
    return poison(1, n=4000, failures_min=20)


@pytest.fixture(scope="module")
def found(planted):
    _, [incident], _ = examine(with_lineage(planted.facts), Settings())
    return incident


@pytest.fixture(scope="module")
def archive(planted, found):
    with DuckArchive(None) as opened:
        opened.store_facts(planted.facts)
        opened.save_incidents(
            "run",
            [
                found,
                {**found, "incident_id": "nameless", "causes": []},
                {**found, "incident_id": "other", "causes": [by_region(found)]},
            ],
        )
        yield opened


def by_region(incident):
    cause = incident["causes"][0]
    return {**cause, "all_of": [{"kind": "region", "name": "eu"}], "tied": []}


def bad_write(planted):
    """Key and time of the write that began it."""
    [row] = [
        row
        for row in planted.facts.accesses.to_pylist()
        if row["trace_id"] == planted.origin and row["op"] == "write"
    ]
    return row["key"], row["at_ns"]


def test_of_an_incident_the_cause_is_followed_to_all_that_it_reached(archive, planted, found):
    told = lineage_of_incident(archive, found["incident_id"])

    assert told.basis == "cause"
    zero = told.trail.patient_zero
    assert zero is not None
    assert zero.write.trace_id == planted.origin
    assert zero.share > 0.9
    harmed = told.trail.traces.filter(told.trail.traces["harmed"])["trace_id"].to_pylist()
    assert planted.hops.keys() <= set(harmed)
    assert [ring.hops for ring in told.trail.rings[:3]] == [1, 2, 3]
    assert told.command["root_node"] == f"written_by_trace:{planted.origin}"
    assert set(planted.hops) <= set(told.command["trace_scope"])


def test_without_a_cause_the_write_is_searched(archive, planted):
    told = lineage_of_incident(archive, "nameless")

    zero = told.trail.patient_zero
    assert zero is not None
    assert (told.basis, zero.write.trace_id) == ("search", planted.origin)


def test_of_a_cause_that_writes_nothing_the_failing_traces_are_followed(archive, planted, found):
    told = lineage_of_incident(archive, "other")

    assert (told.basis, told.trail.patient_zero) == ("failing_traces", None)
    assert {write.trace_id for write in told.trail.origins} <= set(found["trace_ids"])


def test_of_a_key_the_value_that_it_held_then_is_followed(archive, planted):
    key, at_ns = bad_write(planted)

    told = lineage_of_key(archive, key, at_ms=at_ns // MS_NS)

    [origin] = told.trail.origins
    assert (origin.key, origin.trace_id, told.basis) == (key, planted.origin, "asked")
    assert told.subject == {"kind": "key", "name": key}


def test_of_a_key_that_nobody_had_written_there_is_nothing_to_follow(archive):
    with pytest.raises(UnknownName, match="no write of key nope before 5 is known"):
        lineage_of_key(archive, "nope", at_ms=5)


def test_of_a_trace_everything_that_it_wrote_is_followed(archive, planted):
    told = lineage_of_trace(archive, planted.origin)

    assert {write.trace_id for write in told.trail.origins} == {planted.origin}
    assert told.trail.traces.num_rows > 0


@pytest.mark.parametrize(
    ("follow", "name"), [(lineage_of_trace, "nope"), (lineage_of_incident, "nope")]
)
def test_what_is_not_known_is_refused(archive, follow, name):
    with pytest.raises(UnknownName, match="nope"):
        follow(archive, name)


def test_an_incident_whose_traces_were_pruned_is_refused(found):
    with DuckArchive(None) as empty:
        empty.save_incidents("run", [found])
        with pytest.raises(UnknownName, match="not settled, or pruned"):
            lineage_of_incident(empty, found["incident_id"])


def test_a_document_is_json_and_its_counts_are_whole(archive, found):
    told = lineage_of_incident(archive, found["incident_id"])
    document = told.document()

    assert orjson.loads(orjson.dumps(document)) == document
    assert document["counts"]["traces"] == told.trail.traces.num_rows
    assert document["counts"]["at_risk_traces"] == len(document["at_risk_traces"])
    assert not set(document["at_risk_traces"]) & set(found["trace_ids"])
    assert document["counts"]["keys_holding"] == len(document["rollbacks"])


def test_long_lists_are_cut_in_a_document(archive, found, monkeypatch):
    monkeypatch.setattr(lineages, "LISTED_MAX", 3)
    document = lineage_of_incident(archive, found["incident_id"]).document()

    assert len(document["traces"]) == 3 < document["counts"]["traces"]


def test_the_failing_traces_are_linked_with_patient_zero(archive, planted, found):
    document = lineage_of_incident(archive, found["incident_id"]).document()

    rows = contamination_rows([document], "run-1")

    reached = {row["from"] for row in rows if row["to"] == planted.origin}
    assert planted.hops.keys() <= reached


def test_a_shorter_time_is_read_where_there_are_too_many_traces(archive, found, monkeypatch):
    monkeypatch.setattr(lineages, "AROUND_HOURS", (24, 0))
    told = lineage_of_incident(archive, found["incident_id"], traces_max=3_000)

    assert 0 < told.window["traces"] <= 3_000
    assert told.window["until_ms"] - told.window["from_ms"] < 3_000 * SECOND // MS_NS


def test_the_same_facts_in_another_order_tell_the_same(archive, planted, found):
    facts = planted.facts
    backwards = range(facts.accesses.num_rows)[::-1]
    with DuckArchive(None) as other:
        other.store_facts(replace(facts, accesses=facts.accesses.take(list(backwards))))
        other.save_incidents("run", [found])

        told = lineage_of_incident(other, found["incident_id"]).document()

    assert told == lineage_of_incident(archive, found["incident_id"]).document()
