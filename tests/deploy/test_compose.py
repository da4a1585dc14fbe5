"""The compose file against its published schema, and what it must hold besides."""

import json
import os
import re
import stat
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from graphmind.settings import PREFIX, Settings
from tests.deploy.composed import ROOT, Missing, compose, first_start

SCHEMA = json.loads((Path(__file__).parent / "vendor" / "compose-spec.json").read_text("utf-8"))
SERVICES = compose()["services"]
PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"


def test_the_file_keeps_the_published_schema():
    wrong = Draft202012Validator(SCHEMA, format_checker=FormatChecker()).iter_errors(compose())

    assert [f"{list(each.absolute_path)}: {each.message}" for each in wrong] == []


def test_the_schema_is_one_that_refuses():
    broken = compose() | {"services": {"neo4j": {"image": 5, "portz": []}}}

    assert not Draft202012Validator(SCHEMA).is_valid(broken)


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_bound_to_loopback(name: str):
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith("127.0.0.1:"), f"{name} publishes {port}"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"key"}))
def test_every_server_tells_whether_it_is_well_and_keeps_its_state_in_a_volume(name: str):
    service, volumes = SERVICES[name], compose()["volumes"]
    mounted = [volume.split(":")[0] for volume in service["volumes"]]

    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert set(mounted) & set(volumes)


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_from_the_checkout_is_there_and_read_only(name: str):
    for volume in SERVICES[name]["volumes"]:
        source, *rest = volume.split(":")
        if source.startswith("."):
            assert (ROOT / source).is_dir()
            assert rest[-1] == "ro"
        else:
            assert source in compose()["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_and_what_is_waited_for_exists(name: str):
    service = SERVICES[name]
    tag = service["image"].partition(":")[2]

    assert tag not in ("", "latest")
    assert set(service.get("depends_on", {})) <= set(SERVICES)


def test_it_does_not_start_without_passwords_and_says_what_to_do():
    with pytest.raises(Missing, match=r"NEO4J_PASSWORD: run deploy/first-start\.sh first"):
        compose({})


def test_the_first_start_writes_random_passwords_that_only_the_owner_reads(tmp_path: Path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()

    one, other = first_start(first), first_start(second)
    again = first_start(first)

    assert stat.S_IMODE((first / ".env").stat().st_mode) == 0o600
    assert set(one) == {"NEO4J_PASSWORD", "GRAFANA_PASSWORD", "OTLP_TOKEN"}
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", value) for value in one.values())
    assert not set(one.values()) & set(other.values())
    assert again == one
    assert compose(one)["services"]["neo4j"]["environment"]["NEO4J_AUTH"] == (
        f"neo4j/{one['NEO4J_PASSWORD']}"
    )


def test_no_secret_stands_in_the_checkout():
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    secrets = re.findall(r"(?:PASSWORD|TOKEN|AUTH): (.*)", text)

    assert secrets
    assert all(":?run deploy/first-start.sh first}" in secret for secret in secrets)
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert ".env" in ignored


def test_graphmind_is_given_settings_that_it_has():
    known = {PREFIX + field.name.upper() for field in fields(Settings)}
    given = {name for name in SERVICES["graphmind"]["environment"] if name.startswith(PREFIX)}

    assert given <= known
    environment = compose(
        {"NEO4J_PASSWORD": "n" * 32, "OTLP_TOKEN": "o" * 32, "GRAFANA_PASSWORD": "g" * 32}
    )["services"]["graphmind"]["environment"]
    assert Settings.from_environment(environment).neo4j_password == "n" * 32


def provisioned(path: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((PROVISIONING / path).read_text("utf-8"))
    return read


def test_grafana_gets_the_sources_that_the_dashboards_name():
    sources = provisioned("datasources/graphmind.yaml")["datasources"]
    environment = SERVICES["grafana"]["environment"]

    assert {source["uid"]: source["type"] for source in sources} == {
        "graphmind-api": "yesoreyeram-infinity-datasource",
        "graphmind-prometheus": "prometheus",
    }
    infinity = sources[0]
    assert infinity["jsonData"]["auth_method"] == "bearerToken"
    assert infinity["jsonData"]["allowedHosts"] == [infinity["url"]]
    assert infinity["secureJsonData"] == {"bearerToken": "$GRAPHMIND_KEY"}
    used = set(re.findall(r"\$([A-Z_]+)", json.dumps(sources))) - {"GRAPHMIND_KEY"}
    assert used <= set(environment)
    assert "GRAPHMIND_KEY=$$(cat /keys/grafana)" in SERVICES["grafana"]["entrypoint"][-1]
    assert environment["GF_PLUGINS_PREINSTALL_SYNC"].startswith(infinity["type"] + "@")


def test_grafana_reads_the_dashboards_where_they_are_mounted():
    (provider,) = provisioned("dashboards/graphmind.yaml")["providers"]
    folder = provider["options"]["path"]
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])

    assert mounts["./deploy/grafana/dashboards"] == folder
    assert (ROOT / "deploy/grafana/dashboards" / home.name).is_file()
    assert str(home.parent) == folder
    assert provider["allowUiUpdates"] is False


def test_scripts_of_the_image_are_there_and_run():
    wanted = re.findall(r"deploy/([\w-]+\.(?:sh|py))", (ROOT / "deploy/Dockerfile").read_text())

    assert set(wanted) == {"make-key.sh", "is_ready.py"}
    for name in wanted:
        assert os.access(ROOT / "deploy" / name, os.X_OK)
    refused = subprocess.run(
        [ROOT / "deploy" / "is_ready.py", "http://127.0.0.1:1/readyz"], check=False
    )
    assert refused.returncode == 1
