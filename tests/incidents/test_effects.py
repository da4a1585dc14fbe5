import numpy as np

from graphmind.analysis.window import window_from_facts
from graphmind.incidents.effects import Exposure, critical_effects, impact_effects
from tests.incidents.windows import facts

HANGING, OTHERS = 20, 80


def window():
    """A model hangs in 20 of 100 traces; the waiter calls only that model, the guest rarely."""
    traces = [{"trace_id": f"t{n:03}"} for n in range(HANGING + OTHERS)]
    items, symptoms = [], []
    for n, trace in enumerate(traces):
        hangs = n < HANGING
        items.append((trace["trace_id"], "model_version", "m@2" if hangs else "m@1"))
        items.append((trace["trace_id"], "region", "eu"))
        if hangs and n % 2:
            items.append((trace["trace_id"], "agent", "waiter"))
        if n == 0 or not hangs:
            items.append((trace["trace_id"], "agent", "guest"))
        if n in (5, 6, 7, 8, 9) or 20 <= n < 25:
            items.append((trace["trace_id"], "tool", "broken"))
        if hangs or 20 <= n < 25:
            symptoms.append((trace["trace_id"], "error"))
    return facts(traces, items=items, symptoms=symptoms)


def impacts(given):
    made = window_from_facts(given)
    root = [
        (n,)
        for n, item in enumerate(zip(made.item_kinds, made.item_names, strict=True))
        if item == ("model_version", "m@2")
    ]
    return impact_effects(made, Exposure.of(made), np.arange(HANGING), root)


def test_an_agent_that_fails_only_with_the_cause_is_impact():
    named = [
        (effect.kind, effect.name, effect.failing, effect.share) for effect in impacts(window())
    ]

    assert ("agent", "waiter", 10.0, 1.0) in named


def test_the_cause_what_it_rarely_hits_and_what_fails_without_it_are_no_impact():
    named = {effect.name for effect in impacts(window())}

    assert named == {"waiter"}


def test_the_places_where_traces_go_wrong_are_critical_by_how_many_do():
    modules = ["rpc"] * 12 + ["callback"] * 7 + ["rare"]
    given = facts([{"trace_id": f"t{n}", "fault_module": m} for n, m in enumerate(modules)])
    effects = critical_effects(given.traces, frozenset())

    assert [(effect.name, effect.share) for effect in effects] == [("rpc", 0.6), ("callback", 0.35)]
    assert [
        effect.name for effect in critical_effects(given.traces, frozenset({("module", "rpc")}))
    ] == ["callback"]


def test_traces_that_do_not_say_where_they_went_wrong_have_no_critical_failure():
    assert critical_effects(facts(["a", "b"]).traces, frozenset()) == ()
