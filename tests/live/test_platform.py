"""The reference platform, run as its users do: with real servers and with stand-ins for them."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from functools import partial
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
import pytest
import redis
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from examples.agent_platform.topology import AGENTS

pytestmark = [pytest.mark.live, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
UP_S, END_S = 240.0, 60.0
"""MLflow needs half a minute on an idle machine."""
TOKEN = "let-me-in"
KEY = "policy:billing"


class Spans:
    """Takes OTLP over HTTP and remembers attributes by span name."""

    def __init__(self) -> None:
        self.seen: deque[tuple[str, str, dict[str, Any]]] = deque(maxlen=200_000)
        spans = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = decompress(body)
                spans.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def take(self, request):
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    said = {each.key: _value(each.value) for each in span.attributes}
                    self.seen.append((span.trace_id.hex(), span.name, said))

    def of(self, trace_id, name):
        return [
            said for trace, named, said in list(self.seen) if (trace, named) == (trace_id, name)
        ]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def _value(value):
    return getattr(value, value.WhichOneof("value") or "string_value")


class Platform:
    """A platform that runs in a folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.mkdir()
        command = [sys.executable, "-m", "examples.agent_platform", "start", "--small"]
        command += ["--folder", str(folder), "--token", TOKEN, *options]
        with (folder / "launcher.log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        until = time.monotonic() + UP_S
        while not (folder / "platform.json").exists():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.2)
        self.at = orjson.loads((folder / "platform.json").read_bytes())
        headers = {"authorization": f"Bearer {TOKEN}"}
        self.controller = httpx.Client(
            base_url=self.at["controller"], timeout=60, headers=headers, trust_env=False
        )
        self.store = redis.Redis.from_url(self.at["redis"], socket_timeout=10)

    @property
    def log(self):
        return (self.folder / "launcher.log").read_text()

    def command(self, *actions, command_id=None):
        body = {"command_id": command_id or uuid.uuid4().hex, "task": None, "trace_id": None}
        body["actions"] = [
            {"action": name, "target": target, "params": params} for name, target, params in actions
        ]
        reply = self.controller.post("/v1/commands", json=body)
        reply.raise_for_status()
        return reply.json()

    def agent(self, name):
        return self.controller.get(f"/v1/agents/{name}").json()

    def trace(self, trace_id):
        reply = self.controller.get(f"/v1/traces/{trace_id}")
        reply.raise_for_status()
        return reply.json()

    def send(self, **more):
        """Send a task of billing through the balancer."""
        task = {
            "task_id": f"test-{uuid.uuid4().hex[:8]}",
            "seq_no": 0,
            "tenant": "acorn",
            "kind": "billing.answer",
            "numbers": [1, 2, 3],
            "callback_url": f"{self.at['webhook']}/hooks/acorn",
            "attempts": 1,
            "ttl_s": 300,
            "sent_ms": time.time() * 1000,
            "needs": {"executor": "analyst", "model": "planner", "reads": []},
            **more,
        }
        return httpx.post(f"{self.at['entrance']}/v1/tasks", json=task, timeout=60)

    def failing(self):
        """Send tasks that read the poisoned key until one fails by it; return its trace."""
        needs = {"executor": "analyst", "model": "planner", "reads": [KEY]}
        reply = self.send(needs=needs)
        assert (reply.status_code, reply.json()["code"]) == (502, "ContextDecodeError")
        return reply.json()["trace_id"]

    def close(self):
        self.controller.close()
        self.store.close()


@pytest.fixture(scope="module")
def spans() -> Iterator[Spans]:
    sink = Spans()
    yield sink
    sink.close()


@pytest.fixture(scope="module", params=["real servers", "stand-ins"])
def platform(request, tmp_path_factory, spans) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("platform") / "p"
    own = ["--stand-ins"] if request.param == "stand-ins" else []
    one = Platform(folder, "--otlp", spans.url, *own)
    try:
        yield one
    finally:
        one.close()
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(END_S) == 0
        assert _left(one.at["pids"]) == []


def _left(pids):
    """Return those of some processes that still run."""
    return [pid for pid in pids.values() if psutil.pid_exists(pid) and _runs(pid)]


def _runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(holds, seconds=30.0):
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "did not come to hold"
        time.sleep(0.1)
    return found


def test_seventeen_agents_run_each_in_its_own_process(platform):
    agents = platform.controller.get("/v1/agents").json()
    pids = {name: platform.at["pids"][name] for name in (agent.name for agent in AGENTS)}

    assert {agent["name"] for agent in agents} == set(pids)
    assert {agent["status"] for agent in agents} == {"running"}
    assert len(set(pids.values())) == 17
    assert all(psutil.pid_exists(pid) for pid in pids.values())


def test_a_task_goes_through_all_modules_and_is_called_back(platform, spans):
    reply = platform.send()
    trace_id = reply.json()["trace_id"]
    document = platform.trace(trace_id)

    assert reply.json()["answer"] == pytest.approx(0.06)
    assert document["state"] == "done"
    assert {step["module"] for step in document["steps"]} == {
        *("AgentRouter", "TaskPreprocessor", "Vectorizer", "ModelExecutor"),
        *("LLMAdapter", "InferenceRPC", "CallbackSender", "WebhookDeliver"),
    }
    assert {step["state"] for step in document["steps"]} == {"done"}
    (rpc,) = until(lambda: spans.of(trace_id, "InferenceRPC"))
    assert (rpc["gen_ai.response.model"], rpc["gen_ai.response.model.version"]) == ("planner", "2")


def test_the_same_task_is_not_run_twice(platform):
    first = platform.send(task_id="twice", seq_no=7)
    second = platform.send(task_id="twice", seq_no=7)

    assert (first.status_code, second.status_code) == (200, 409)


def test_a_restart_ends_that_process_alone_and_starts_another(platform):
    before = platform.agent("writer-us")
    others = platform.agent("writer-eu")
    done = platform.command(("restart", "writer-us", {}))
    after = platform.agent("writer-us")

    assert done["state"] == "done"
    assert not _runs(platform.at["pids"]["writer-us"])
    assert (after["generation"], after["status"]) == (before["generation"] + 1, "running")
    assert platform.agent("writer-eu")["generation"] == others["generation"]


def test_an_agent_that_is_killed_is_started_again(platform):
    before = platform.agent("reviewer-eu")["generation"]
    os.kill(platform.at["pids"]["reviewer-eu"], signal.SIGKILL)

    until(lambda: platform.agent("reviewer-eu")["generation"] == before + 1)
    until(lambda: platform.agent("reviewer-eu")["status"] == "running")


def test_a_class_that_is_degraded_does_without_the_model(platform, spans):
    platform.command(("degrade", "class:analyst", {"to": "rule_engine_v2"}))
    trace_id = until(lambda: _by_rules(platform, spans))
    platform.command(("enable", "class:analyst", {}))

    assert platform.trace(trace_id)["state"] == "done"
    assert platform.agent("analyst-us-1")["status"] == "running"


def _by_rules(platform, spans):
    trace_id = platform.send().json()["trace_id"]
    (adapter,) = until(lambda: spans.of(trace_id, "LLMAdapter"))
    return trace_id if adapter.get("fallback_applied") else None


def test_who_is_disabled_gets_no_work(platform):
    platform.command(("disable", "class:analyst", {}))
    until(lambda: _refused(platform) == "NoAgent")
    platform.command(("enable", "class:analyst", {}))

    until(lambda: platform.send().is_success)


def _refused(platform):
    reply = platform.send()
    return reply.json().get("code") if reply.is_error else None


def test_shares_and_alias_choose_the_version(platform):
    route = f"{platform.at['gateway']}/v1/routes/critic"
    alias = {"name": "critic", "alias": "champion", "version": "1"}
    put = httpx.put(route, json={"model": "critic", "shares": {"2": 0.5, "3": 0.5}}, timeout=30)
    moved = httpx.post(
        f"{platform.at['mlflow']}/api/2.0/mlflow/registered-models/alias", json=alias, timeout=30
    )

    assert put.json()["shares"] == {"2": 0.5, "3": 0.5}
    assert moved.is_success
    until(lambda: httpx.get(route, timeout=30).json()["shares"] == {"1": 1.0})


def test_a_command_is_run_once(platform):
    before = platform.agent("sender-us")["generation"]
    answers = [platform.command(("restart", "sender-us", {}), command_id="once") for _ in range(2)]

    assert answers[0] == answers[1]
    assert answers[0] == platform.controller.get("/v1/commands/once").json()
    assert platform.agent("sender-us")["generation"] == before + 1


def test_a_command_stops_at_the_first_step_that_fails(platform):
    done = platform.command(
        ("notify", "team", {}), ("restart", "nobody", {}), ("notify", "team", {})
    )

    assert done["state"] == "failed"
    assert [step["state"] for step in done["steps"]] == ["done", "failed", "not_run"]
    assert "expected an agent" in done["steps"][1]["detail"]


def test_strangers_and_unknown_things_are_refused_in_words(platform):
    stranger = httpx.get(f"{platform.at['controller']}/v1/agents", timeout=30)

    assert stranger.status_code == 401
    assert platform.controller.get("/v1/agents/nobody").status_code == 404
    assert platform.controller.get("/v1/traces/00").status_code == 404
    assert platform.controller.get("/v1/tasks/none").status_code == 404
    assert platform.controller.get("/v1/commands/none").status_code == 404
    wrong = platform.controller.post("/v1/commands", json={"command_id": "x", "actions": []})
    assert (wrong.status_code, "expected `actions`" in wrong.json()["error"]) == (400, True)


@pytest.fixture
def poisoned(platform) -> Iterator[dict[str, Any]]:
    """The poisoned key: KEY holds what no executor can read."""
    reply = httpx.post(f"{platform.at['control']}/inject/poisoned-key", timeout=30)
    truth = reply.json()["faults"]["poisoned-key"]["truth"]
    assert truth["actions"] == [f"quarantine_key:{KEY}"]
    yield truth
    platform.store.delete("quarantined")
    httpx.post(f"{platform.at['control']}/clear/poisoned-key", timeout=30).raise_for_status()


def test_what_failed_of_a_poisoned_key_is_made_good_in_all_ways(platform, poisoned, spans):
    again, elsewhere, dispatched = (platform.failing() for _ in range(3))
    platform.store.rename(KEY, "quarantined")

    # Partial rollback: the failed step is reset to its snapshot and run anew, in the same trace.
    refused = platform.command(("reinvoke", again, {"step": "ModelExecutor"}))
    assert "to be reset or skipped first" in refused["steps"][0]["detail"]
    done = platform.command(
        ("revert_state", again, {"step": "ModelExecutor"}),
        ("reset_span", again, {"step": "ModelExecutor"}),
        ("reinvoke", again, {"step": "ModelExecutor", "strategy": "poisoned_key@1"}),
        ("mark_trace", again, {"tag": "recovered"}),
    )
    assert done["state"] == "done", done
    document = platform.trace(again)
    assert (document["state"], document["marks"]) == ("recovered", ["recovered"])
    steps = {step["step"]: step for step in document["steps"]}
    assert (steps["ModelExecutor"]["state"], steps["ModelExecutor"]["recovery"]) == ("done", True)
    new = until(lambda: [s for s in spans.of(again, "ModelExecutor") if s.get("recovery")])
    assert new[0]["recovery_strategy"] == "poisoned_key@1"
    assert until(lambda: spans.of(again, "RecoveryMark"))[0]["recovered"] is True

    # Rebuild: a new trace in the other region, which reuses what was finished.
    platform.command(("rebuild_trace", elsewhere, {}))
    (rebuilt,) = platform.trace(elsewhere)["continued_as"]
    until(lambda: platform.trace(rebuilt)["state"] == "done")
    assert platform.trace(rebuilt)["parent_trace_id"] == elsewhere
    assert platform.trace(rebuilt)["region"] != platform.trace(elsewhere)["region"]
    (root,) = until(lambda: spans.of(rebuilt, "AgentRouter"))
    assert (root["parent_trace_id"], root["recovery"]) == (elsewhere, True)
    assert spans.of(rebuilt, "TaskPreprocessor") == []

    # Re-dispatch: once, however often it is asked for.
    for _ in range(2):
        assert platform.command(("redispatch", dispatched, {}))["state"] == "done"
    (sent,) = platform.trace(dispatched)["continued_as"]
    until(lambda: platform.trace(sent)["state"] == "done")
    assert (platform.trace(sent)["seq_no"], platform.trace(sent)["attempts"]) == (1, 2)
    task_id = platform.trace(dispatched)["task_id"]
    traces = platform.controller.get(f"/v1/tasks/{task_id}").json()["traces"]
    assert traces == [dispatched, sent]


def test_a_task_that_fails_again_and_again_is_given_up(platform, poisoned):
    trace_id = platform.failing()
    details = []
    for _ in range(3):
        until(partial(_failed, platform, trace_id))
        (step,) = platform.command(("redispatch", trace_id, {}))["steps"]
        details.append(step["detail"])
        trace_id = (platform.trace(trace_id)["continued_as"] or [trace_id])[-1]

    assert details[0].startswith("goes on as")
    assert details[1].startswith("goes on as")
    assert details[2] == "expected fewer than 3 attempts, got 3"


def _failed(platform, trace_id):
    return platform.trace(trace_id)["state"] == "failed"


def test_a_snapshot_is_taken_before_the_state_is_written(platform):
    reply = platform.send()
    task_id = platform.trace(reply.json()["trace_id"])["task_id"]
    snapshot = orjson.loads(platform.store.get(f"agent_state_snapshot:{task_id}:ModelExecutor"))
    context = orjson.loads(platform.store.get(f"agent_context:{task_id}"))

    assert set(snapshot) == {"context", "vectorized_input", "model_version"}
    assert (snapshot["context"]["turn"], context["turn"]) == (1, 2)


def test_a_step_that_others_can_do_without_is_skipped(platform, spans):
    reply = platform.send(callback_url="http://127.0.0.1:9/nobody")
    trace_id = reply.json()["trace_id"]
    assert reply.status_code == 502
    done = platform.command(("skip_step", trace_id, {"step": "WebhookDeliver"}))

    assert done["state"] == "done", done
    assert platform.trace(trace_id)["state"] == "recovered"
    skipped = until(lambda: [s for s in spans.of(trace_id, "CallbackSender") if "skip_flag" in s])
    assert skipped[0]["skip_flag"] is True


def test_killed_as_by_a_crash_it_leaves_nothing_behind(tmp_path):
    one = Platform(tmp_path / "p", "--stand-ins")
    pids = dict(one.at["pids"])
    one.close()
    one.process.kill()
    one.process.wait()

    until(lambda: _left(pids) == [], 30)
