import re

import pytest
from graphmind_loaders.pull.jaeger import open_source
from graphmind_loaders.values import iso_ns

from graphmind.errors import SettingsError, SourceError
from graphmind.telemetry.rejections import Rejections
from tests.loaders.pull.asking import REPLIES, START_NS, opened, rows, window
from tests.loaders.pull.serving import Answer

SPANS: dict[str, list[tuple[str, float]]] = {
    # service: (trace id, seconds after START_NS)
    "planner": [("a" * 32, 1), ("b" * 32, 2), ("c" * 32, 58)],
    "writer": [("b" * 32, 2), ("d" * 32, 59.5)],
}


def v3(spelling):
    """The api_v3 of a Jaeger that knows the words in one spelling."""
    words = {
        "camel": ("query.serviceName", "query.startTimeMin", "query.startTimeMax", "searchDepth"),
        "snake": (
            "query.service_name",
            "query.start_time_min",
            "query.start_time_max",
            "num_traces",
        ),
    }
    service, start, end, depth = words[spelling]

    def answer(asked):
        if asked.path == "/api/v3/services":
            return Answer.of({"services": sorted(SPANS)})
        if asked.path != "/api/v3/traces":
            return Answer(status=404, body=b"404 page not found\n")
        if start not in asked.query or end not in asked.query:
            return Answer.of({"error": {"httpCode": 400, "message": "are required"}}, status=400)
        low, high = iso_ns(asked.query[start]), iso_ns(asked.query[end])
        found = [
            span(trace_id, at_s)
            for trace_id, at_s in SPANS[asked.query[service]]
            if low <= START_NS + at_s * 10**9 <= high
        ]
        if not found:
            missing = {"error": {"httpCode": 404, "message": "No traces found"}}
            return Answer.of(missing, status=404)
        limit = int(asked.query[f"query.{depth}"])
        return Answer.of(
            {"result": {"resourceSpans": [{"scopeSpans": [{"spans": found[-limit:]}]}]}}
        )

    return answer


def span(trace_id, at_s):
    start_ns = START_NS + int(at_s * 10**9)
    return {
        "traceId": trace_id,
        "spanId": "1" * 16,
        "name": "s",
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(start_ns + 1),
    }


@pytest.mark.parametrize("spelling", ["camel", "snake"])
def test_each_trace_comes_once_over_all_services(spelling):
    with opened(open_source, v3(spelling)) as (source, server):
        found = rows(source, window())
        again = len(server.asked)
        rows(source, window())

    assert sorted(row["trace_id"][0] for row in found) == ["a", "b", "c", "d"]
    # The second pull asks in the spelling that worked: services, and each of them.
    assert len(server.asked) - again == 3


def test_a_window_with_more_than_the_limit_is_cut_until_all_is_there():
    rejected = Rejections()
    with opened(open_source, v3("camel"), limit=2) as (source, server):
        found = rows(source, window(), rejected)

    assert sorted(row["trace_id"][0] for row in found) == ["a", "b", "c", "d"]
    assert rejected.counts == {}
    assert len(server.asked) > 4


def test_nothing_matched_is_no_error():
    with opened(open_source, v3("camel")) as (source, _):
        assert rows(source, window(10, 20)) == []


def test_only_the_services_wanted_are_asked_for():
    with opened(open_source, v3("camel"), services=["writer"]) as (source, server):
        found = rows(source, window())

    assert [row["trace_id"][0] for row in found] == ["b", "d"]
    assert len(server.asked) == 2


def recorded(asked):
    """VictoriaTraces: the old API, recorded; it has no api_v3."""
    if asked.path == "/api/services":
        return Answer(body=(REPLIES / "victoriatraces-jaeger-api-services.json").read_bytes())
    if asked.path == "/api/traces":
        return Answer(body=(REPLIES / "victoriatraces-jaeger-api-trace.json").read_bytes())
    return Answer(status=400, body=b"unsupported path requested")


@pytest.mark.skipif(not REPLIES.is_dir(), reason="no recorded replies of servers")
def test_the_old_api_is_read_where_there_is_no_v3():
    with opened(open_source, recorded) as (source, server):
        found = rows(source, window())
        rows(source, window())

    assert {row["trace_id"] for row in found} == {"07ec573e14a47d1eee583b6a10e17c21"}
    assert {dict(row["resource"])["service.name"] for row in found} == {"planner-svc"}
    paths = [asked.path for asked in server.asked]
    assert paths == ["/api/v3/services", "/api/v3/services", *["/api/services", "/api/traces"] * 2]
    assert server.asked[3].query == {
        "service": "planner-svc",
        "start": str(START_NS // 1000),
        "end": str(START_NS // 1000 + 60_000_000 - 1),
        "limit": "500",
        "raw": "true",
    }


def test_a_server_with_the_page_of_its_ui_everywhere_is_no_jaeger():
    with (
        opened(open_source, lambda _: Answer(body=b"<!doctype html><title>UI")) as (source, _),
        pytest.raises(SourceError, match="neither api/v3/services nor api/services"),
    ):
        rows(source, window())


def test_a_proxy_that_loses_the_search_is_an_error_not_an_empty_window():
    def answer(asked):
        if asked.path == "/api/v3/services":
            return Answer.of({"services": ["planner"]})
        return Answer(status=404, body=b"no route")

    with (
        opened(open_source, answer) as (source, _),
        pytest.raises(SourceError, match="expected JSON, but the answer starts 'no route'"),
    ):
        rows(source, window())


def test_a_failed_pull_looks_for_the_api_anew():
    status = {"now": 200}

    def answer(asked):
        return v3("camel")(asked) if status["now"] == 200 else Answer(status=status["now"])

    with opened(open_source, answer) as (source, _):
        rows(source, window())
        status["now"] = 503
        with pytest.raises(SourceError, match="asks to wait"):
            rows(source, window())
        status["now"] = 200

        assert len(rows(source, window())) == 4


def test_a_broken_span_is_counted_and_the_rest_kept():
    broken = {**span("a" * 32, 1), "startTimeUnixNano": "soon"}

    def answer(asked):
        if asked.path == "/api/v3/services":
            return Answer.of({"services": ["planner"]})
        spans = [broken, span("b" * 32, 2)]
        return Answer.of({"result": {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}})

    rejected = Rejections()
    with opened(open_source, answer) as (source, _):
        found = rows(source, window(), rejected)

    assert [row["trace_id"][0] for row in found] == ["b"]
    assert sum(rejected.counts.values()) == 1


def test_times_are_asked_for_to_the_nanosecond():
    with opened(open_source, v3("camel")) as (source, server):
        rows(source, window(0.000000001, 59.5))

    asked = server.asked[1].query
    assert re.fullmatch(r"2026-.*\.000000001Z", asked["query.startTimeMin"])
    assert asked["query.startTimeMax"].endswith(".499999999Z")


def test_an_option_that_is_none_is_refused():
    with (
        pytest.raises(SettingsError, match="`limits`"),
        opened(open_source, lambda _: Answer(), limits=3),
    ):
        pass
