"""A real PowerDNS: what is weighed there is what its answers name."""

import ipaddress
import socket
import struct
from collections import Counter
from contextlib import closing

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.repair.connector import ConnectorError
from graphmind.repair.connectors.config import Section
from graphmind.repair.connectors.powerdns import lua_content, lua_weights, open_connector
from graphmind.repair.model import Call
from tests.contracts.connector import SECRET, ConnectorContract, Example, Rig
from tests.live.region_servers import API_KEY, EU, EU2, NAME, US, ZONE, powerdns

pytestmark = pytest.mark.live

AP = "127.0.3.1"
REGIONS = {"eu": [EU, EU2], "us": [US], "ap": [AP]}
FAILING_OVER = Call(action="fail_over", target="us", params={"from": "us", "to": "ap"})
LUA = lua_content("A", {EU: 100, EU2: 100, US: 100, AP: 0, "127.0.9.9": 0})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with powerdns(tmp_path_factory.mktemp("powerdns")) as started:
        yield started


def options(kind):
    return {"token": API_KEY, "zone": ZONE, "record": NAME, "type": kind, "regions": REGIONS}


def opened(server, kind="LUA"):
    given_options = {**options(kind), "url": server.url, "timeout_s": 5}
    return closing(
        open_connector(Section(name="dns", kind="powerdns", live=True, options=given_options))
    )


def records(server):
    zone = httpx.get(
        f"{server.url}/api/v1/servers/localhost/zones/{ZONE}", headers={"x-api-key": API_KEY}
    ).json()
    return sorted(
        (one["content"], one["disabled"])
        for rrset in zone["rrsets"]
        if rrset["name"] == NAME
        for one in rrset["records"]
    )


def asked(server):
    """Ask the name for its A records over UDP; returns the addresses."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in NAME.split(".")[:-1])
    question = struct.pack(">6H", 7, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(question, ("127.0.0.1", server.dns_port))
        answer = client.recv(4096)
    count, at, found = struct.unpack(">H", answer[6:8])[0], len(question), []
    for _ in range(count):
        kind, _, _, length = struct.unpack(">HHIH", answer[at + 2 : at + 12])
        if kind == 1:
            found.append(str(ipaddress.ip_address(answer[at + 12 : at + 12 + length])))
        at += 12 + length
    return found


def answers(server, count=60):
    return Counter(address for _ in range(count) for address in asked(server))


def run(connector, call):
    planned = connector.plan(call)
    connector.apply(call, before=planned.before, key="k")
    return planned


class Contract(ConnectorContract):
    kind = "LUA"
    content: tuple[str, ...] = (LUA,)
    unknown_target = Call(action="drain", target="mars"), r"ap, eu, us"

    @pytest.fixture
    def rig(self, server):
        server.set(self.kind, *self.content)
        if self.kind == "A":
            with opened(server, "A") as connector:
                run(connector, Call(action="drain", target="ap"))

        def disturb(call):
            others = lua_content("A", {EU: 7, EU2: 7, US: 7, AP: 7})
            server.set(self.kind, *([others] if self.kind == "LUA" else ["127.0.9.9"]))

        return Rig(
            opener=open_connector,
            options=options(self.kind),
            port=int(server.url.rpartition(":")[2]),
            at=lambda port: {"url": f"http://127.0.0.1:{port}"},
            state=lambda: records(server),
            disturb=disturb,
            writes=(b"PATCH ",),
            credentials={"token": SECRET},
            checks_credentials=True,
        )


class TestLua(Contract):
    examples = (
        Example(call=Call(action="drain", target="eu")),
        Example(call=Call(action="disable", target="us")),
        Example(call=Call(action="enable", target="ap", params={"weight": 50})),
        Example(call=Call(action="set_weight", target="eu", params={"weight": 25})),
        Example(call=FAILING_OVER),
    )


class TestPlain(Contract):
    kind = "A"
    content = (EU, EU2, US, AP, "127.0.9.9")
    examples = (
        Example(call=Call(action="drain", target="eu")),
        Example(call=Call(action="enable", target="ap")),
        Example(call=FAILING_OVER),
    )


def test_answers_follow_the_weights(server):
    server.set("LUA", LUA)
    with opened(server) as connector:
        first = answers(server)
        planned = run(connector, Call(action="drain", target="eu"))
        drained = answers(server)
        connector.undo(planned.undo, before=planned.before, key="k")
        run(connector, Call(action="set_weight", target="eu", params={"weight": 5}))
        light = answers(server, 300)

    assert set(first) == {EU, EU2, US}
    assert drained == {US: 60}
    assert light[EU] + light[EU2] < 100  # 27 expected; over 100 less than once in 10^30


def test_plain_records_are_in_the_answer_or_not(server):
    server.set("A", EU, EU2, US, AP)
    with opened(server, "A") as connector:
        run(connector, Call(action="drain", target="ap"))
        run(connector, Call(action="fail_over", target="eu", params={"from": "eu", "to": "ap"}))
        after = answers(server, 1)
        call = Call(action="set_weight", target="us", params={"weight": 30})
        planned = connector.plan(call)
        with pytest.raises(ConnectorError, match="use a LUA record for shares"):
            connector.apply(call, before=planned.before, key="k")

    assert after == {US: 1, AP: 1}
    assert (EU, True) in records(server)


def test_the_last_region_is_never_taken_out(server):
    server.set("LUA", lua_content("A", {EU: 100, EU2: 0, US: 0, AP: 0}))
    with (
        opened(server) as connector,
        pytest.raises(ConnectorError, match="would leave nothing that takes traffic"),
    ):
        connector.plan(Call(action="drain", target="eu"))


@pytest.mark.parametrize(
    "content", ["A \"ifportup(443, {'127.0.1.1'})\"", "A \"pickwrandom({{1, '127.0.1.1'}}) or 1\""]
)
def test_another_script_is_left_alone(server, content):
    server.set("LUA", content)
    with (
        opened(server) as connector,
        pytest.raises(ConnectorError, match=r"expected one record like A .pickwrandom"),
    ):
        connector.plan(Call(action="drain", target="eu"))


@given(
    weights=st.dictionaries(st.ip_addresses().map(str), st.integers(0, 256), min_size=1),
    kind=st.sampled_from(["A", "AAAA"]),
)
def test_what_is_written_is_read_again(weights, kind):
    assert lua_weights(lua_content(kind, weights)) == (kind, weights)


@given(st.text(alphabet="A \"'{},pickwrandom()1.0:;"))
def test_any_text_is_a_record_or_none(text):
    read = lua_weights(text)

    assert read is None or lua_weights(lua_content(*read)) == read
