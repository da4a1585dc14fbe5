"""Commands print the same, and exit the same, whether or not a server owns the data folder."""

import json
import os
import sys
from contextlib import contextmanager
from io import BytesIO, StringIO, TextIOWrapper

import httpx
import pytest
from graphmind_api.app import create_app

from graphmind.__main__ import main
from graphmind.access.private_file import write_private
from graphmind.access.running_server import RunningServer, announced, find_server
from graphmind.settings import Settings
from graphmind.simulation.files import write
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.wiring import open_desk, open_stores
from tests.api.conftest import fill, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("shared")
    settings = Settings(data_dir=made / "store")
    write(simulate(Scenario(seed=7, traces=400, incidents=1)), made / "spans")
    with open_stores(settings) as stores:
        fill(stores, settings, made / "spans")
    return made


@contextmanager
def served(store):
    """Run a server on a folder until the block ends; gives the client with its local token."""
    settings = Settings(data_dir=store)
    with open_stores(settings, live=True) as stores, open_desk(stores, settings) as desk:
        app = create_app(stores, settings, None, desk)
        with serving(app) as client:
            server = RunningServer(url=str(client.base_url), pid=os.getpid())
            with announced(store, server, app.state.doors.local_token):
                yield client


@pytest.fixture
def asked(monkeypatch):
    """Run a command in this process; gives its exit code and what it printed."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(store, *words, stdin=b""):
        out, err = TextIOWrapper(BytesIO(), "utf-8"), StringIO()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["graphmind", *map(str, words), "--data-dir", str(store)])
            patched.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin)))
            patched.setattr(sys, "stdout", out)
            patched.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as ended:
                main()
        out.flush()
        return ended.value.code or 0, out.buffer.getvalue().decode(), err.getvalue()

    return run


def reading(incident, trace):
    """Commands that change nothing, with right and with wrong words."""
    return [
        ("incidents",),
        ("incidents", "--json"),
        ("explain", incident),
        ("explain", incident, "--json"),
        ("explain", "inc-none"),
        ("ask", "incident_causes"),
        ("ask", "incident_causes", "--param", "limit=2", "--json"),
        ("ask", "no_such_question"),
        ("similar", incident),
        ("similar", incident, "--json"),
        ("classify", incident),
        ("anomalies", "--limit", 3, "--json"),
        ("lineage", incident, "--json"),
        ("diagnose", "--trace", trace),
        ("diagnose", "--trace", "no-such-trace"),
        ("repairs",),
        ("repairs", "rep-none"),
        ("strategies", "list"),
        ("strategies", "list", "--json"),
        ("audit", "verify"),
        ("approve", "rep-none", "--plan-hash", "0" * 64),
        ("confirm", incident, "Not A Label"),
        ("load", "/no/such/file"),
    ]


def test_commands_answer_alike_from_the_stores_and_from_the_server_that_owns_them(folder, asked):
    store = folder / "store"
    (found,) = json.loads(asked(store, "incidents", "--json")[1])["incidents"]
    words = reading(found["incident_id"], found["trace_ids"][0])
    alone = [asked(store, *each) for each in words]
    with served(store):
        through = [asked(store, *each) for each in words]

    for each, one, other in zip(words, alone, through, strict=True):
        assert one == other, each
    assert {code for code, _out, _err in alone} == {0, 2, 3, 5}


def test_repairs_are_stopped_through_the_server_by_whoever_types(folder, asked):
    store = folder / "store"
    with served(store):
        stopped = asked(store, "stop", "on", "--as", "ann", "--reason", "drill")
        suppressed = asked(store, "suppress", "incident:x", "--as", "ann")
        trail = json.loads(asked(store, "audit", "--json")[1])["entries"]

    assert stopped[:2] == (0, "all repairs are stopped\n")
    assert suppressed[0] == 0
    assert [(each["what"], each["who"]) for each in trail[-2:]] == [
        ("stop", "ann"),
        ("set_suppression", "ann"),
    ]


def test_files_and_standard_input_are_loaded_through_the_server(folder, tmp_path, asked):
    spans = folder / "spans" / "spans.jsonl"
    with served(tmp_path):
        piped = json.loads(asked(tmp_path, "load", "-", "--json", stdin=spans.read_bytes())[1])
        again = json.loads(asked(tmp_path, "load", spans, "--json")[1])
        analysed = json.loads(asked(tmp_path, "analyze", "--json")[1])

    assert piped["spans"] > 0
    assert again["duplicate"] == again["spans"] == piped["spans"]
    assert len(analysed["incidents"]) == 1


def test_what_a_server_left_behind_is_ignored(folder, asked):
    store = folder / "store"
    left = RunningServer(url="http://127.0.0.1:9", pid=1)
    write_private(store / "server.json", b'{"url": "http://127.0.0.1:9", "pid": 1}')
    write_private(store / "token", b"stale")
    try:
        assert find_server(store) == (left, "stale")
        assert asked(store, "incidents")[0] == 0
    finally:
        (store / "server.json").unlink()
        (store / "token").unlink()


def test_commands_are_taken_with_the_local_token_alone(tmp_path, asked):
    key = asked(tmp_path, "keys", "create", "ann", "--role", "admin")[1].strip()
    with served(tmp_path) as client:

        def post(name, body, headers=None):
            path = f"/api/v1/commands/{name}"
            return client.post(path, json=body, headers=headers).status_code

        assert post("incidents", {}) == 200
        assert post("incidents", {}, {"Authorization": f"Bearer {key}"}) == 403
        assert post("incidents", {"extra": 1}) == 422
        assert post("incident", {"incident_id": 3}) == 422
        assert post("nothing", {}) == 404
        assert post("__init__", {}) == 404
        own = {"Origin": str(client.base_url).rstrip("/")}
        token = client.headers["Authorization"].removeprefix("Bearer ")
        with httpx.Client(base_url=client.base_url, headers=own) as browser:
            browser.post("/login", json={"token": token})
            assert browser.post("/api/v1/commands/incidents", json={}).status_code == 403
