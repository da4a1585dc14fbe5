"""The stand-in for Redis, by the client that the platform uses."""

import asyncio

import pytest
import redis.asyncio
import redis.exceptions
from hypothesis import given
from hypothesis import strategies as st

from examples.agent_platform.standins.redis import Store, encode, serve
from tests.live.conftest import free_ports


def ask(questions):
    """Run a coroutine function of a client against a server of its own."""

    async def run():
        (port,) = free_ports(1)
        server = asyncio.create_task(serve(port))
        client = redis.asyncio.Redis(port=port, socket_timeout=5)
        for _ in range(100):
            try:
                await client.ping()
                break
            except redis.exceptions.ConnectionError:
                await asyncio.sleep(0.01)
        try:
            return await questions(client)
        finally:
            await client.aclose()
            await asyncio.sleep(0.02)  # the server sees that the client is gone
            server.cancel()
            await asyncio.gather(server, return_exceptions=True)

    return asyncio.run(run())


def test_what_is_set_is_got_once_if_new():
    async def questions(client):
        return [
            await client.set("k", "a", nx=True),
            await client.set("k", "b", nx=True),
            await client.get("k"),
            await client.get("none"),
            await client.mget("k", "none"),
            await client.exists("k", "none"),
        ]

    assert ask(questions) == [True, None, b"a", None, [b"a", None], 1]


def test_a_quarantined_key_comes_back_with_its_time_to_live():
    async def questions(client):
        await client.set("policy", "x", ex=100)
        await client.rename("policy", "graphmind:quarantine:1:policy")
        gone = await client.get("policy")
        await client.renamenx("graphmind:quarantine:1:policy", "policy")
        return gone, await client.get("policy"), await client.ttl("policy")

    assert ask(questions) == (None, b"x", 100)


def test_lists_pipelines_and_scans():
    async def questions(client):
        async with client.pipeline(transaction=True) as pipeline:
            pipeline.rpush("l", "a", "b")
            pipeline.lrange("l", 0, -1)
            pipeline.set("run:1", "x")
            answers = await pipeline.execute()
        found = [key async for key in client.scan_iter(match="run:*")]
        return answers, found, await client.type("l"), await client.delete("l", "none")

    assert ask(questions) == ([2, [b"a", b"b"], True], [b"run:1"], b"list", 1)


def test_what_it_cannot_do_it_says():
    async def questions(client):
        with pytest.raises(redis.exceptions.ResponseError, match="stand-in"):
            await client.zadd("z", {"a": 1})
        with pytest.raises(redis.exceptions.ResponseError, match="no such key"):
            await client.rename("none", "other")

    ask(questions)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=5))
def test_any_command_has_one_whole_answer(words):
    for resp3 in (False, True):
        answer = encode(Store().execute(words), resp3=resp3)
        assert answer[:1] in b"+-:$*_"
        assert answer.endswith(b"\r\n")


def test_a_key_is_gone_when_its_time_is_over():
    now = [100.0]
    store = Store(lambda: now[0])
    store.execute([b"SET", b"k", b"v", b"EX", b"5"])
    before = store.execute([b"GET", b"k"])
    now[0] = 105.0

    assert before == b"v"
    assert store.execute([b"GET", b"k"]) is None
    assert store.execute([b"TTL", b"k"]) == -2
