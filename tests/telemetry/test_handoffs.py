"""Hand-offs between agents: stated, from the tree, and over links."""

from tests.builders import Row, assembled, span


def by(span_id: str, agent: str | None, **fields) -> Row:
    return span(span_id, attributes={"gen_ai.agent.name": agent} if agent else {}, **fields)


def handoffs(*rows: Row) -> dict[str, tuple[str | None, str | None]]:
    return {
        row["span_id"]: (row["handoff_from"], row["handoff_to"])
        for row in assembled(rows).to_pylist()
        if row["handoff_from"] or row["handoff_to"]
    }


def test_an_agents_span_under_another_agents_is_a_handoff():
    rows = [
        by("root", "router"),
        by("step", None, parent="root"),
        by("plan", "planner", parent="step"),
        by("chat", None, parent="plan"),
    ]

    assert handoffs(*rows) == {"plan": ("router", "planner")}


def test_within_one_agent_nothing_is_handed_off():
    assert handoffs(by("root", "router"), by("step", "router", parent="root")) == {}


def test_a_service_that_names_no_agent_hands_nothing_off():
    assert handoffs(span("root", service="shop"), by("plan", "planner", parent="root")) == {}


def test_a_link_to_another_agents_span_is_a_handoff():
    link = [{"trace_id": "t", "span_id": "done"}]
    rows = [by("done", "planner", trace="t"), by("go", "worker", trace="u", links=link)]

    assert handoffs(*rows) == {"go": ("planner", "worker")}


def test_the_parent_speaks_before_a_link():
    link = [{"trace_id": "t", "span_id": "done"}]
    rows = [
        by("done", "planner", trace="t"),
        by("root", "router", trace="u"),
        by("go", "worker", trace="u", parent="root", links=link),
    ]

    assert handoffs(*rows) == {"go": ("router", "worker")}


def test_a_link_to_a_span_that_never_came_is_no_handoff():
    assert handoffs(by("go", "worker", links=[{"trace_id": "x", "span_id": "y"}])) == {}


def test_a_stated_handoff_is_believed():
    stated = {
        "gen_ai.agent.name": "worker",
        "gen_ai.handoff.from_agent": "clerk",
        "gen_ai.handoff.to_agent": "worker",
    }
    rows = [by("root", "router"), span("go", parent="root", attributes=stated)]

    assert handoffs(*rows) == {"go": ("clerk", "worker")}
