"""A real Redis: its keys become nodes, its values stay where they are."""

from contextlib import closing
from dataclasses import replace

import pytest
import redis as client_of
from graphmind_loaders.pull.redis import open_source

from graphmind.errors import SourceError
from graphmind.graph.schema.nodes import KvKey
from graphmind.sources import PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from tests.live.servers import redis

pytestmark = pytest.mark.live

WINDOW = PullWindow(from_ns=0, until_ns=1)
PASSWORD = "open-sesame-7"
VALUE = "a value that nobody may see"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with redis(tmp_path_factory.mktemp("redis")) as at:
        yield at


@pytest.fixture
def server(port):
    with closing(client_of.Redis(port=port)) as client:
        client.flushall()
        client.config_resetstat()
        yield client
        for user in ("graphmind", "half"):
            client.acl_deluser(user)


def config(port, *, token="", url="", **options):
    plain = {"commands_per_s": 100_000}
    return SourceConfig(
        kind="redis",
        name="state",
        url=url or f"redis://127.0.0.1:{port}/0",
        timeout_s=5,
        token=token,
        options={**plain, **options},
    )


def pulled(wanted, rejected=None):
    with closing(open_source(wanted)) as source:
        counted = Rejections() if rejected is None else rejected
        return keys(source, counted)


def keys(source, rejected):
    return [node for node in source.pull(WINDOW, rejected) if isinstance(node, KvKey)]


def calls(server):
    return {name.removeprefix("cmdstat_") for name in server.info("commandstats")}


def test_keys_become_nodes_with_type_size_and_time_to_live(server, port):
    server.set("profile:7", VALUE)
    server.rpush("queue", *range(50))
    server.hset("session:1", mapping={"a": 1})
    server.pexpire("session:1", 60_000)
    found = {node.key: node for node in pulled(config(port))}

    assert {key: node.type for key, node in found.items()} == {
        "profile:7": "string",
        "queue": "list",
        "session:1": "hash",
    }
    assert found["profile:7"] == KvKey(
        key="profile:7",
        store="redis/0",
        type="string",
        size_bytes=server.memory_usage("profile:7"),
    )
    assert 0 < found["session:1"].ttl_ms <= 60_000


def test_values_are_never_read_and_no_command_blocks(server, port):
    server.set("profile:7", VALUE)
    server.config_resetstat()
    pulled(config(port))

    assert calls(server) - {"client|setinfo", "config|resetstat", "select", "info"} == {
        "scan",
        "type",
        "pttl",
        "memory|usage",
    }


def test_many_keys_of_a_prefix_are_one_node(server, port):
    with server.pipeline(transaction=False) as writing:
        for number in range(2_000):
            writing.set(f"cart:{number}", "x" * (number % 100), px=1_000 * (number + 100_000))
            writing.set(f"user:{number}:name", "y")
        writing.set("config", "z")
        writing.execute()
    found = {node.key: node for node in pulled(config(port))}
    cart = found["cart:*"]

    assert set(found) == {"cart:*", "user:*", "config"}
    assert (cart.pattern, cart.type, found["config"].pattern) == ("cart:*", "string", None)
    assert cart.ttl_ms > 100_000_000
    assert found["user:*"].ttl_ms is None


def test_a_large_store_is_read_part_by_part_until_all_was_seen(server, port):
    names = {f"k{number}" for number in range(3_000)}
    with server.pipeline(transaction=False) as writing:
        for name in names:
            writing.set(name, 1)
        writing.execute()
    wanted = config(port, keys_max=500, fold_over=10_000, refresh_s=3600)
    parts = []
    with closing(open_source(wanted)) as source:
        while part := keys(source, Rejections()):
            parts.append(part)

    assert {node.key for part in parts for node in part} == names
    assert max(map(len, parts)) < 500 + 4 * 200


def test_keys_that_are_no_text_or_very_long_do_not_stop_a_pull(server, port):
    server.set(b"\xff\xfe", 1)
    server.set("x" * 600, 1)
    server.set("plain", 1)
    rejected = Rejections()
    found = {node.key for node in pulled(config(port), rejected)}

    assert found == {r"\xff\xfe", "plain"}
    assert rejected.counts == {"redis key of more than 512 characters": 1}


def test_the_database_of_the_url_is_read_and_names_the_store(server, port):
    with closing(client_of.Redis(port=port, db=3)) as third:
        third.set("a", 1)
    (node,) = pulled(config(port, url=f"redis://127.0.0.1:{port}/3", qualified=True))

    assert (node.key, node.store) == ("redis/3/a", "redis/3")


@pytest.mark.parametrize("token", [f"graphmind:{PASSWORD}"])
def test_a_user_with_only_the_rights_that_are_named_is_enough(server, port, token):
    server.set("a", 1)
    server.execute_command(
        *f"ACL SETUSER graphmind on >{PASSWORD} ~* +scan +type +pttl +memory|usage".split()
    )

    assert [node.key for node in pulled(config(port, token=token))] == ["a"]


@pytest.mark.parametrize("token", ["graphmind:not-the-password", "wrong"])
def test_a_wrong_password_is_said_and_not_shown(server, port, token):
    with pytest.raises(SourceError, match="refuses this one: set `token`") as refused:
        pulled(config(port, token=token))

    assert token.rpartition(":")[2] not in str(refused.value)


def test_a_command_that_is_denied_is_named_with_what_to_grant(server, port):
    server.set("a", 1)
    server.execute_command(*f"ACL SETUSER half on >{PASSWORD} ~* +scan +type +pttl".split())
    wanted = config(port, token=f"half:{PASSWORD}")

    with pytest.raises(SourceError, match=r"memory\|usage.*grant \+scan"):
        pulled(wanted)
    (node,) = pulled(replace(wanted, options={**wanted.options, "sizes": False}))
    assert (node.key, node.size_bytes) == ("a", None)


def test_nothing_that_listens_is_said():
    with pytest.raises(SourceError, match="does not answer"):
        pulled(config(1))
