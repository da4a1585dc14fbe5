"""Roll-back advice on versions with planted failing shares."""

from collections.abc import Mapping

import pyarrow as pa
import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.errors import UnknownName
from graphmind.jobs.rollback_advice import rollback_advice, rollback_advices
from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES, Facts

HOUR_NS = 3_600_000_000_000


def used(versions: Mapping[str, tuple[int, int]]) -> Facts:
    """Traces by version: how many, and how many of them failed; in order of time."""
    traces, items, start = [], [], HOUR_NS
    for version, (count, failed) in versions.items():
        for number in range(count):
            start += 1
            id_ = f"{version}-{number}"
            outcome = "failed" if number < failed else "ok"
            usual = {"weight": 1.0, "duration_ns": 5, "complete": True}
            traces.append({"trace_id": id_, "start_ns": start, "outcome": outcome, **usual})
            item = {"kind": "model_version", "name": version, "first_ns": start}
            items.append({"trace_id": id_, **item})
    return Facts(
        traces=pa.Table.from_pylist(traces, schema=TRACES),
        symptoms=SYMPTOMS.empty_table(),
        items=pa.Table.from_pylist(items, schema=ITEMS),
        accesses=ACCESSES.empty_table(),
    )


def advice(versions: Mapping[str, tuple[int, int]], model: str = "atlas"):
    with DuckArchive(None) as archive:
        archive.store_facts(used(versions))
        return rollback_advice(archive, model)


def test_the_newest_earlier_version_that_is_healthy_is_named():
    found = advice(
        {
            "atlas@3.1.9": (300, 1),
            "atlas@3.1.10": (40, 0),
            "atlas@3.1.8": (300, 1),
            "atlas@3.1.11": (300, 90),
            "other@1": (300, 0),
        }
    )

    assert (found["model"], found["from"], found["to"]) == (
        *("atlas", "atlas@3.1.11"),
        "atlas@3.1.9",
    )
    assert "atlas@3.1.11 failed in 30.0% of 300 traces" in found["why"]
    assert "unlike atlas@3.1.10 failed in 0.0% of 40 traces" in found["why"]


def test_versions_without_numbers_are_as_old_as_their_first_use():
    found = advice({"atlas@blue": (200, 0), "atlas@red": (200, 0), "atlas@lime": (200, 100)})

    assert (found["from"], found["to"]) == ("atlas@lime", "atlas@red")


def test_a_date_at_the_end_of_a_name_is_a_version():
    dated = {"atlas-2026-02-07": (300, 90), "atlas-20260115": (300, 3), "atlas-mini": (300, 3)}
    found = advice(dated, "atlas-2026-02-07")

    assert (found["model"], found["to"]) == ("atlas", "atlas-20260115")
    assert advice(dated, "atlas-mini")["from"] is None


def test_without_a_healthy_one_nothing_is_advised_and_why():
    found = advice({"other@1": (600, 6), "atlas@1": (200, 60), "atlas@2": (200, 100)}, "atlas@2")

    assert (found["from"], found["to"]) == ("atlas@2", None)
    assert "atlas@1 failed in 30.0%" in found["why"]


def test_a_model_that_fares_well_needs_no_other_version():
    found = advice({"atlas@1": (200, 1), "atlas@2": (20, 2)})

    assert (found["from"], found["to"]) == (None, None)
    assert "no version is sure to fail" in found["why"]


def test_where_all_fails_more_a_version_is_held_against_that():
    outage = {"other@1": (600, 60), "atlas@1": (300, 30), "atlas@2": (300, 36)}
    worse = advice({**outage, "atlas@3": (300, 120)})

    assert advice(outage)["from"] is None
    assert (worse["from"], worse["to"]) == ("atlas@3", "atlas@2")
    assert "the 1200 traces without it failed in 10.5%" in worse["why"]


def test_where_nearly_nothing_fails_two_per_cent_are_much():
    found = advice({"atlas@1": (5000, 5), "atlas@2": (5000, 100)})

    assert (found["from"], found["to"]) == ("atlas@2", "atlas@1")


def test_what_nothing_can_be_compared_with_is_not_advised_on():
    found = advice({"atlas@1": (300, 200)})

    assert found["from"] is None
    assert "the 0 traces without it" in found["why"]


def test_only_models_with_a_failing_version_are_advised_on():
    with DuckArchive(None) as archive:
        archive.store_facts(used({"a@1": (200, 0), "b@1": (200, 0), "b@2": (200, 50)}))

        assert [row["model"] for row in rollback_advices(archive)] == ["b"]


def test_an_unknown_model_is_refused():
    with pytest.raises(UnknownName, match="no trace used model atlas"):
        advice({"other@1": (2, 0)})
