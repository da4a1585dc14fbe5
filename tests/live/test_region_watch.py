"""The region watcher over a real HAProxy: what it proposes as a region fails and recovers."""

from contextlib import closing

import pytest

from graphmind.jobs.repairs.regions import look_at_regions, outlook_of
from graphmind.repair.connectors.config import Section
from graphmind.repair.connectors.haproxy import open_connector
from graphmind.repair.model import Call
from graphmind.repair.states import State
from tests.jobs.repairs.planet import Planet
from tests.live.region_servers import haproxy
from tests.repair.repairs import draft, repair

pytestmark = pytest.mark.live
RETURN_S = 310
"""A region is left alone so long, and a little, before it may come back."""


@pytest.fixture
def planet(tmp_path):
    servers = {"eu1": "127.0.0.1:9", "us1": "127.0.0.1:9"}
    (tmp_path / "haproxy").mkdir()
    with haproxy(tmp_path / "haproxy", {"agents": servers}) as server:
        options = {"socket": server.unix, "regions": {"eu": ["agents/eu1"], "us": ["agents/us1"]}}
        section = Section(name="balancer", kind="haproxy", live=True, options=options)
        planet = Planet(tmp_path / "stores", rate=20)
        with closing(open_connector(section)) as balancer:
            planet.connectors["balancer"] = balancer
            planet.live(60, step=20)
            yield planet
        planet.close()


def looked(planet: Planet):
    found = look_at_regions(planet.desk)
    assert found is not None
    return {each["region"]: each for each in found["regions"]}, found["proposals"]


def test_a_region_is_drained_and_brought_back_as_it_fares(planet):
    regions, proposals = looked(planet)
    assert {each["health"] for each in regions.values()} == {"healthy"}
    assert not proposals

    planet.lost = frozenset({"eu"})
    planet.live(20, step=4)
    regions, (drain,) = looked(planet)
    assert (regions["eu"]["health"], regions["us"]["health"]) == ("sick", "healthy")
    assert (drain["action"], drain["region"], drain["share"]) == ("drain", "eu", 0.0)
    assert "of eu fail" in drain["reasons"][0]

    carried_out(planet, Call(action="drain", target="eu"))
    planet.lost = frozenset()
    planet.live(RETURN_S, step=10)
    regions, (back,) = looked(planet)
    assert regions["eu"]["share"] == 0
    assert (back["action"], back["region"], back["share"]) == ("enable", "eu", 0.1)
    assert [each.draft.body["action"] for each in audited(planet)] == ["drain", "enable"]


def test_what_is_proposed_again_is_audited_once(planet):
    planet.lost = frozenset({"eu"})
    planet.live(20, step=4)
    for _ in range(3):
        assert looked(planet)[1]

    assert len(audited(planet)) == 1
    kept = outlook_of(planet.archive)
    assert kept is not None
    assert kept["at_ms"] == planet.ms


def test_a_region_in_maintenance_or_of_no_router_is_left_alone(planet):
    planet.connectors["balancer"]._routes._admin.ask("set server agents/eu1 state maint")
    regions, proposals = looked(planet)
    assert set(regions) == {"us"}
    assert not proposals

    planet.connectors.pop("balancer")
    assert look_at_regions(planet.desk) is None


def audited(planet: Planet):
    return [each for each in planet.desk.entries() if each.draft.what == "region_proposal"]


def carried_out(planet: Planet, call: Call) -> None:
    """Do what was proposed, as a repair that the policy asked for."""
    balancer = planet.connectors["balancer"]
    balancer.apply(call, before=balancer.plan(call).before, key="k")
    done = repair(
        target=f"region:{call.target}", level="region", state=State.SUCCEEDED, executed_ms=planet.ms
    )
    planet.desk.journal.create(done, draft(done, "propose"))
