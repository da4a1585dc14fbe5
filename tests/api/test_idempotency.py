"""One Idempotency-Key, one effect."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request
from graphmind_api.access.caller import Caller
from graphmind_api.idempotency import Idempotency


@pytest.fixture
def effects():
    return []


@pytest.fixture
def client(effects):
    app = FastAPI()

    @app.post("/do", status_code=201)
    async def do(request: Request):
        body = await request.json()
        await asyncio.sleep(body.get("takes_s", 0))
        if body.get("refuse"):
            raise HTTPException(412)
        effects.append(body)
        return {"number": len(effects)}

    app.add_middleware(Idempotency)

    async def known(scope, receive, send):
        name = dict(scope["headers"]).get(b"x-name", b"").decode()
        caller = Caller(name=name, role="viewer", kind="key") if name else None
        await app({**scope, "state": {"caller": caller}}, receive, send)

    return httpx.AsyncClient(transport=httpx.ASGITransport(known), base_url="http://x")


def do(client, body, *, key="k", name="ann", path="/do"):
    return client.post(path, json=body, headers={"Idempotency-Key": key, "X-Name": name})


async def _twice(client):
    return await do(client, {"a": 1}), await do(client, {"a": 1})


def test_the_second_request_gets_the_answer_of_the_first(client, effects):
    first, again = asyncio.run(_twice(client))

    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert effects == [{"a": 1}]


def test_another_body_or_address_with_the_key_is_refused(client, effects):
    async def asked():
        await do(client, {"a": 1})
        return await do(client, {"a": 2}), await do(client, {"a": 1}, path="/do?dry_run=true")

    assert [answer.status_code for answer in asyncio.run(asked())] == [422, 422]
    assert effects == [{"a": 1}]


def test_while_the_first_is_under_way_the_second_is_told_to_wait(client, effects):
    async def asked():
        first = asyncio.create_task(do(client, {"takes_s": 0.2}))
        await asyncio.sleep(0.05)
        return await do(client, {"takes_s": 0.2}), await first

    second, first = asyncio.run(asked())
    assert (second.status_code, first.status_code) == (409, 201)
    assert len(effects) == 1


def test_what_was_refused_may_be_tried_again(client, effects):
    async def asked():
        await do(client, {"refuse": True})
        return await do(client, {"refuse": False})

    assert asyncio.run(asked()).status_code == 201


def test_keys_are_of_their_caller(client, effects):
    async def asked():
        await do(client, {"a": 1})
        await do(client, {"a": 1}, name="bob")
        await do(client, {"a": 1}, key="other")

    asyncio.run(asked())
    assert len(effects) == 3


def test_a_key_too_long_is_refused_and_none_at_all_is_passed_on(client, effects):
    async def asked():
        long = await do(client, {"a": 1}, key="x" * 256)
        await client.post("/do", json={}, headers={"X-Name": "ann"})
        await client.post("/do", json={}, headers={"X-Name": "ann"})
        return long

    assert asyncio.run(asked()).status_code == 422
    assert len(effects) == 2
