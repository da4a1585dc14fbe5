"""A real HAProxy: what is drained and weighed there is where requests no longer go."""

import socket
import threading
from collections import Counter
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from graphmind.errors import SettingsError
from graphmind.repair.connector import ConnectorError, Effect, OutcomeUnknown, StateChanged
from graphmind.repair.connectors.config import Section
from graphmind.repair.connectors.haproxy import AdminSocket, open_connector
from graphmind.repair.model import Call
from tests.contracts.connector import HTTP_GARBAGE, ConnectorContract, Example, Rig
from tests.live.region_servers import haproxy

pytestmark = pytest.mark.live

REGIONS = {"eu": ["agents/eu1", "agents/eu2"], "us": ["agents/us1"]}
ALL = {**REGIONS, "ap": ["spare/x1"]}
FAILING_OVER = Call(action="fail_over", target="us", params={"from": "us", "to": "ap"})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ExitStack() as stack:
        at = {name: stack.enter_context(closing(Backend(name))) for name in ("eu1", "eu2", "us1")}
        backends = {
            "agents": {name: one.address for name, one in at.items()},
            "spare": {"x1": at["us1"].address},
        }
        yield stack.enter_context(haproxy(tmp_path_factory.mktemp("haproxy"), backends))


@pytest.fixture(autouse=True)
def as_configured(server):
    admin = AdminSocket(address=server.unix, timeout_s=5)
    for name in ("agents/eu1", "agents/eu2", "agents/us1", "spare/x1"):
        admin.ask(f"set server {name} weight 100;set server {name} state ready")


@pytest.fixture
def connector(server):
    with closing(open_connector(section(server.unix))) as opened:
        yield opened


class TestContract(ConnectorContract):
    examples = (
        Example(call=Call(action="drain", target="eu")),
        Example(call=Call(action="disable", target="us")),
        Example(call=Call(action="enable", target="ap")),
        Example(call=Call(action="set_weight", target="eu", params={"weight": 25})),
        Example(call=FAILING_OVER),
    )
    unknown_target = Call(action="drain", target="mars"), r"ap, eu, us"

    @pytest.fixture
    def rig(self, server):
        admin = AdminSocket(address=server.unix, timeout_s=5)
        admin.ask("set server spare/x1 state drain")

        def state():
            table = admin.ask("show servers state").splitlines()[2:-1]
            return sorted((row.split()[1], row.split()[3], *row.split()[6:8]) for row in table)

        def disturb(call):
            admin.ask(f"set server {ALL[call.target][0]} weight 7")

        return Rig(
            opener=open_connector,
            options={"regions": ALL},
            port=int(server.tcp.rpartition(":")[2]),
            at=lambda port: {"socket": f"tcp:127.0.0.1:{port}"},
            state=state,
            disturb=disturb,
            writes=(b"set server",),
            credentials={},
            garbage=(b"", b"\n", b"Permission denied\n\n", b"# be_name\n\n", HTTP_GARBAGE[0]),
        )


class Backend:
    """A server that answers with its name."""

    def __init__(self, name):
        class Answering(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("content-length", str(len(name)))
                self.end_headers()
                self.wfile.write(name.encode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def section(at, *, live=True, **options):
    return Section(
        name="lb",
        kind="haproxy",
        live=live,
        options={"socket": at, "timeout_s": 2, "regions": REGIONS, **options},
    )


def answered(server, count=40):
    with httpx.Client(base_url=server.url) as client:
        return Counter(client.get("/").text for _ in range(count))


def run(connector, call, key="rep-1/1"):
    planned = connector.plan(call)
    applied = connector.apply(call, before=planned.before, key=key)
    assert connector.verify(call, before=planned.before, key=key).effect is Effect.APPLIED
    return planned, applied


def test_a_drained_region_gets_no_more_requests_until_it_is_undone(server, connector):
    planned, _ = run(connector, Call(action="drain", target="eu"))
    drained = answered(server)
    connector.undo(planned.undo, before=planned.before, key="rep-1/1")

    assert drained == {"us1": 40}
    assert set(answered(server)) == {"eu1", "eu2", "us1"}
    assert connector.plan(Call(action="drain", target="eu")).before == planned.before


def test_requests_follow_the_weights(server, connector):
    run(connector, Call(action="set_weight", target="eu", params={"weight": 25}))

    counted = answered(server, 60)
    assert all(abs(counted[one] - n) <= 3 for one, n in {"us1": 40, "eu1": 10, "eu2": 10}.items())


def test_a_region_fails_over_to_another_that_was_out(server, connector):
    run(connector, Call(action="drain", target="us"))
    call = Call(action="fail_over", target="us", params={"from": "eu", "to": "us", "weight": 200})
    planned, applied = run(connector, call)
    after = answered(server)
    connector.undo(planned.undo, before=planned.before, key="rep-1/1")

    assert after == {"us1": 40}
    assert applied.facts["changed"] == "3"
    assert set(answered(server)) == {"eu1", "eu2"}


def test_the_tcp_socket_does_as_well_and_a_second_time_changes_nothing(server):
    call = Call(action="drain", target="us")
    with closing(open_connector(section(server.tcp))) as connector:
        planned, first = run(connector, call)
        again = connector.apply(call, before=planned.before, key="rep-1/1")

    assert (first.facts["changed"], again.facts["changed"]) == ("1", "0")


def test_a_world_that_changed_stops_it_and_nothing_is_done(server, connector):
    call = Call(action="drain", target="eu")
    planned = connector.plan(call)
    AdminSocket(address=server.unix, timeout_s=5).ask("set server agents/eu2 weight 7")

    with pytest.raises(StateChanged, match=r"agents/eu2 to be ready 100.*it is ready 7"):
        connector.apply(call, before=planned.before, key="k")
    assert connector.verify(call, before=planned.before, key="k").effect is Effect.OTHER
    assert set(answered(server)) == {"eu1", "eu2", "us1"}


def test_half_of_it_is_ended_by_doing_it_again(server, connector):
    call = Call(action="drain", target="eu")
    planned = connector.plan(call)
    AdminSocket(address=server.unix, timeout_s=5).ask("set server agents/eu1 state drain")
    seen = connector.verify(call, before=planned.before, key="k")
    applied = connector.apply(call, before=planned.before, key="k")

    assert (seen.effect, seen.detail[:9]) == (Effect.NOT_APPLIED, "half done")
    assert applied.facts == {"changed": "1", "servers": "agents/eu2"}


def test_the_last_region_of_a_backend_is_never_taken_out(server, connector):
    run(connector, Call(action="drain", target="us"))
    planned = connector.plan(Call(action="set_weight", target="eu", params={"weight": 5}))

    with pytest.raises(ConnectorError, match="would leave nothing of agents that takes traffic"):
        connector.plan(Call(action="drain", target="eu"))
    with pytest.raises(StateChanged, match="enable another region first"):
        connector.apply(Call(action="drain", target="eu"), before=planned.before, key="k")
    assert set(answered(server)) == {"eu1", "eu2"}


def test_servers_in_maintenance_are_left_alone(server, connector):
    AdminSocket(address=server.unix, timeout_s=5).ask("set server agents/eu1 state maint")
    _, applied = run(connector, Call(action="drain", target="eu"))
    run(connector, Call(action="enable", target="eu"))

    assert applied.facts["servers"] == "agents/eu2"
    assert set(answered(server)) == {"eu2", "us1"}


def test_what_only_plans_changes_nothing(server):
    call = Call(action="drain", target="eu")
    with closing(open_connector(section(server.unix, live=False))) as connector:
        planned = connector.plan(call)
        with pytest.raises(ConnectorError, match="live: true"):
            connector.apply(call, before=planned.before, key="k")

    assert set(answered(server)) == {"eu1", "eu2", "us1"}


def test_what_haproxy_does_not_know_is_said(server):
    with closing(open_connector(section(server.unix, regions={"eu": ["agents/no"]}))) as connector:
        with pytest.raises(ConnectorError, match="agents/no"):
            connector.plan(Call(action="drain", target="eu"))
        with pytest.raises(ConnectorError, match="expected a configured region"):
            connector.plan(Call(action="drain", target="mars"))


def test_what_is_no_haproxy_or_no_socket_is_said(tmp_path):
    call = Call(action="drain", target="eu")
    with (
        closing(open_connector(section(f"unix:{tmp_path}/none"))) as connector,
        pytest.raises(ConnectorError, match="does not answer"),
    ):
        connector.plan(call)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at = f"tcp:127.0.0.1:{silent.getsockname()[1]}"
        admin = AdminSocket(address=at, timeout_s=0.2)
        with pytest.raises(OutcomeUnknown, match=r"within 0\.2 s"):
            admin.ask("set server a/b weight 1", changes=True)
        with pytest.raises(ConnectorError) as read:
            admin.ask("show servers state")
    assert not isinstance(read.value, OutcomeUnknown)


@pytest.mark.parametrize(
    "regions", [{}, {"eu": []}, {"eu": ["a/b;disable c"]}, {"eu": ["a/b"], "us": ["a/b"]}]
)
def test_regions_that_cannot_be_are_refused(regions):
    with pytest.raises(SettingsError, match=r"regions|region eu has no members"):
        open_connector(section("unix:/x", regions=regions))
