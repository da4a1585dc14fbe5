"""The state store's connector keeps the contract against a real Redis."""

import base64
import json
from contextlib import closing
from hashlib import sha1

import pytest
import redis as client_of

from graphmind.repair.connector import ConnectorError, Effect, StateChanged
from graphmind.repair.connectors.state_store import QUARANTINE, open_connector
from graphmind.repair.model import Call
from tests.contracts.connector import SECRET, ConnectorContract, Example, Rig
from tests.live.servers import redis

pytestmark = pytest.mark.live

PASSWORD = "the-password-of-the-store"
SNAPSHOT = "agent_state_snapshot:task-7:ModelExecutor"
EXPIRES_MS = 4_000_000_000_000
OTHER = f"{QUARANTINE}fff:lost"
LOST = f"{QUARANTINE}{sha1(b'string:kept').hexdigest()}:lost"
GARBAGE = (
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"+OK\r\n" * 9,
    b"\xff\x00\r\n",
    b"*1\r\n:7\r\n" * 9,
    b"",
)


def call(action, target, **params):
    return Call(action=action, target=target, params=params)


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with redis(tmp_path_factory.mktemp("redis"), "--requirepass", PASSWORD) as at:
        yield at


@pytest.fixture
def server(port):
    with closing(client_of.Redis(port=port, password=PASSWORD)) as client:
        client.flushall()
        client.set("policy:claims", b'{"factor": 9}', pxat=EXPIRES_MS)
        client.rpush("queue", "a", "b", "c")
        client.hset("session:1", mapping={"a": "1", "b": "2"})
        client.pexpireat("session:1", EXPIRES_MS)
        client.sadd("tags", "x", "y")
        client.zadd("ranks", {"x": 1.5, "y": 2})
        client.xadd("events", {"a": 1}, id="1-1")
        client.set(b"\xff:key", "bytes")
        client.set("agent_context:task-7", b'{"turn":3}', pxat=EXPIRES_MS)
        snapshot = {"context": {"turn": 1}, "vectorized_input": [], "model_version": "planner"}
        client.set(SNAPSHOT, json.dumps(snapshot, separators=(",", ":")), ex=1_800)
        client.set(LOST, "kept", pxat=EXPIRES_MS)
        yield client
        for user in ("graphmind",):
            client.acl_deluser(user)


def name_of(call):
    return b"\xff:key" if call.target.startswith("\\x") else call.target


def state(server):
    """All keys but ours, with value and when they expire."""
    return {
        key: (server.dump(key), server.pexpiretime(key))
        for key in server.keys("*")
        if not key.startswith(b"graphmind:") or b"lost" in key
    }


@pytest.fixture
def rig(server, port):
    return Rig(
        opener=open_connector,
        options={"password": PASSWORD},
        port=port,
        at=lambda port: {"url": f"redis://127.0.0.1:{port}/0"},
        state=lambda: state(server),
        disturb=lambda call: server.set(name_of(call), "x"),
        writes=[b"RENAME"],
        credentials={"password": SECRET},
        checks_credentials=True,
        garbage=GARBAGE,
        timeout_s=0.5,
    )


class TestStateStore(ConnectorContract):
    examples = (
        Example(call=call("quarantine_key", "policy:claims")),
        Example(call=call("quarantine_key", "queue")),
        Example(call=call("quarantine_key", "session:1")),
        Example(call=call("quarantine_key", "tags")),
        Example(call=call("quarantine_key", "ranks")),
        Example(call=call("quarantine_key", "events")),
        Example(call=call("quarantine_key", r"\xff:key")),
        Example(call=call("restore_key", "lost")),
        Example(call=call("revert_state", "agent_context:task-7", snapshot=SNAPSHOT)),
        Example(
            call=call("revert_state", "agent_context:task-7", task="task-7", step="ModelExecutor")
        ),
        Example(call=call("revert_state", "agent_context:new", snapshot=SNAPSHOT)),
        Example(call=call("revert_key", "policy:claims", value='{"factor": 1}')),
        Example(call=call("revert_key", "session:1", **{"from": "queue"})),
        Example(call=call("revert_key", "new", **{"from": SNAPSHOT})),
    )
    unknown_target = (call("quarantine_key", "policy:*"), r"no key .*full names")


@pytest.fixture
def store(rig):
    with rig.opened() as connector:
        yield connector


def test_a_quarantined_key_keeps_its_value_and_time_to_live_aside(store, server):
    quarantine = call("quarantine_key", "policy:claims")
    before = store.plan(quarantine).before
    applied = store.apply(quarantine, before=before, key="k")
    aside = applied.facts["moved_to"]

    assert aside.startswith(QUARANTINE)
    assert aside.endswith(":policy:claims")
    assert not server.exists("policy:claims")
    assert server.get(aside) == b'{"factor": 9}'
    assert server.pexpiretime(aside) == EXPIRES_MS


def test_what_is_written_again_after_a_quarantine_is_not_undone(store, server):
    quarantine = call("quarantine_key", "policy:claims")
    planned = store.plan(quarantine)
    store.apply(quarantine, before=planned.before, key="k")
    server.set("policy:claims", "fresh")
    seen = store.verify(quarantine, before=planned.before, key="k")
    with pytest.raises(StateChanged, match="plan anew"):
        store.undo(planned.undo, before=planned.before, key="k-undo")

    assert (seen.effect, seen.detail) == (Effect.APPLIED, "done, and written again since")
    assert server.get("policy:claims") == b"fresh"


def test_a_reverted_state_is_the_snapshots_own_bytes_with_the_old_time_to_live(store, server):
    revert = call("revert_state", "agent_context:task-7", snapshot=SNAPSHOT)
    store.apply(revert, before=store.plan(revert).before, key="k")

    assert server.get("agent_context:task-7") == b'{"turn":1}'
    assert server.pexpiretime("agent_context:task-7") == EXPIRES_MS


def test_a_snapshot_that_changes_after_the_plan_stops_the_step(store, server):
    revert = call("revert_state", "agent_context:task-7", snapshot=SNAPSHOT)
    before = store.plan(revert).before
    server.set(SNAPSHOT, '{"context": 1}')
    with pytest.raises(StateChanged, match="not what it was"):
        store.apply(revert, before=before, key="k")

    assert server.get("agent_context:task-7") == b'{"turn":3}'


def test_a_dump_is_put_in_place_and_taken_back(store, server):
    server.rpush("other", "1", "2")
    given = base64.b64encode(server.dump("other")).decode()
    revert = call("revert_key", "policy:claims", dump=given)
    before = state(server)
    planned = store.plan(revert)
    store.apply(revert, before=planned.before, key="k")
    reverted = (server.lrange("policy:claims", 0, -1), server.pexpiretime("policy:claims"))
    store.undo(planned.undo, before=planned.before, key="k-undo")

    assert reverted == ([b"1", b"2"], EXPIRES_MS)
    assert state(server) == before


def test_a_dump_that_is_none_changes_nothing(store, server):
    revert = call("revert_key", "policy:claims", dump=base64.b64encode(b"junk").decode())
    before = state(server)
    planned = store.plan(revert)
    with pytest.raises(ConnectorError, match="refuses the value"):
        store.apply(revert, before=planned.before, key="k")
    with pytest.raises(ConnectorError, match="in base64"):
        store.plan(call("revert_key", "policy:claims", dump="junk!"))

    assert state(server) == before


def test_a_part_that_the_snapshot_lacks_is_told_with_those_it_has(store):
    revert = call("revert_state", "agent_context:task-7", snapshot=SNAPSHOT, field="mood")
    with pytest.raises(ConnectorError, match="Known: context, model_version, vectorized_input"):
        store.plan(revert)


def test_a_key_with_two_values_in_quarantine_asks_which(store, server):
    server.set(OTHER, "other")
    with pytest.raises(ConnectorError, match=f"{LOST}, {OTHER}"):
        store.plan(call("restore_key", "lost"))
    planned = store.plan(call("restore_key", "lost", **{"from": OTHER}))

    assert planned.before["aside"] == OTHER


def test_names_of_telemetry_may_carry_the_stores_name(rig, server):
    with rig.opened(qualifier="redis/0/") as store:
        planned = store.plan(call("quarantine_key", "redis/0/queue"))

    assert planned.before["type"] == "list"


def test_what_is_granted_is_named_and_enough(rig, server, port):
    from graphmind.repair.connectors.state_store import GRANT

    server.execute_command(*f"ACL SETUSER graphmind on >pw-{PASSWORD} ~* {GRANT}".split())
    credentials = {"username": "graphmind", "password": f"pw-{PASSWORD}"}
    with rig.opened(**credentials) as store:
        for number, example in enumerate(TestStateStore.examples):
            planned = store.plan(example.call)
            store.apply(example.call, before=planned.before, key=f"k{number}")
            store.undo(planned.undo, before=planned.before, key=f"k{number}-undo")
    server.execute_command("ACL", "SETUSER", "graphmind", "-eval")
    with rig.opened(**credentials) as store, pytest.raises(ConnectorError, match=r"grant \+eval"):
        store.plan(call("quarantine_key", "queue"))


def test_two_at_once_change_a_key_once(rig, store, server):
    quarantine = call("quarantine_key", "queue")
    before = store.plan(quarantine).before
    store.apply(quarantine, before=before, key="one")
    with pytest.raises(StateChanged):
        store.apply(quarantine, before=before, key="two")
