"""What the launcher writes for others: addresses, HAProxy's configuration, the connectors file."""

from pathlib import Path

from examples.agent_platform.connectors import VARIABLE, connectors_file
from examples.agent_platform.launch import Wish, planned
from examples.agent_platform.layout import Layout
from examples.agent_platform.servers import commands, haproxy_config
from examples.agent_platform.topology import AGENTS, WITHIN
from graphmind.repair.connectors.config import read_connectors
from graphmind.repair.connectors.haproxy import HaproxyOptions
from graphmind.repair.connectors.model_gateway import GatewayOptions
from graphmind.repair.connectors.model_registry import ModelRegistryOptions
from graphmind.repair.connectors.runtime_controller import RuntimeControllerOptions
from graphmind.repair.connectors.state_store import StateStoreOptions

KINDS = ("runtime_controller", "state_store", "model_registry", "haproxy", "gateway")


def _opens_nothing(section):
    raise AssertionError(f"{section.name} should only be read")


def layout(folder: Path, token=""):
    return planned(
        Wish(
            folder=folder,
            otlp="",
            rate=4.0,
            seed=0,
            stand_ins=True,
            fault=None,
            fault_after_s=0.0,
            token=token,
        )
    )


def test_every_part_has_a_port_of_its_own(tmp_path):
    one = layout(tmp_path)
    urls = (one.mlflow, one.gateway, one.controller, one.hooks, one.control)
    ports = {int(url.rpartition(":")[2]) for url in urls} | {one.redis_port, one.balancer_port}

    assert len(ports | set(one.agent_ports.values())) == len(urls) + 2 + len(AGENTS)


def test_a_layout_is_read_as_it_was_saved(tmp_path):
    one = layout(tmp_path)
    one.save()

    assert Layout.load(tmp_path) == one


def test_what_an_earlier_run_left_is_not_taken_for_this_ones(tmp_path):
    (tmp_path / "platform.json").write_text("{}")
    layout(tmp_path)

    assert not (tmp_path / "platform.json").exists()


def test_a_long_path_has_its_socket_elsewhere(tmp_path):
    folder = tmp_path / ("long" * 20)
    one = layout(folder)

    assert len(one.balancer_socket) < 100
    Path(one.balancer_socket).parent.rmdir()


def test_a_stand_in_is_named_in_the_first_lines(tmp_path):
    found, notes = commands(layout(tmp_path), stand_ins=True)

    assert set(found) == {"redis-server", "haproxy", "mlflow"}
    assert len(notes) == 3
    assert all("stand-in" in note for note in notes)


def test_both_regions_are_servers_of_the_balancer(tmp_path):
    one = layout(tmp_path)
    text = haproxy_config(one)

    assert f"server eu 127.0.0.1:{one.agent_ports['router-eu']} weight 100" in text
    assert f"server us 127.0.0.1:{one.agent_ports['router-us']} weight 100" in text


def test_graphmind_reads_the_connectors_file(tmp_path):
    one = layout(tmp_path, token="secret")
    path = tmp_path / "connectors.yaml"
    path.write_text(connectors_file(one))
    openers = dict.fromkeys(KINDS, _opens_nothing)
    sections = {s.kind: s for s in read_connectors(path, {VARIABLE: "secret"}, openers)}

    assert "secret" not in path.read_text()
    assert set(sections) == set(KINDS)
    assert all(section.live for section in sections.values())
    assert sections["runtime_controller"].read_as(RuntimeControllerOptions).within == WITHIN
    sections["state_store"].read_as(StateStoreOptions)
    sections["model_registry"].read_as(ModelRegistryOptions)
    sections["gateway"].read_as(GatewayOptions)
    options = sections["haproxy"].read_as(HaproxyOptions)
    assert options.socket == f"unix:{one.balancer_socket}"
