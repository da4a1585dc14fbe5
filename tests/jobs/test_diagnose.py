"""Spans, logs and metrics of one trace in one package."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
from graphmind_loaders import otlp_json

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Archive, Selection
from graphmind.errors import UnknownName
from graphmind.graph.embedded import open_embedded
from graphmind.graph.port import GraphStore
from graphmind.jobs.analyze import analyze
from graphmind.jobs.diagnose import SPANS_SHOWN_MAX, diagnose
from graphmind.jobs.load import load
from graphmind.jobs.settle import settle
from graphmind.jobs.signals import load_signals, open_patterns
from graphmind.jobs.stores import Stores
from graphmind.settings import Settings
from graphmind.simulation.files import SPANS_FILE, write
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.logs import SEVERITY_ERROR, SEVERITY_WARN
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table
from tests.builders import MS, Row, at, in_trace, span
from tests.jobs.logged import latency_of, logs_of, without_ids
from tests.jobs.windows import HOUR_MS, loaded
from tests.telemetry.records import log, logs_from_rows, sample, samples_from_rows

P95 = "agent_trace_latency_p95"
PLANNER = {"gen_ai.agent.name": "planner"}
SCENARIO = Scenario(seed=3, traces=1500, incidents=2, kinds=("tool_error", "region_down"))


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    store = open_embedded(tmp_path_factory.mktemp("graph"))
    yield store
    store.close()


@pytest.fixture
def stores(graph: GraphStore) -> Iterator[Stores]:
    with DuckArchive(None) as archive:
        yield Stores(archive=archive, graph=graph)


def stored(archive: Archive, *rows: Row, now_ms: float = 7 * 24 * HOUR_MS) -> None:
    """Store log records and metric samples."""
    batches = {
        logs_from_rows: [row for row in rows if "body" in row],
        samples_from_rows: [row for row in rows if "value" in row],
    }
    for made, own in batches.items():
        for first in range(0, len(own), 5_000):
            load_signals(
                [made(own[first : first + 5_000])],
                archive,
                Settings(),
                table=default_table(),
                patterns=open_patterns(archive),
                rejected=Rejections(),
                now_ns=at(now_ms),
            )


def diagnosed(stores: Stores, **of: str) -> dict[str, Any]:
    settle(stores.archive, Settings(), Rejections())
    return diagnose(stores, Settings(), **of)


def job(task_id: str = "job-1", *, failed: bool = True) -> list[Row]:
    own = {"graphmind.task.id": task_id}
    return [
        span("route", 0, 9000, failed=failed, service="router", attributes=own),
        span(
            "think", 1000, 8000, parent="route", failed=failed, service="model", attributes=PLANNER
        ),
    ]


def about(time_ms: float, body: str, **fields: Any) -> Row:
    return log(time_ms, body, severity=SEVERITY_ERROR, **fields)


# ------------------------------------------------------------------------------ a planted window


@dataclass(frozen=True, kw_only=True)
class Planted:
    stores: Stores
    truth: dict[str, Any]
    silent: Stores
    """The same window without logs and metrics."""


@pytest.fixture(scope="module")
def planted(graph: GraphStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("planted")
    simulation = simulate(SCENARIO)
    truth = write(simulation, folder)
    with DuckArchive(None) as fused, DuckArchive(None) as silent:
        both = [Stores(archive=archive, graph=graph) for archive in (fused, silent)]
        later_ms = (SCENARIO.start_ns - at(0)) / MS + 24 * HOUR_MS
        stored(fused, *logs_of(simulation.traces()), now_ms=later_ms)
        stored(fused, *latency_of(simulation.traces()), now_ms=later_ms)
        for stores in both:
            rejected = Rejections()
            with (folder / SPANS_FILE).open("rb") as stream:
                load(
                    otlp_json.read(stream, rejected),
                    stores.archive,
                    Settings(),
                    table=default_table(),
                    rejected=rejected,
                    now_ns=at(later_ms),
                )
            settle(stores.archive, Settings(), rejected)
            analyze(stores, Settings(), Selection())
        yield Planted(stores=both[0], truth=truth, silent=both[1])


@pytest.mark.slow
def test_logs_that_echo_a_failure_change_no_cause(planted):
    def named(stores: Stores) -> list[tuple[Any, ...]]:
        known: list[dict[str, Any]] = list(stores.archive.incidents())
        return [
            (each["incident_id"], each["causes"][0]["label"], each["trace_ids"])
            for each in known
            if each["causes"]
        ]

    truth = {
        " + ".join(f"{item['kind']} {item['name']}" for item in incident["all_of"])
        for incident in planted.truth["incidents"]
    }
    assert {label for _, label, _ in named(planted.stores)} == truth
    assert named(planted.stores) == named(planted.silent)


@pytest.mark.slow
def test_a_failing_trace_of_an_incident_is_diagnosed_with_all_three_signals(planted):
    known: list[dict[str, Any]] = list(planted.stores.archive.incidents())
    incident = max(known, key=lambda each: len(each["trace_ids"]))
    trace_id = incident["examples"][0]
    found = diagnose(planted.stores, Settings(), trace_id=trace_id)

    assert found["incident"]["incident_id"] == incident["incident_id"]
    assert found["recommended_action"] == incident["command"]
    assert found["root_span"]["role"] == "fault"
    codes = Counter({each["code"]: each["spans"] + each["lines"] for each in found["error_codes"]})
    assert codes[found["root_span"]["error_code"]] > 0
    assert {line["joined_by"] for line in found["log_extract"]} == {"trace and span id"}
    assert any(line["severity"] == "error" for line in found["log_extract"])
    assert {entry["source"] for entry in found["timeline"]} == {"trace", "log"}
    times = [entry["at_ms"] for entry in found["timeline"]]
    assert times == sorted(times)
    assert found["log_patterns"]
    assert not [text for text in found["not_found"] if text.startswith(("logs", "spans"))]


@pytest.mark.slow
def test_the_graph_joins_its_traces_to_what_they_logged(planted):
    rows = planted.stores.graph.explore(
        "MATCH (t:Trace)-[:LOGGED]->(p:LogPattern) RETURN p.name AS name, count(t) AS traces",
        {},
        row_limit=1000,
        timeout_s=30,
    )

    assert any("is not answering" in row["name"] and row["traces"] > 5 for row in rows)


@pytest.mark.slow
def test_a_logger_that_knows_no_traces_is_joined_by_service_and_time(planted, graph):
    simulation = simulate(SCENARIO)
    known: list[dict[str, Any]] = list(planted.stores.archive.incidents())
    wanted = known[0]["examples"][0]
    [trace] = [each for each in simulation.traces() if each.trace_id == wanted]
    spans = planted.stores.archive.spans(Selection(trace_ids=pa.array([wanted])))
    with DuckArchive(None) as archive:
        archive.append(spans.to_batches())
        later_ms = (SCENARIO.start_ns - at(0)) / MS + 24 * HOUR_MS
        stored(archive, *without_ids(logs_of([trace])), now_ms=later_ms)
        found = diagnosed(Stores(archive=archive, graph=graph), trace_id=wanted)

    assert {line["joined_by"] for line in found["log_extract"]} == {"service and time"}
    assert {line["trace_tag"] for line in found["log_extract"]} == {None}
    services = {row["span_id"]: row["service"] for row in spans.to_pylist()}
    assert all(services[line["span_id"]] == line["service"] for line in found["log_extract"])


# ------------------------------------------------------------------------------------ the joining


def test_lines_are_joined_by_ids_and_say_by_which(stores):
    loaded(stores.archive, job())
    stored(
        stores.archive,
        about(5000, "model died", trace_id="t", span_id="think", resource={"service.name": "x"}),
        about(6000, "job died", trace_id="t", span_id="unheard of"),
        about(5500, "another's", trace_id="u", span_id="think"),
    )
    found = diagnosed(stores, trace_id="t")

    assert [(line["excerpt"], line["joined_by"]) for line in found["log_extract"]] == [
        ("model died", "trace and span id"),
        ("job died", "trace id"),
    ]
    assert found["log_extract"][0]["trace_tag"] == "t:think"


def test_without_ids_a_line_within_a_span_of_its_service_is_joined_by_time(stores):
    loaded(stores.archive, job())
    model = {"resource": {"service.name": "model"}}
    stored(
        stores.archive,
        about(8900, "just after", **model),
        about(200, "just before", **model),
        about(9100, "too late", **model),
        about(5000, "other service", resource={"service.name": "bank"}),
        about(5001, "of a trace", trace_id="u", **model),
        about(5002, "of another agent", attributes={"agent.name": "coder"}, **model),
        about(5003, "of this agent", attributes=PLANNER, **model),
    )
    found = diagnosed(stores, trace_id="t")

    assert [(line["excerpt"], line["span_id"]) for line in found["log_extract"]] == [
        ("just before", "think"),
        ("of this agent", "think"),
        ("just after", "think"),
    ]
    assert {line["joined_by"] for line in found["log_extract"]} == {"service and time"}


def test_a_line_may_name_an_agent_where_its_span_names_none(stores):
    loaded(stores.archive, [span("route", 0, 9000, failed=True, service="router")])
    row = about(500, "handed over", attributes=PLANNER, resource={"service.name": "router"})
    stored(stores.archive, row)

    assert diagnosed(stores, trace_id="t")["counts"]["lines"] == 1


def test_of_nested_spans_the_shortest_has_the_line(stores):
    inner = span("inner", 4000, 5000, parent="think", service="model", attributes=PLANNER)
    loaded(stores.archive, [*job(), inner])
    model = {"resource": {"service.name": "model"}}
    stored(stores.archive, about(4500, "inside", **model), about(7000, "outside", **model))
    found = diagnosed(stores, trace_id="t")

    assert [line["span_id"] for line in found["log_extract"]] == ["inner", "think"]


def test_a_service_that_writes_ids_is_not_joined_by_time(stores):
    loaded(stores.archive, job())
    model = {"resource": {"service.name": "model"}}
    stored(
        stores.archive,
        about(5000, "model died", trace_id="t", span_id="think", **model),
        about(5001, "background", **model),
    )

    assert [line["excerpt"] for line in diagnosed(stores, trace_id="t")["log_extract"]] == [
        "model died"
    ]


def test_the_worst_lines_are_shown_and_all_are_counted(stores):
    loaded(stores.archive, job())
    ids = {"trace_id": "t", "span_id": "think"}
    rows = [log(2000 + n, f"step {n}", severity=9, **ids) for n in range(80)]
    stored(stores.archive, *rows, about(7000, "model died", **ids))
    found = diagnosed(stores, trace_id="t")

    assert len(found["log_extract"]) == 50
    assert found["log_extract"][-1]["excerpt"] == "model died"
    assert found["counts"]["lines"] == 81


def test_what_a_line_says_of_error_exception_and_fallback_is_extracted(stores):
    loaded(stores.archive, job())
    said = {"exception.type": "TimeoutError", "fallback_applied": "true", "error.code": "E7"}
    row = about(5000, "model died", trace_id="t", span_id="think", attributes=said)
    stored(stores.archive, row)
    [line] = diagnosed(stores, trace_id="t")["log_extract"]

    assert line["error_code"] == "E7"
    assert line["exception_type"] == "TimeoutError"
    assert line["fallback_applied"] is True
    assert len(line["log_hash"]) == 32


def test_garbage_in_logs_and_labels_hurts_nobody(stores):
    loaded(stores.archive, job())
    garbage = {
        "exception.type": "\x00" * 9,
        "severity": "??",
        "graphmind.retry.count": "-∞",
        "": "",
    }
    stored(
        stores.archive,
        about(5000, "{" * 5000, trace_id="t", span_id="\ud7ff", attributes=garbage),
        log(6000, '{"level": {"a": [1]}, "trace_id": 7}', attributes=garbage),
        sample(P95, 5000, 6.0, **{"module": "", "\x00": "{"}),
    )
    found = diagnosed(stores, trace_id="t")

    assert found["counts"]["lines"] == 1


def test_error_codes_are_counted_over_spans_and_lines(stores):
    loaded(stores.archive, [*job()[:1], {**job()[1], "attributes": {"error.type": "timeout"}}])
    ids = {"trace_id": "t", "span_id": "think"}
    stored(
        stores.archive,
        about(5000, "a", attributes={"error.type": "timeout"}, **ids),
        about(5001, "b", attributes={"exception.type": "OSError"}, **ids),
    )

    assert diagnosed(stores, trace_id="t")["error_codes"] == [
        {"code": "timeout", "spans": 1, "lines": 1},
        {"code": "OSError", "spans": 0, "lines": 1},
        {"code": "_OTHER", "spans": 1, "lines": 0},
    ]


# ---------------------------------------------------------------------------------------- metrics


def test_a_metric_of_its_agent_beyond_the_threshold_is_told(stores):
    loaded(stores.archive, job())
    slow = {"gen_ai_agent_name": "planner"}
    stored(
        stores.archive,
        *(sample(P95, ms, value, **slow) for ms, value in ((-60_000, 1.0), (15_000, 9.3))),
        sample(P95, 15_000, 8.0, gen_ai_agent_name="coder"),
        sample(P95, 15_000_000, 8.0, **slow),
    )
    found = diagnosed(stores, trace_id="t")

    assert [
        (each["agent"], each["value"], each["threshold"], each["unit"], each["chronic"])
        for each in found["metric_anomaly"]
    ] == [("planner", 9.3, 5.0, "s", False)]
    assert not any(text.startswith("metrics") for text in found["not_found"])


def test_an_exemplar_that_names_the_trace_is_told(stores):
    loaded(stores.archive, job())
    rows = [sample(P95, -60_000, 1.0), sample(P95, 9_000, 9.3)]
    stored(stores.archive, *rows, {**sample(P95, 8_000, 9.0), "trace_id": "t"})

    assert [each["names_trace"] for each in diagnosed(stores, trace_id="t")["metric_anomaly"]] == [
        True
    ]


def test_an_alert_about_one_of_its_services_is_told_while_it_fires(stores):
    loaded(stores.archive, job())
    stored(
        stores.archive,
        sample("alert:ModelDown", -3_600_000, 1.0, service="model"),
        sample("alert:BankDown", -3_600_000, 1.0, service="bank"),
        sample("alert:Somewhere", -3_600_000, 1.0, severity="page"),
        sample("alert:Over", -3_600_000, 1.0, service="model"),
        sample("alert:Over", -1_800_000, 0.0, service="model"),
    )
    found = diagnosed(stores, trace_id="t")["metric_anomaly"]

    assert [(each["name"], each["until_ms"]) for each in found] == [("alert:ModelDown", None)]


# ----------------------------------------------------------------------------------------- whole


def test_a_task_is_diagnosed_by_its_newest_failing_trace(stores):
    attempts = {"first": True, "second": True, "third": False}
    for number, (trace_id, failed) in enumerate(attempts.items()):
        rows = job("job-7", failed=failed)
        loaded(stores.archive, in_trace(trace_id, rows, later_ms=number * 60_000))
    found = diagnosed(stores, task_id="job-7")

    assert (found["task_id"], found["trace_id"]) == ("job-7", "second")
    assert [each["trace_id"] for each in found["attempts"]] == ["second", "first", "third"]


def test_a_trace_knows_its_task(stores):
    loaded(stores.archive, job("job-9"))

    assert diagnosed(stores, trace_id="t")["task_id"] == "job-9"


def test_what_is_not_there_is_said(stores):
    loaded(stores.archive, job())
    found = diagnosed(stores, trace_id="t")

    assert [text.partition(":")[0] for text in found["not_found"]] == [
        "logs",
        "metrics",
        "incident",
    ]
    assert found["recommended_action"]["action"] == "none"
    assert "part of no incident" in found["recommended_action"]["reasons"][0]
    assert found["log_extract"] == found["metric_anomaly"] == []


def test_nothing_is_recommended_for_a_healthy_trace(stores):
    loaded(stores.archive, job(failed=False))
    found = diagnosed(stores, trace_id="t")

    assert found["recommended_action"]["reasons"] == ["nothing went wrong in it"]
    assert found["root_span"]["role"] == "root"


def test_a_trace_that_has_not_settled_is_diagnosed_as_far_as_it_goes(stores):
    loaded(stores.archive, job())
    found = diagnose(stores, Settings(), trace_id="t")

    assert found["outcome"] is None
    assert found["root_span"]["span_id"] == "route"
    assert "outcome: the trace has not settled yet" in found["not_found"]


def test_a_trace_known_by_its_lines_alone_is_diagnosed(stores):
    row = log(5000, "gone", trace_id="lost", severity=SEVERITY_WARN)
    stored(stores.archive, row | {"attributes": {"task_id": "job-3"}})

    for of in ({"trace_id": "lost"}, {"task_id": "job-3"}):
        found = diagnose(stores, Settings(), **of)
        assert (found["task_id"], found["root_span"]) == ("job-3", None)
        assert [line["excerpt"] for line in found["log_extract"]] == ["gone"]
        assert "spans: none of this trace are archived" in found["not_found"]


@pytest.mark.parametrize("of", [{"trace_id": "nobody"}, {"task_id": "nothing"}])
def test_what_nobody_knows_is_refused_with_what_to_do(stores, of):
    with pytest.raises(UnknownName, match=r"nobody|nothing"):
        diagnose(stores, Settings(), **of)


def test_of_a_large_trace_the_failed_spans_and_those_above_them_are_shown(stores):
    wide = [span(f"s{n:03}", n, n + 1, parent="root") for n in range(400)]
    deep = [
        span("above", 500, 900, parent="root"),
        span("broken", 600, 700, parent="above", failed=True),
    ]
    loaded(stores.archive, [span("root", 0, 1000), *wide, *deep])
    timeline = diagnosed(stores, trace_id="t")["timeline"]

    assert len(timeline) == SPANS_SHOWN_MAX
    assert {"root", "above", "broken"} <= {entry["text"] for entry in timeline}
