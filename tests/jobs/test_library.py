import io
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.errors import SourceError
from graphmind.jobs.analyze import examine
from graphmind.jobs.library import (
    KIND,
    Imported,
    export_library,
    import_library,
    open_library,
    remember,
)
from graphmind.jobs.settle import settle
from graphmind.jobs.window import with_lineage
from graphmind.matching.record import entry_of
from graphmind.matching.verdict import NEW, SEEN
from graphmind.settings import Settings
from graphmind.telemetry.rejections import Rejections
from tests.builders import in_trace, span
from tests.jobs.windows import HOUR_MS, loaded
from tests.matching.entries import entry, libraries


def window(prefix, agent, *, hour=0):
    """Rows of 120 traces a second apart; one in four is of the agent, two of its three fail."""
    return [
        row
        for n in range(120)
        for row in in_trace(
            f"{prefix}{n:03}",
            routed("good" if n % 4 else agent, failed=n % 4 == 0 and n % 12 != 0),
            later_ms=hour * HOUR_MS + n * 1000,
        )
    ]


def routed(agent, *, failed=False):
    named = {"gen_ai.agent.name": agent}
    if failed:
        named["error.type"] = "timeout"
    return [
        span("route", 0, 100, failed=failed),
        span("work", 10, 90, parent="route", failed=failed, attributes=named),
    ]


def analyzed(archive, *batches):
    """Load, find the incidents of all that is there, keep and remember them."""
    loaded(archive, *batches)
    settle(archive, Settings(), Rejections())
    _, incidents, _ = examine(with_lineage(archive.facts(Selection())), Settings())
    archive.save_incidents("analysis", incidents)
    return remember(archive, incidents)


def filled(*entries):
    archive = DuckArchive(None)
    archive.replace_documents(KIND, {own.case.incident_id: own.document() for own in entries})
    return archive


def exported(archive, **options):
    stream = io.BytesIO()
    export_library(archive, stream, **options)
    return stream.getvalue()


def kept(archive):
    return {name: entry_of(document) for name, document in archive.documents(KIND).items()}


def imported(archive, text):
    return import_library(io.BytesIO(text), archive)


def test_what_happens_again_in_another_hour_is_recognised():
    with DuckArchive(None) as archive:
        first = analyzed(archive, window("a", "broken@v1"))
        again = analyzed(archive, window("b", "broken@v2", hour=30))
        [past, now] = sorted(kept(archive).values(), key=lambda own: own.case.seen_ms)
        hits = open_library(archive).hits

    assert [verdict.verdict for verdict in first.values()] == [NEW]
    assert sorted(verdict.verdict for verdict in again.values()) == [NEW, SEEN]
    assert (past.case.recognised_as, now.case.recognised_as) == (None, past.case.incident_id)
    assert (past.case.root_cause, past.case.root_node) == ("agent broken@v1", "agent:broken@v1")
    assert past.case.command is not None
    assert past.case.command["repair_path"][0] == "degrade:broken@v1"
    assert "trace_scope" not in past.case.command
    assert hits == {past.case.incident_id: 1, now.case.incident_id: 0}


def test_remembering_twice_changes_nothing():
    with DuckArchive(None) as archive:
        analyzed(archive, window("a", "broken"))
        before = archive.documents(KIND)
        again = analyzed(archive)

        assert [verdict.verdict for verdict in again.values()] == [NEW]
        assert archive.documents(KIND) == before


def test_an_entry_whose_incident_is_known_under_another_id_now_is_removed():
    with DuckArchive(None) as archive:
        [name] = analyzed(archive, window("a", "broken"))
        own = kept(archive)[name]
        older = replace(own, case=replace(own.case, incident_id="older"))
        other = entry("other", case={"traces": ("elsewhere",)})
        archive.replace_documents(
            KIND, {"older": older.document(), "other": other.document()}, without=[name]
        )
        analyzed(archive)

        assert archive.documents(KIND).keys() == {name, "other"}


def test_an_incident_without_traces_left_keeps_its_entry():
    with filled(entry("inc-1")) as archive:
        gone = {"incident_id": "inc-1", "trace_ids": ["gone"], "survivors": []}

        assert remember(archive, [gone]) == {}
        assert archive.documents(KIND).keys() == {"inc-1"}


@settings(max_examples=15, deadline=None)
@given(libraries)
def test_an_import_of_an_export_gives_the_same_library(entries):
    with filled(*entries) as source, filled() as target:
        text = exported(source)
        changed = imported(target, text)

        assert changed == Imported(new=len(entries), replaced=0, kept=0)
        assert kept(target) == kept(source)
        assert exported(target) == text
        assert imported(target, text) == Imported(new=0, replaced=0, kept=len(entries))


def test_an_export_names_its_origin_and_keeps_that_of_others():
    with filled(entry("a"), entry("b", case={"origin": "first"})) as source, filled() as target:
        imported(target, exported(source, origin="second"))

        assert {name: own.case.origin for name, own in kept(target).items()} == {
            "a": "second",
            "b": "first",
        }


def test_an_entry_is_replaced_from_its_own_origin_only():
    text = exported(filled(entry("a", 2), entry("b", 2)), origin="team")
    with filled(entry("a", 1, case={"origin": "team"}), entry("b", 1)) as archive:
        changed = imported(archive, text)

        assert changed == Imported(new=0, replaced=1, kept=1)
        assert {name: own.case.seen_ms for name, own in kept(archive).items()} == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: [b"{}", *lines[1:]], r"line 1: expected a header.*got '\{\}'"),
        (lambda lines: [], r"line 1: expected a header"),
        (lambda lines: [lines[0].replace(b"2", b'"2"')], r'line 1: expected "entries"'),
        (lambda lines: [*lines[:2], b"not JSON"], r"line 3: .*Nothing was imported"),
        (lambda lines: [*lines[:2], b'{"case": {}}'], r"line 3: .*missing.*`\$\.case`"),
        (lambda lines: [*lines[:2], lines[1]], r"line 3: incident a stands in an earlier line"),
        (lambda lines: lines[:2], r"line 2: the header promises 2 entries.*after 1"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_imported(spoil, message):
    lines = exported(filled(entry("a"), entry("b"))).splitlines()
    with filled() as archive:
        with pytest.raises(SourceError, match=message):
            import_library(spoil(lines), archive)

        assert archive.documents(KIND) == {}


def test_a_line_is_one_entry_of_json_in_the_order_of_ids():
    header, *lines = exported(filled(entry("b"), entry("a"))).splitlines()

    assert orjson.loads(header) == {
        "format": "graphmind-fingerprints",
        "version": 1,
        "entries": 2,
    }
    assert [orjson.loads(line)["case"]["incident_id"] for line in lines] == ["a", "b"]
