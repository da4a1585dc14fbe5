"""The gateway's connector keeps the contract in both styles, over real HTTP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.errors import SettingsError
from graphmind.repair.connector import ConnectorError, Effect, OutcomeUnknown
from graphmind.repair.connectors.config import Section
from graphmind.repair.connectors.gateway_styles import Deployment
from graphmind.repair.connectors.model_gateway import _shares, open_connector
from graphmind.repair.model import Call
from tests.contracts.connector import SECRET, ConnectorContract, Example, Rig
from tests.repair.connectors.gateway_servers import TOKEN, LiteLlmServer, RoutesServer
from tests.repair.connectors.http_serving import serving


def call(action, target, **params):
    return Call(action=action, target=target, params=params)


def rig_of(server, port, style, writes, disturb):
    return Rig(
        opener=open_connector,
        options={"token": TOKEN, "style": style, "models": {"the planner": "planner"}},
        port=port,
        at=lambda port: {"url": f"http://127.0.0.1:{port}"},
        state=server.state,
        disturb=disturb,
        writes=writes,
        credentials={"token": SECRET},
        checks_credentials=True,
        timeout_s=0.5,
    )


class TestRoutes(ConnectorContract):
    examples = (
        Example(call=call("set_traffic_share", "planner", shares={"2": 0.5, "3": 0.5})),
        Example(call=call("set_traffic_share", "the planner", version="1", share=0)),
        Example(call=call("set_traffic_share", "planner", version="3", share=0.1)),
    )
    unknown_target = (
        call("set_traffic_share", "drafter", version="1", share=1),
        "expected one of planner",
    )

    @pytest.fixture
    def rig(self):
        server = RoutesServer()

        def disturb(_call):
            server.shares["planner"] = {"1": 0.4, "2": 0.4, "3": 0.2}

        with serving(server.answer) as port:
            yield rig_of(server, port, "routes", [b"PUT "], disturb)


class TestLiteLlm(ConnectorContract):
    examples = (
        Example(call=call("set_traffic_share", "planner", version="3.1.7", share=0), atomic=False),
        Example(call=call("block", "planner@3.1.7")),
        Example(call=call("block", "the planner", version="3.1.7")),
    )
    unknown_target = (call("block", "drafter"), "Known: critic, planner")

    @pytest.fixture
    def server(self):
        return LiteLlmServer()

    @pytest.fixture
    def rig(self, server):
        def disturb(_call):
            server.by_id("d3")["litellm_params"]["weight"] = 77

        writes = [b"PATCH ", b"POST "]
        with serving(server.answer) as port:
            yield rig_of(server, port, "litellm", writes, disturb)

    def test_weights_that_were_never_set_are_taken_away_again(self, rig, connector):
        share = call("set_traffic_share", "critic", shares={"1": 1, "2": 0})
        state = rig.state()
        planned = connector.plan(share)
        connector.apply(share, before=planned.before, key="k")
        shared = rig.state()
        connector.undo(planned.undo, before=planned.before, key="k-undo")

        assert [one["litellm_params"].get("weight") for one in shared[3:]] == [1000, 0]
        assert rig.state() == state

    def test_deployments_of_one_version_share_what_it_gets(self, rig, connector):
        share = call("set_traffic_share", "planner", version="3.1.7", share=0.5)
        connector.apply(share, before=connector.plan(share).before, key="k")

        assert [one["litellm_params"]["weight"] for one in rig.state()[:3]] == [250, 250, 500]

    def test_what_is_refused_midway_is_taken_back(self, rig, connector, server):
        share = call("set_traffic_share", "planner", version="3.1.7", share=0)
        state = rig.state()
        server.refuses = "d3"
        before = connector.plan(share).before
        with pytest.raises(ConnectorError, match="404") as refused:
            connector.apply(share, before=before, key="k")

        assert not isinstance(refused.value, OutcomeUnknown)
        assert rig.state() == state

    def test_what_is_half_done_is_told_and_ended(self, connector, server):
        share = call("set_traffic_share", "planner", version="3.1.7", share=0)
        before = connector.plan(share).before
        server.by_id("d3")["litellm_params"]["weight"] = 0
        seen = connector.verify(share, before=before, key="k")
        connector.apply(share, before=before, key="k")
        done = connector.verify(share, before=before, key="k")

        assert (seen.effect, done.effect) == (Effect.NOT_APPLIED, Effect.APPLIED)
        assert "half done: 1" in seen.detail

    def test_weights_are_not_set_where_the_router_does_not_look(self, connector, server):
        server.strategy = "least-busy"
        with pytest.raises(ConnectorError, match=r"routing_strategy simple-shuffle.*least-busy"):
            connector.plan(call("set_traffic_share", "planner", version="3.1.7", share=0))

    def test_deployments_of_its_file_cannot_be_changed(self, connector, server):
        server.by_id("d2")["model_info"]["db_model"] = False
        with pytest.raises(ConnectorError, match="d2 stands in its configuration file"):
            connector.plan(call("block", "planner"))

    def test_the_last_version_is_not_blocked(self, connector):
        with pytest.raises(ConnectorError, match="would leave no version that answers"):
            connector.plan(call("block", "planner"))


def test_shares_that_do_not_add_up_are_refused():
    wrong = call("set_traffic_share", "planner", shares={"1": 0.5, "2": 0.4})
    with pytest.raises(ConnectorError, match=r"add up to 1, got 0\.9"):
        _shares(wrong, {})


def test_an_unknown_style_is_refused():
    section = Section(name="g", kind="gateway", options={"url": "http://g", "style": "envoy"})
    with pytest.raises(SettingsError, match="`style`: Input should be 'routes' or 'litellm'"):
        open_connector(section)


@given(
    weights=st.lists(st.floats(0.01, 1), min_size=1, max_size=5),
    share=st.floats(0, 1),
)
def test_the_others_keep_their_proportions(weights, share):
    now = {str(n): Deployment(version=str(n), weight=weight) for n, weight in enumerate(weights)}
    shares = _shares(call("set_traffic_share", "m", version="new", share=share), now)

    assert sum(shares.values()) == pytest.approx(1)
    assert shares["new"] == share
    for name, one in now.items():
        assert shares[name] == pytest.approx((1 - share) * one.weight / sum(weights))
