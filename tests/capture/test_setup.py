"""One call, and what it leaves on spans that really arrive."""

import asyncio
import logging
import subprocess
import sys
import threading
import time

import pytest
from graphmind_capture import CaptureError, setup
from opentelemetry import baggage, context, propagate

from tests.live.conftest import free_ports

KEEP_NONE = 1e-9
"""A share of healthy traces that keeps none of a test's."""


def test_agent_region_and_task_are_on_the_spans_below(capturing, collector):
    capture = capturing(agent="planner", region="eu-west-1")
    tracer = capture.tracer("own")
    root = tracer.start_as_current_span("root")
    scope = capture.task("t-1", task="answer", agent="writer")
    with root, scope, tracer.start_as_current_span("child"):
        pass
    assert capture.flush()
    (child,), (above,) = collector.named("child"), collector.named("root")

    task = {"graphmind.task.id": "t-1", "graphmind.task.name": "answer"}
    assert child["said"] == task | {"gen_ai.agent.name": "writer", "cloud.region": "eu-west-1"}
    assert above["said"] == task | {"gen_ai.agent.name": "planner", "cloud.region": "eu-west-1"}


def test_scopes_decorate_functions_and_coroutine_functions(capturing, collector):
    capture = capturing()
    tracer = capture.tracer("own")

    @capture.agent("sync")
    def plain():
        with tracer.start_as_current_span("plain"):
            return 1

    @capture.agent("async")
    async def awaited():
        with tracer.start_as_current_span("awaited"):
            await asyncio.sleep(0)
            return 2

    async def both():
        return await asyncio.gather(awaited(), awaited())

    assert (plain(), asyncio.run(both())) == (1, [2, 2])
    capture.flush()
    agents = [(s["name"], s["said"]["gen_ai.agent.name"]) for s in collector.spans]
    assert sorted(agents) == [("awaited", "async"), ("awaited", "async"), ("plain", "sync")]


def test_a_generator_cannot_be_decorated(capturing):
    def endless():
        yield 1

    with pytest.raises(TypeError, match="generator"):
        capturing().agent("a")(endless)


def test_baggage_from_outside_is_cut_and_only_known_names_are_taken(capturing, collector):
    capture = capturing()
    header = {"baggage": f"gen_ai.agent.name={'a' * 999},evil=1,graphmind.task.id=t%0A1"}
    token = context.attach(propagate.extract(header))
    with capture.tracer("own").start_as_current_span("served"):
        pass
    context.detach(token)
    capture.flush()

    said = {"gen_ai.agent.name": "a" * 128, "graphmind.task.id": "t1"}
    assert collector.named("served")[0]["said"] == said


def test_a_service_with_an_agent_of_its_own_takes_none_and_sends_its_own(capturing, collector):
    capture = capturing(agent="callee")
    token = context.attach(baggage.set_baggage("gen_ai.agent.name", "caller"))
    with capture.tracer("own").start_as_current_span("served"):
        sent: dict[str, str] = {}
        propagate.inject(sent)
    context.detach(token)
    capture.flush()

    assert collector.named("served")[0]["said"] == {"gen_ai.agent.name": "callee"}
    assert "gen_ai.agent.name=callee" in sent["baggage"]


def test_errors_and_slow_traces_are_kept_healthy_ones_by_lot(capturing, collector):
    capture = capturing(sample_healthy=KEEP_NONE, slow_s=0.5)
    tracer = capture.tracer("own")
    for _ in range(20):
        with tracer.start_as_current_span("healthy"):
            pass
    with pytest.raises(ZeroDivisionError), tracer.start_as_current_span("failed"):  # noqa: PT012
        with tracer.start_as_current_span("before"):
            pass
        _ = 1 / 0
    with tracer.start_as_current_span("slow"):
        time.sleep(0.6)
    capture.flush()

    assert {span["name"] for span in collector.spans} == {"failed", "before", "slow"}
    assert capture.counts()["sampled_out"] == 20
    assert {s["said"].get("graphmind.sample.probability") for s in collector.spans} == {None, 1.0}


def test_a_kept_healthy_trace_says_its_probability(capturing, collector):
    capture = capturing(sample_healthy=0.5)
    for _ in range(40):
        with capture.tracer("own").start_as_current_span("healthy"):
            pass
    capture.flush()

    assert 5 < len(collector.spans) < 35
    assert {s["state"] for s in collector.spans} == {"ot=th:8"}
    assert {s["said"]["graphmind.sample.probability"] for s in collector.spans} == {0.5}


def test_an_open_call_of_a_model_is_told_before_it_ends_and_again_when_it_does(
    capturing, collector
):
    capture = capturing(sample_healthy=KEEP_NONE, marker_after_s=0.05, slow_s=0.2, agent="planner")
    tracer = capture.tracer("own")
    said = {"gen_ai.request.model": "m@2"}
    with (
        tracer.start_as_current_span("root"),
        tracer.start_as_current_span("chat m", attributes=said),
    ):
        (marker,) = collector.wait_for(1)
        (group,) = capture.inflight()
        text = capture.metrics_text()
    capture.flush()
    ended = collector.named("chat m")[1]

    assert marker["said"]["graphmind.start_marker"] is True
    assert marker["start"] == marker["end"] == ended["start"]
    assert (marker["trace"], marker["id"], marker["parent"]) == tuple(
        ended[name] for name in ("trace", "id", "parent")
    )
    assert "graphmind.start_marker" not in ended["said"]
    assert (group.agent, group.model_version, group.calls) == ("planner", "m@2", 1)
    assert 'graphmind_inflight_calls{service="planner",agent="planner"' in text
    assert capture.inflight() == []


def test_a_fast_or_sampled_out_call_has_no_marker(capturing, collector):
    capture = capturing(sample_healthy=KEEP_NONE, marker_after_s=0.05)
    said = {"gen_ai.request.model": "m@2"}
    with capture.tracer("own").start_as_current_span("chat m", attributes=said):
        time.sleep(1.2)  # looked at twice
    capture.flush()

    assert (collector.spans, capture.counts()["markers"]) == ([], 0)


def test_a_trace_that_stays_open_is_not_held(capturing, collector):
    capture = capturing(sample_healthy=KEEP_NONE, slow_s=0.2)
    tracer = capture.tracer("own")
    with tracer.start_as_current_span("root"):
        with tracer.start_as_current_span("done"):
            pass
        collector.wait_for(1)
        with tracer.start_as_current_span("later"):
            pass
        collector.wait_for(2)

    assert [span["name"] for span in collector.spans] == ["done", "later"]


def test_threads_lose_nothing(capturing, collector):
    capture = capturing(fold=False)
    tracer = capture.tracer("own")

    def work():
        for _ in range(200):
            with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner"):
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    capture.shutdown()

    assert len({span["id"] for span in collector.spans}) == len(collector.spans) == 1600
    assert capture.counts()["exported"] == capture.counts()["spans"] == 1600


def test_shutdown_sends_what_has_ended_and_counts_what_comes_late(capturing, collector):
    capture = capturing()
    tracer = capture.tracer("own")
    with tracer.start_as_current_span("open"):
        with tracer.start_as_current_span("ended"):
            pass
        capture.shutdown()

    assert [span["name"] for span in collector.spans] == ["ended"]
    assert capture.counts()["dropped_shutdown"] == 1


def test_a_dead_collector_costs_dropped_spans_and_no_time(capturing, caplog):
    caplog.set_level(logging.CRITICAL)
    (port,) = free_ports(1)
    capture = capturing(endpoint=f"http://127.0.0.1:{port}", queue_spans=500)
    tracer = capture.tracer("own")
    began = time.monotonic()
    for _ in range(3_000):
        with tracer.start_as_current_span("work"):
            pass
    took = time.monotonic() - began
    capture.shutdown(0.2)
    counts = capture.counts()

    assert took < 4  # 3,000 spans; one export alone may take 5 s
    assert time.monotonic() - began < took + 3
    assert counts["dropped_queue"] > 2_000
    dropped = sum(counts[f"dropped_{reason}"] for reason in ("queue", "export", "shutdown"))
    assert dropped == counts["spans"] == 3_000


def test_a_second_call_changes_nothing_and_says_so(capturing, caplog):
    capture = capturing("first")

    assert setup("second") is capture
    assert "setup was called before, for first" in caplog.text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sample_healthy": 0}, "sample_healthy should be above 0"),
        ({"slow_s": 0}, "should be > 0"),
        ({"instrument_only": ["django"]}, "got django"),
        ({"hash_keys_with": ""}, "got an empty one"),
        ({"endpoint": "localhost:4318"}, "endpoint should be like"),
    ],
)
def test_what_it_cannot_use_is_told(capturing, options, says):
    with pytest.raises(CaptureError, match=says):
        capturing(**options)
    # A refused call leaves nothing behind.
    assert capturing().active


def test_the_environment_may_switch_it_off(capturing, monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    threads = threading.active_count()
    capture = setup("planner")
    with capture.tracer("own").start_as_current_span("none") as span:
        assert not span.is_recording()
    capture.shutdown()

    assert (capture.active, threading.active_count()) == (False, threads)


def test_headers_reach_the_collector_compressed_and_no_log(capturing, collector, caplog):
    caplog.set_level(logging.DEBUG)
    capture = capturing(headers={"authorization": "Bearer s3cr3t"})
    with capture.tracer("own").start_as_current_span("one"):
        pass
    capture.flush()
    sent = {name.lower(): value for name, value in collector.headers[0].items()}

    assert (sent["authorization"], sent["content-encoding"]) == ("Bearer s3cr3t", "gzip")
    assert "s3cr3t" not in caplog.text + repr(capture)


PROGRAM = """
import os, sys
from opentelemetry import trace
import graphmind_capture
capture = graphmind_capture.setup("forking", endpoint=sys.argv[1], namespace="shop")
with trace.get_tracer("own").start_as_current_span("parent"):
    pass
child = os.fork()
if child == 0:
    with trace.get_tracer("own").start_as_current_span("child"):
        pass
    capture.shutdown()
    os._exit(0)
os.waitpid(child, 0)
assert "graphmind" not in {name.split(".")[0] for name in sys.modules}
"""


def test_a_forked_child_sends_its_own_and_the_end_of_a_process_the_rest(collector):
    subprocess.run([sys.executable, "-c", PROGRAM, collector.endpoint], check=True, timeout=60)

    assert sorted(span["name"] for span in collector.spans) == ["child", "parent"]
    assert {s["resource"]["service.namespace"] for s in collector.spans} == {"shop"}
