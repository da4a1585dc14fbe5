"""The Runtime Controller's connector keeps the contract, against a server that keeps its API."""

import pytest

from graphmind.repair.connector import ConnectorError, Effect, OutcomeUnknown, StateChanged
from graphmind.repair.connectors.runtime_controller import open_connector
from graphmind.repair.model import Call
from tests.contracts.connector import SECRET, ConnectorContract, Example, Rig
from tests.repair.connectors.http_serving import serving
from tests.repair.connectors.runtime_server import LOST, TOKEN, TRACE, RuntimeServer

ANALYSTS = "class:analyst"


def call(action, target, **params):
    return Call(action=action, target=target, params=params)


@pytest.fixture
def server():
    return RuntimeServer()


@pytest.fixture
def rig(server):
    with serving(server.answer) as port:
        yield Rig(
            opener=open_connector,
            options={"token": TOKEN, "within": {"InferenceRPC": "ModelExecutor"}},
            port=port,
            at=lambda port: {"url": f"http://127.0.0.1:{port}"},
            state=server.state,
            disturb=lambda call: disturb(server, call),
            writes=[b"POST "],
            credentials={"token": SECRET},
            checks_credentials=True,
            timeout_s=0.5,
        )


def disturb(server, call):
    """Bring the target where the call neither found it nor would bring it."""
    if call.target == TRACE:
        known = server.traces[TRACE]
        known["continued_as"].insert(0, "by-somebody")
        known["steps"][1] |= {"state": "running", "span_id": "s9"}
        known["steps"][1]["snapshot"] = not known["steps"][1]["snapshot"]
        return
    for known in server.agents.values():
        if call.target in (known["name"], f"class:{known['class']}"):
            known |= {"status": "degraded", "degraded_to": "somebody's choice"}
            known["generation"] += 1


class TestRuntimeController(ConnectorContract):
    examples = (
        Example(call=call("degrade", "router-eu", to="rule_engine_v2")),
        Example(call=call("disable", "analyst-eu-2")),
        Example(call=call("enable", "analyst-eu-2")),
        Example(call=call("degrade", ANALYSTS, to="planner@2")),
        Example(call=call("restart", "analyst-eu-2"), exact=False),
        Example(call=call("restart", ANALYSTS), exact=False),
        Example(call=call("reset_model_context", "planner"), exact=False, guarded=False),
        Example(call=call("reset_span", TRACE, step="InferenceRPC"), exact=False),
        Example(call=call("skip_step", TRACE, step="ModelExecutor"), exact=False),
        Example(call=call("revert_state", TRACE, step="ModelExecutor"), exact=False, guarded=False),
        Example(call=call("mark_trace", TRACE, tag="fallback"), exact=False, guarded=False),
        Example(call=call("log_recovery", "bulk", message="ok"), exact=False, guarded=False),
        Example(call=call("notify", "on-call"), exact=False, guarded=False),
    )
    unknown_target = (call("restart", "nobody"), "analyst-eu-1.*class:router")


class TestGoingOn(ConnectorContract):
    """What makes a trace go on: that it went on by somebody else is not told from by us."""

    examples = (
        Example(call=call("reinvoke", TRACE, step="ModelExecutor"), exact=False),
        Example(call=call("redispatch", TRACE), exact=False),
        Example(call=call("rebuild_trace", TRACE), exact=False),
    )
    unknown_target = (call("redispatch", "no-trace"), "knows no trace")


@pytest.fixture
def controller(rig):
    with rig.opened() as connector:
        yield connector


def test_a_restart_says_what_would_be_lost(controller):
    lossy = controller.plan(call("restart", "analyst-eu-1"))
    hot = controller.plan(call("restart", "router-eu"))

    assert lossy.preconditions == ("nothing in analyst-eu-1 is worth keeping: 3 tasks are in work",)
    assert hot.preconditions == ()
    assert "running with 3 tasks in work" in hot.summary


def test_a_class_is_changed_whole_or_not_at_all(controller, server):
    disable = call("disable", "class:mule")
    planned = controller.plan(disable)
    with pytest.raises(ConnectorError, match="taken back for meek"):
        controller.apply(disable, before=planned.before, key="k")

    assert {name: server.agents[name]["status"] for name in ("meek", "stubborn")} == {
        "meek": "running",
        "stubborn": "running",
    }
    seen = controller.verify(disable, before=planned.before, key="k")
    assert seen.effect is Effect.NOT_APPLIED


def test_an_agent_that_joins_its_class_stops_the_step(controller, server):
    disable = call("disable", ANALYSTS)
    planned = controller.plan(disable)
    server.agents["analyst-us-1"] = {**server.agents["analyst-eu-1"], "name": "analyst-us-1"}
    with pytest.raises(StateChanged, match="analyst-us-1"):
        controller.apply(disable, before=planned.before, key="k")


def test_many_traces_are_acted_on_at_once_and_a_refused_one_stops_no_other(controller, server):
    again = call("redispatch", "cluster-1", traces=[TRACE, LOST, "long-gone"])
    planned = controller.plan(again)
    controller.apply(call("redispatch", LOST), before={LOST: planned.before[LOST]}, key="other")
    server.traces[LOST]["continued_as"].clear()
    server.traces[LOST]["state"] = "refuses"
    server.act = refusing(server.act, LOST)
    applied = controller.apply(again, before=planned.before, key="k")
    seen = controller.verify(again, before=planned.before, key="k")

    assert "2 traces (1 more are not on record any more)" in planned.summary
    assert applied.facts == {"done": "1", "refused": "1"}
    assert "not you" in applied.detail
    assert seen.effect is Effect.APPLIED
    assert server.traces[TRACE]["continued_as"] == [f"{TRACE}-again"]


def test_of_many_traces_one_that_went_on_by_itself_stops_no_other(controller, server):
    again = call("redispatch", "cluster-1", traces=[TRACE, LOST])
    before = controller.plan(again).before
    server.traces[LOST]["continued_as"].append("by-itself")
    applied = controller.apply(again, before=before, key="k")

    assert applied.facts == {"done": "1", "refused": "0"}
    assert server.traces[LOST]["continued_as"] == ["by-itself"]
    assert controller.verify(again, before=before, key="k").effect is Effect.APPLIED

    server.traces[TRACE]["continued_as"].clear()
    del server.traces[TRACE], server.traces[LOST]
    with pytest.raises(StateChanged):
        controller.apply(again, before=before, key="other")


@pytest.mark.parametrize("many", [{}, {"traces": [TRACE, LOST]}])
def test_a_trace_that_was_dispatched_again_before_is_done(controller, server, many):
    server.traces[TRACE]["continued_as"].append("earlier")
    again = call("redispatch", TRACE, **many)
    before = controller.plan(again).before
    for _ in range(2):
        controller.apply(again, before=before, key="k")

    assert server.traces[TRACE]["continued_as"] == ["earlier"]
    assert controller.verify(again, before=before, key="k").effect is Effect.APPLIED


def test_undoing_a_skip_resets_the_step(controller, server):
    skip = call("skip_step", "cluster-1", step="ModelExecutor", traces=[TRACE, LOST])
    planned = controller.plan(skip)
    controller.apply(skip, before=planned.before, key="k")
    controller.undo(planned.undo, before=planned.before, key="k:undo")

    assert [server.traces[name]["steps"][1]["state"] for name in (TRACE, LOST)] == ["reset"] * 2


def test_what_cannot_be_brought_back_has_no_inverse(controller):
    again = call("redispatch", TRACE)
    planned = controller.plan(again)
    with pytest.raises(ConnectorError, match="has no inverse: the new trace stays"):
        controller.undo(again, before=planned.before, key="k:undo")

    assert planned.undo is None


def refusing(act, name):
    from tests.repair.connectors.runtime_server import Refused

    def refuse(action, target, params):
        if target == name:
            raise Refused("not you")
        act(action, target, params)

    return refuse


def test_a_command_that_failed_is_given_again_under_another_id(controller, server):
    disable = call("disable", "router-eu")
    before = controller.plan(disable).before
    act, server.act = server.act, refusing(server.act, "router-eu")
    with pytest.raises(ConnectorError, match="refuses disable router-eu: not you"):
        controller.apply(disable, before=before, key="k")
    server.act = act
    controller.apply(disable, before=before, key="k")

    assert [one["command_id"] for one in server.given] == ["k:router-eu", "k:router-eu.2"]
    assert server.agents["router-eu"]["status"] == "disabled"


@pytest.mark.parametrize(("action", "params"), [("disable", {}), ("restart", {})])
def test_a_controller_that_lies_about_success_is_not_believed(controller, server, action, params):
    server.lies = True
    wanted = call(action, "router-eu", **params)
    before = controller.plan(wanted).before
    controller.apply(wanted, before=before, key="k")
    seen = controller.verify(wanted, before=before, key="k")
    with pytest.raises(ConnectorError, match=r"says .* is done, but"):
        controller.apply(wanted, before=before, key="k")

    assert seen.effect is Effect.NOT_APPLIED
    assert "the command is done" in seen.detail


def test_what_is_in_work_is_asked_for_again(controller, server):
    restart = call("restart", "router-eu")
    before = controller.plan(restart).before
    server.in_work.add("k:router-eu")
    with pytest.raises(OutcomeUnknown, match="in work") as refused:
        controller.apply(restart, before=before, key="k")
    assert refused.value.retry_after_s == 1.0

    server.agents["router-eu"] |= {"status": "restarting", "generation": 2}
    with pytest.raises(OutcomeUnknown, match="restarting"):
        controller.verify(restart, before=before, key="k")


def test_undoing_a_restart_degrades_again_what_was_degraded(controller, server):
    restart = call("restart", "analyst-eu-2")
    planned = controller.plan(restart)
    controller.apply(restart, before=planned.before, key="k")
    server.agents["analyst-eu-2"] |= {"status": "running", "degraded_to": None}
    controller.undo(planned.undo, before=planned.before, key="k-undo")

    assert server.agents["analyst-eu-2"]["degraded_to"] == "rule_engine_v2"


def test_a_step_that_did_not_begin_is_told_with_those_that_did(controller):
    with pytest.raises(ConnectorError, match=r"no step 'Webhook'\. Known: ModelExecutor, TaskPre"):
        controller.plan(call("skip_step", TRACE, step="Webhook"))


def test_steps_on_one_trace_planned_together_do_not_stop_each_other(controller, server):
    reset, again = (call(a, TRACE, step="ModelExecutor") for a in ("reset_span", "reinvoke"))
    mark = call("mark_trace", TRACE, tag="recovered")
    befores = [controller.plan(one).before for one in (reset, again, mark)]
    for number, (one, before) in enumerate(zip((reset, again, mark), befores, strict=True)):
        controller.apply(one, before=before, key=f"k-{number}")

    assert server.traces[TRACE]["marks"] == ["recovered"]
    assert server.traces[TRACE]["steps"][1]["recovery"]
