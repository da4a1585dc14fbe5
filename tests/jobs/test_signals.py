"""Logs and metrics into the archive, and what they say about traces."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Archive, Selection
from graphmind.archive.signals import Kept
from graphmind.graph.projection import project
from graphmind.jobs.settle import settle
from graphmind.jobs.signals import (
    KIND,
    load_signals,
    open_patterns,
    patterns_of,
    texts_by_trace,
)
from graphmind.settings import Settings
from graphmind.telemetry.assembly import assemble
from graphmind.telemetry.logs import SEVERITY_ERROR, SEVERITY_WARN
from graphmind.telemetry.patterns import Patterns
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table
from tests.builders import Row, at, by_trace, in_trace, span
from tests.jobs.windows import HOUR_MS, loaded
from tests.telemetry.records import log, logs_from_rows, sample, samples_from_rows

P95 = "agent_trace_latency_p95"


@pytest.fixture
def archive() -> Iterator[Archive]:
    with DuckArchive(None) as opened:
        yield opened


def stored(
    archive: Archive,
    *batches: pa.RecordBatch,
    patterns: Patterns | None = None,
    rejected: Rejections | None = None,
) -> Kept:
    return load_signals(
        batches,
        archive,
        Settings(),
        table=default_table(),
        patterns=patterns or Patterns(),
        rejected=rejected or Rejections(),
        now_ns=at(7 * 24 * HOUR_MS),
    )


def warning(trace_id: str, time_ms: float, body: str, **fields: object) -> Row:
    return log(time_ms, body, trace_id=trace_id, severity=SEVERITY_WARN, **fields)


def test_logs_become_lines_with_patterns(archive):
    rows = [warning("t1", 5, "queue 7 is full"), warning("t2", 6, "queue 8 is full"), log(7, "ok")]
    kept = stored(archive, logs_from_rows(rows[:1]), logs_from_rows(rows[1:]))

    assert kept == Kept(new=3, duplicate=0)
    lines = archive.signals.lines()
    assert lines["pattern"].to_pylist() == ["queue <NUM> is full", "queue <NUM> is full", None]
    assert lines["body"].to_pylist() == ["queue 7 is full", "queue 8 is full", "ok"]


def test_the_same_batch_twice_is_stored_once(archive):
    batch = logs_from_rows([warning("t1", 5, "queue 7 is full"), log(7, "ok")])
    stored(archive, batch)

    assert stored(archive, batch) == Kept(new=0, duplicate=2)


def test_what_has_no_time_is_counted_and_the_rest_stored(archive):
    rejected = Rejections()
    kept = stored(archive, logs_from_rows([log(None), log(1)]), rejected=rejected)

    assert kept == Kept(new=1, duplicate=0)
    assert rejected.counts == {"log record without a time": 1}


def test_samples_become_points(archive):
    batch = samples_from_rows([sample(P95, 0, 1.0, agent="a"), sample(P95, 1, float("nan"))])

    assert stored(archive, batch) == Kept(new=1, duplicate=0)
    assert archive.signals.points()["agent"].to_pylist() == ["a"]


def test_nothing_is_stored_of_nothing(archive):
    assert stored(archive) == Kept(new=0, duplicate=0)
    assert stored(archive, logs_from_rows([])) == Kept(new=0, duplicate=0)


def test_a_restart_goes_on_with_the_patterns(tmp_path):
    first, second = (
        warning("t1", 5, "user kim has no seat"),
        warning("t2", 6, "user lee has no seat"),
    )
    with DuckArchive(tmp_path) as archive:
        stored(archive, logs_from_rows([first, second]), patterns=open_patterns(archive))
    with DuckArchive(tmp_path) as archive:
        third = logs_from_rows([warning("t3", 7, "user max has no seat")])
        stored(archive, third, patterns=open_patterns(archive))

        assert set(archive.signals.lines()["pattern"].to_pylist()) == {"user <*> has no seat"}


def test_patterns_are_kept_only_when_they_changed(archive):
    patterns = open_patterns(archive)
    stored(archive, logs_from_rows([warning("t1", 5, "queue full")]), patterns=patterns)
    archive.replace_documents(KIND, {}, without=archive.documents(KIND))
    stored(archive, logs_from_rows([warning("t2", 6, "queue full")]), patterns=patterns)

    assert archive.documents(KIND) == {}


# ---------------------------------------------------------------- what they say about traces


def test_a_failed_trace_takes_the_code_that_was_logged(archive):
    loaded(archive, [span("root", 0, 90), span("step", 7, 20, parent="root", failed=True)])
    raised = {"exception.type": "KeyError", "exception.message": "cart"}
    row = log(20, None, trace_id="t", span_id="step", severity=SEVERITY_ERROR, attributes=raised)
    stored(archive, logs_from_rows([row]))
    settle(archive, Settings(), Rejections())

    assert by_trace(archive.facts(Selection()).traces, "error_code") == {"t": "KeyError"}


def test_an_exemplar_of_a_fired_trigger_makes_its_trace_slow(archive):
    rows = [span("root", 0, 900), span("step", 7, 20, parent="root")]
    loaded(archive, [*in_trace("t1", rows), *in_trace("t2", rows)])
    samples = [sample(P95, 0, 1.0), sample(P95, 15_000, 6.0)]
    samples.append({**sample(P95, 900, 8.0), "trace_id": "t1"})
    stored(archive, samples_from_rows(samples))
    settle(archive, Settings(), Rejections())

    facts = archive.facts(Selection())
    assert by_trace(facts.traces, "outcome") == {"t1": "slow", "t2": "ok"}
    assert by_trace(facts.symptoms, "kind") == {"t1": "metric"}


def test_traces_are_joined_to_the_patterns_that_they_logged(archive):
    rows = [span("root", 0, 900)]
    loaded(archive, [*in_trace("t1", rows), *in_trace("t2", rows)])
    warnings = [warning("t1", n, "queue 7 is full") for n in (5, 8)]
    stored(archive, logs_from_rows([*warnings, warning("gone", 6, "no disk")]))
    settle(archive, Settings(), Rejections())
    facts = archive.facts(Selection())
    logged = patterns_of(archive.signals, facts.traces)

    graph = project(
        assemble(archive.spans(Selection())),
        facts,
        kept=pa.array([True, True]).to_numpy(zero_copy_only=False),
        weights=pa.array([1.0, 1.0]).to_numpy(),
        logged=logged,
    )
    assert graph.nodes["LogPattern"] == [
        {
            "name": "queue <NUM> is full",
            "firstSeenMs": at(5) // 1_000_000,
            "lastSeenMs": at(8) // 1_000_000,
        }
    ]
    assert graph.edges["Trace", "LOGGED", "LogPattern"] == [
        {"from": "t1", "to": "queue <NUM> is full"}
    ]
    assert texts_by_trace(logged) == {"t1": ["queue   is full"]}
