from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.repair.alternatives import Alternatives
from graphmind.repair.connector import ConnectorError
from graphmind.repair.model import Call
from graphmind.repair.planner import PlanRefused, draft, make_plan, render
from tests.incidents.windows import incident
from tests.repair.levers import Levers, everything, strategy
from tests.repair.repairs import IMPACT

KNOWN = Alternatives(model_version="planner@2", region="us")
BLAMED = incident(("model_version", "planner@3")).document()
NOW_MS = 1_000


def action(name, target="{model}", **more):
    return {"action": name, "target": target, **more}


def drafted(*actions, connectors=None, found=BLAMED, known=KNOWN):
    named = strategy(actions=list(actions))
    return draft(named, found, known, connectors or {"levers": everything()})


def planned(*actions, connectors=None, found=BLAMED, impact=IMPACT):
    named = strategy(actions=list(actions), ttl_s=300)
    connectors = connectors or {"levers": everything()}
    plan = make_plan(named, found, KNOWN, impact, connectors, now_ms=NOW_MS)
    return plan, render(plan, connectors)


def calls(found):
    return [(each.call.action, each.call.target, dict(each.call.params)) for each in found.calls]


def test_names_are_put_in():
    found = drafted(
        action("switch_model_version", params={"version": "{to_version}", "n": 3}),
        action("notify", "{cluster}", params={"text": "{model_version} -> {to_model_version}"}),
    )

    assert calls(found) == [
        ("switch_model_version", "planner", {"version": "2", "n": 3}),
        ("notify", "CLUSTER_ERROR_X", {"text": "planner@3 -> planner@2"}),
    ]
    assert [each.level for each in found.calls] == ["model", "trace"]


def test_a_name_without_a_value_takes_its_stand_in():
    switch = action("switch_model_version", params={"version": "{to_version|rule_engine_v2}"})

    found = drafted(switch, known=Alternatives())

    assert calls(found)[0][2] == {"version": "rule_engine_v2"}


def test_a_name_with_several_values_makes_a_step_of_each_and_a_list_one_step():
    keys = incident(("written_by_agent", "a"), written=["k1", "k2"]).document()

    found = drafted(
        action("quarantine_key", "{key}"),
        action("redispatch", "{cluster}", params={"traces": "{traces}"}),
        found=keys,
    )

    assert calls(found) == [
        ("quarantine_key", "k1", {}),
        ("quarantine_key", "k2", {}),
        ("redispatch", "CLUSTER_ERROR_X", {"traces": ["t1", "t2"]}),
    ]


def test_causes_of_one_kind_are_one_group():
    one, other = incident(("agent", "b")).causes, incident(("agent", "a")).causes
    region = incident(("region", "eu")).causes
    grouped = replace(incident(), causes=one + other + region).document()

    assert [
        target for _, target, _ in calls(drafted(action("restart", "{agent}"), found=grouped))
    ] == [
        "b",
        "a",
    ]


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (action("drain", "{region}"), r"switch_back: drain needs \{region\}, region that is the"),
        (action("fly"), "no connector offers fly; looked at: levers"),
        (action("restart", connector="k8s"), r"needs the connector k8s; configured: levers \(lev"),
        (action("restart", "{agent}"), r"restart needs \{agent\}"),
        (action("notify", "{key}{trace}"), r"uses \{key\} and \{trace\}, which both stand for"),
    ],
)
def test_what_cannot_be_planned_is_refused_and_what_is_optional_left_out(refused, message):
    found = {**BLAMED, "reach": {**BLAMED["reach"], "written_keys": ("k1", "k2")}}
    with pytest.raises(PlanRefused, match=message):
        drafted(refused, found=found)

    left = drafted(refused | {"optional": True}, action("switch_model_version"), found=found)
    assert len(left.calls) == 1
    assert left.warnings[0].startswith("left out: ")


def test_a_strategy_of_which_nothing_is_left_is_refused():
    with pytest.raises(
        PlanRefused, match="nothing is left to do: left out: no connector offers fly"
    ):
        drafted(action("fly", optional=True))


def test_parameters_that_the_connector_does_not_take_are_refused():
    wants = {"type": "object", "properties": {"version": {"type": "integer"}}}
    levers = Levers("switch_model_version", schemas={"switch_model_version": wants})
    switch = action("switch_model_version", params={"version": "{to_version}"})

    with pytest.raises(PlanRefused, match="by levers: version: '2' is not of type 'integer'"):
        drafted(switch, connectors={"levers": levers})


def test_the_connector_is_found_by_name_by_kind_or_by_what_it_offers():
    both = {"one": Levers("drain", kind="dns"), "two": Levers("drain", "restart", kind="proxy")}

    def chosen(**more):
        return drafted(action("drain", "eu", **more), connectors=both).calls[0].connector

    assert chosen(connector="one") == "one"
    assert chosen(connector="proxy") == "two"
    assert drafted(action("restart", "a"), connectors=both).calls[0].connector == "two"
    with pytest.raises(PlanRefused, match="offered by one, two: name one as `connector`"):
        chosen()
    with pytest.raises(PlanRefused, match="no connector offers restart; looked at: one"):
        drafted(action("restart", "a", connector="one"), connectors=both)


def test_of_several_that_offer_it_the_one_at_its_usual_level_is_taken():
    both = {"regions": Levers("disable", levels={"disable": "region"}), "agents": Levers("disable")}

    assert drafted(action("disable", "a"), connectors=both).calls[0].connector == "agents"
    named = drafted(action("disable", "eu", connector="regions"), connectors=both).calls[0]
    assert (named.connector, named.level) == ("regions", "region")


def test_of_several_that_offer_it_the_one_that_is_live_is_taken():
    both = {"one": Levers("drain", live=False), "two": Levers("drain")}

    assert drafted(action("drain", "eu"), connectors=both).calls[0].connector == "two"


def test_too_many_keys_are_refused_and_of_too_many_traces_the_first_are_taken():
    many = incident(("written_by_agent", "a"), written=[f"k{n}" for n in range(21)]).document()
    with pytest.raises(PlanRefused, match=r"act on 21 of \{key\}, and at most 20"):
        drafted(action("quarantine_key", "{key}"), found=many)

    crowd = {**BLAMED, "trace_ids": [f"t{n}" for n in range(201)]}
    found = drafted(action("redispatch", "c", params={"traces": "{traces}"}), found=crowd)
    assert len(calls(found)[0][2]["traces"]) == 200
    assert found.warnings == ("redispatch: the first 200 of 201 traces",)
    assert len(drafted(action("redispatch", "{trace}"), found=crowd).calls) == 20


def test_a_plan_holds_what_the_connectors_read():
    plan, _ = planned(action("switch_model_version"), action("restart", "a"))

    assert [(step.number, step.level, step.connector) for step in plan.steps] == [
        (1, "model", "levers"),
        (2, "agent", "levers"),
    ]
    assert plan.steps[0].before == {"state": "old"}
    assert plan.steps[0].undo == Call(action="switch_model_version", target="planner")
    assert plan.steps[1].undo is None
    assert (plan.made_ms, plan.expires_ms) == (NOW_MS, NOW_MS + 300_000)
    assert plan.warnings == ()


def test_a_plan_warns_of_what_people_should_know():
    lost = replace(IMPACT, context_lost=("checkout",), traces=0)
    levers = Levers("explode", live=False)

    plan, _ = planned(action("explode"), connectors={"levers": levers}, impact=lost)

    assert plan.warnings == (
        "step 1, explode planner, has no inverse: it stays so",
        "connector levers only plans: its live mode is switched off",
        "the context of running work is lost: checkout",
        "no trace is known that this touches: what it hits is not known",
    )


def test_a_target_that_the_system_does_not_know_is_named_or_left_out_where_it_may_be():
    levers = {"levers": Levers("restart", "drain", unknown=["ghost"])}
    with pytest.raises(ConnectorError, match="step 1, restart ghost by levers: knows no ghost"):
        planned(action("restart", "ghost"), connectors=levers)

    plan, _ = planned(
        action("restart", "ghost", optional=True), action("drain", "eu"), connectors=levers
    )
    assert [(step.number, step.call.action) for step in plan.steps] == [(1, "drain")]
    assert plan.warnings == ("left out: step 1, restart ghost by levers: knows no ghost",)


def test_planning_changes_nothing():
    levers = everything()

    planned(action("switch_model_version"), connectors={"levers": levers})

    assert levers.applied == []


def test_what_would_happen_is_told_exactly():
    plan, text = planned(
        action("switch_model_version", params={"version": "{to_version}"}),
        action("restart", "a"),
        impact=replace(IMPACT, hot_restart=False, regions=("eu", "us")),
    )

    assert (
        text
        == f"""\
plan {plan.plan_hash[:12]}: 2 steps
  1. [model] switch_model_version planner
     call: switch_model_version planner {{"version":"2"}}
     by: levers, http://here
     before: {{"state":"old"}}
     undo: switch_model_version planner {{}}
  2. [agent] restart a
     call: restart a {{}}
     by: levers, http://here
     before: {{"state":"old"}}
     undo: nothing to undo: it stays so
  hits: 3 traces (25.0% of the traffic), 1 of them under way, 2 with a snapshot
  hits: 1 tasks: checkout
  hits: 1 agents: shop/router
  hits: 2 regions: eu, us
  hits: agents restart cold
  hits: expected gain: 12.5 failing traces an hour fewer
  holds for 300 s"""
    )


def test_many_steps_alike_are_told_by_their_targets():
    found = {**BLAMED, "trace_ids": [f"t{n}" for n in range(6)]}

    _, text = planned(action("reset_span", "{trace}", params={"step": "x"}), found=found)

    assert "  4-6. reset_span by levers: t3, t4, t5" in text
    assert text.count("call: ") == 3


def test_the_hash_is_of_the_steps_not_of_time_or_impact():
    plan, _ = planned(action("switch_model_version"))
    later = replace(
        plan, made_ms=5, expires_ms=6, impact=replace(IMPACT, traces=9), warnings=("w",)
    )
    step = plan.steps[0]

    assert later.plan_hash == plan.plan_hash
    for changed in (
        replace(step, before={"state": "new"}),
        replace(step, call=replace(step.call, target="critic")),
        replace(step, call=replace(step.call, params={"version": "1"})),
        replace(step, connector="other"),
    ):
        assert replace(plan, steps=(changed,)).plan_hash != plan.plan_hash


@given(st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=4))
def test_the_hash_does_not_depend_on_the_order_of_names(before):
    before = {name: str(value) for name, value in before.items()}
    plan, _ = planned(action("switch_model_version"))
    one, other = (
        replace(plan, steps=(replace(plan.steps[0], before=dict(pairs)),))
        for pairs in (before.items(), reversed(before.items()))
    )

    assert one.plan_hash == other.plan_hash


def test_what_no_connector_offers_is_told_to_one_that_takes_anything():
    hook = Levers("*", kind="webhook", levels={"*": "trace"})
    both = {"hook": hook, "proxy": Levers("drain")}

    told = drafted(action("drain", "eu"), action("restart", "a"), connectors=both).calls

    assert [(each.connector, each.level) for each in told] == [
        ("proxy", "region"),
        ("hook", "agent"),
    ]
