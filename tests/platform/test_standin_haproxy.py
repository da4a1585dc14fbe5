"""The stand-in for HAProxy: who gets what, and the admin socket's words."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from examples.agent_platform.standins.haproxy import Balancer, Server


def balancer():
    return Balancer([Server(name="eu", port=1), Server(name="us", port=2)])


def shares(one, count=300):
    return Counter(server.name if (server := one.choose()) else None for _ in range(count))


def test_weights_are_kept_exactly():
    one = balancer()
    one.obey("set server regions/us weight 50")

    assert shares(one) == {"eu": 200, "us": 100}


def test_a_drained_region_gets_nothing_until_it_is_ready():
    one = balancer()
    one.obey("set server regions/us state drain")
    drained = shares(one)
    one.obey("set server regions/us state ready")

    assert drained == {"eu": 300}
    assert shares(one) == {"eu": 150, "us": 150}


def test_with_no_region_left_nobody_is_chosen():
    one = balancer()
    one.obey("set server regions/us state maint; set server regions/eu weight 0")

    assert shares(one, 3) == {None: 3}


def test_the_state_of_servers_reads_as_haproxy_writes_it():
    one = balancer()
    one.obey("set server regions/us state drain")
    version, head, *rows = one.obey("show servers state regions").splitlines()

    assert version == "1"
    assert head.startswith("# be_id be_name srv_id srv_name srv_addr")
    assert [row.split()[3::3] for row in rows] == [["eu", "0"], ["us", "8"]]


def test_mistakes_are_told_and_change_nothing():
    one = balancer()

    assert one.obey("set server regions/mars state drain") == "No such server.\n"
    assert one.obey("set server regions/us weight 300") == "Invalid weight.\n"
    assert "Unknown command" in one.obey("reboot")
    assert shares(one) == {"eu": 150, "us": 150}


@given(st.text(max_size=60))
def test_no_line_breaks_it(line):
    assert isinstance(balancer().obey(line), str)
