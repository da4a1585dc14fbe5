"""Route 53 as moto emulates it: weighted records of one name."""

from contextlib import closing

import httpx
import pytest

from graphmind.errors import SettingsError
from graphmind.repair.connector import ConnectorError
from graphmind.repair.connectors import route53 as connector_module
from graphmind.repair.connectors.config import Section
from graphmind.repair.connectors.route53 import open_connector
from graphmind.repair.model import Call
from tests.contracts.connector import HTTP_GARBAGE, SECRET, ConnectorContract, Example, Rig
from tests.live.region_servers import NAME, ZONE, route53

pytestmark = pytest.mark.live

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed (extra `aws`)")

REGIONS = {"eu": ["eu-1", "eu-2"], "us": ["us-1"], "ap": ["ap-1"]}
KEYS = {"access_key_id": "AKIALIVE", "secret_access_key": "live-secret-key"}
WEIGHTS = {"eu-1": 100, "eu-2": 100, "us-1": 100, "ap-1": 0}
FAILING_OVER = Call(action="fail_over", target="us", params={"from": "us", "to": "ap"})


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with route53(tmp_path_factory.mktemp("route53")) as at:
        yield at


@pytest.fixture
def zone(url):
    with closing(Zone(url)) as fresh:
        yield fresh


class Zone:
    """A hosted zone as somebody else uses it."""

    def __init__(self, url):
        httpx.post(f"{url}/moto-api/reset").raise_for_status()
        self.url = url
        self._client = boto3.client(
            "route53",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="other",
            aws_secret_access_key="other",
        )
        created = self._client.create_hosted_zone(Name=ZONE, CallerReference="live")
        self.id = created["HostedZone"]["Id"].rpartition("/")[2]
        self.upsert([record(f"{name}.{ZONE}") for name in ("a", "z")])
        self.weigh(WEIGHTS)

    def weigh(self, weights):
        self.upsert(
            [record(NAME) | {"SetIdentifier": one, "Weight": n} for one, n in weights.items()]
        )

    def upsert(self, records):
        changes = [{"Action": "UPSERT", "ResourceRecordSet": one} for one in records]
        self._client.change_resource_record_sets(
            HostedZoneId=self.id, ChangeBatch={"Changes": changes}
        )

    def state(self):
        pages = self._client.get_paginator("list_resource_record_sets")
        return sorted(
            (one["Name"], one.get("SetIdentifier"), one.get("Weight"), one["TTL"])
            for page in pages.paginate(HostedZoneId=self.id)
            for one in page["ResourceRecordSets"]
        )

    def close(self):
        self._client.close()


def record(name):
    return {"Name": name, "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "10.0.0.1"}]}


def options(zone):
    return {"zone_id": zone.id, "record": NAME, "regions": REGIONS, **KEYS}


class TestContract(ConnectorContract):
    examples = (
        Example(call=Call(action="drain", target="eu")),
        Example(call=Call(action="disable", target="us")),
        Example(call=Call(action="enable", target="ap", params={"weight": 50})),
        Example(call=Call(action="set_weight", target="eu", params={"weight": 25})),
        Example(call=FAILING_OVER),
    )
    unknown_target = Call(action="drain", target="mars"), r"ap, eu, us"

    @pytest.fixture
    def rig(self, zone):
        return Rig(
            opener=open_connector,
            options=options(zone),
            port=int(zone.url.rpartition(":")[2]),
            at=lambda port: {"endpoint_url": f"http://127.0.0.1:{port}"},
            state=zone.state,
            disturb=lambda _call: zone.weigh(dict.fromkeys(WEIGHTS, 7)),
            writes=(b"POST ",),
            credentials={"access_key_id": "AKIAOTHER", "secret_access_key": SECRET},
            garbage=HTTP_GARBAGE,
        )


def opened(zone, **more):
    given = {**options(zone), "endpoint_url": zone.url, **more}
    return closing(open_connector(Section(name="gslb", kind="route53", live=True, options=given)))


def test_only_weights_change_and_the_change_is_named(zone):
    before = zone.state()
    with opened(zone) as connector:
        call = Call(action="drain", target="us")
        planned = connector.plan(call)
        applied = connector.apply(call, before=planned.before, key="k")

    assert set(before) ^ set(zone.state()) == {(NAME, "us-1", 100, 5), (NAME, "us-1", 0, 5)}
    assert applied.facts["change_id"].startswith("/change/")


def test_the_last_region_is_never_taken_out(zone):
    zone.weigh({"eu-1": 0, "eu-2": 0})
    with (
        opened(zone) as connector,
        pytest.raises(ConnectorError, match="would leave nothing that takes traffic"),
    ):
        connector.plan(Call(action="drain", target="us"))


def test_a_weight_over_its_limit_and_a_zone_that_is_not_there_are_told(zone):
    with opened(zone) as connector:
        call = Call(action="set_weight", target="us", params={"weight": 256})
        planned = connector.plan(call)
        with pytest.raises(ConnectorError, match="weights go to 255"):
            connector.apply(call, before=planned.before, key="k")
    with opened(zone, zone_id="ZNOPE") as connector, pytest.raises(ConnectorError, match="ZNOPE"):
        connector.plan(Call(action="drain", target="us"))


def test_without_boto3_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    section = Section(
        name="gslb",
        kind="route53",
        options={"zone_id": "Z1", "record": NAME, "regions": {"eu": ["eu-1"]}},
        where="connectors.yaml:3",
    )

    with pytest.raises(SettingsError, match=r"connectors.yaml:3.*extra `aws`"):
        connector_module.open_connector(section)
