"""Calls between agents, to a server that behaves and to some that do not."""

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.agent_platform.wire import Answer, CallFailed, Wire, read_head


@asynccontextmanager
async def answering(answer, seen=None):
    """A server that answers each request with bytes."""
    writers = []

    async def talk(reader, writer):
        writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await reader.readexactly(
                    read_head(b"X 0\r\n" + head.partition(b"\r\n")[2])[1]
                )
                if seen is not None:
                    seen.append((head, body, len(writers)))
                writer.write(answer)
                if b"connection: close" in answer or not answer:
                    writer.close()
                    return
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    wire = Wire(traced=False, timeout_s=2.0)
    try:
        yield wire, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/run"
    finally:
        wire.close()
        for writer in writers:
            writer.close()
        server.close()
        await asyncio.sleep(0.05)  # the server sees the end


def run(coroutine):
    return asyncio.run(coroutine)


def test_it_posts_json_and_keeps_the_connection():
    async def twice():
        seen: list[Any] = []
        async with answering(b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}', seen) as (
            w,
            url,
        ):
            return [await w.post(url, {"n": 1}), await w.post(url, {"n": 2})], seen

    answers, seen = run(twice())

    assert answers == [Answer(200, {"a": 1})] * 2
    assert [(body, connection) for _, body, connection in seen] == [
        (b'{"n":1}', 1),
        (b'{"n":2}', 1),
    ]
    assert seen[0][0].startswith(b"POST /v1/run HTTP/1.1\r\nhost: 127.0.0.1:")


def test_a_failure_is_an_answer_too():
    async def once():
        async with answering(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n") as (wire, url):
            return await wire.post(url, {})

    assert run(once()) == Answer(503, {})


def test_a_connection_that_the_server_closes_is_not_used_again():
    async def twice():
        seen: list[Any] = []
        closing = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
        async with answering(closing, seen) as (wire, url):
            await wire.post(url, {})
            await wire.post(url, {})
        return seen

    assert [connection for _, _, connection in run(twice())] == [1, 2]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "RemoteProtocolError"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\nconnection: close\r\n\r\n{",
            "RemoteProtocolError",
        ),
    ],
)
def test_an_answer_that_is_none_is_told(answer, code):
    async def once():
        async with answering(answer) as (wire, url):
            await wire.post(url, {})

    with pytest.raises(CallFailed) as told:
        run(once())
    assert told.value.code == code


def test_nobody_listens():
    with pytest.raises(CallFailed) as told:
        run(Wire(traced=False).post("http://127.0.0.1:9/", {}))
    assert told.value.code == "ConnectError"


def test_silence_ends():
    async def once():
        async def silent(reader, writer):
            await reader.read()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        wire = Wire(traced=False, timeout_s=0.05)
        async with server:
            try:
                await wire.post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", {})
            finally:
                await asyncio.sleep(0.05)  # the server sees the end

    with pytest.raises(CallFailed) as told:
        run(once())
    assert told.value.code == "ReadTimeout"


def test_a_lost_network_takes_nothing_anywhere_else(monkeypatch):
    monkeypatch.setattr("examples.agent_platform.wire.LOST_S", 0.0)

    async def both():
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
        async with answering(answer) as (_, url):
            port = int(url.split(":")[2].split("/")[0])
            lossy = Wire(traced=False, lost=lambda at: {"share": 1.0} if at != port else None)
            well = await lossy.post(url, {})
            lossy.close()
            with pytest.raises(CallFailed) as told:
                await lossy.post("http://127.0.0.1:9/", {})
            return well, told.value.code

    assert run(both()) == (Answer(200, {}), "ConnectTimeout")


@given(st.binary(max_size=300))
def test_no_head_is_read_as_more_than_it_says(head):
    try:
        status, length, kept = read_head(head)
    except (ValueError, IndexError):
        return
    assert status >= 0 or b"-" in head
    assert length >= 0
    assert kept in (True, False)
