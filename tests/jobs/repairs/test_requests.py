import pytest

from graphmind.jobs.repairs.requests import (
    Trace,
    causes_of,
    destinations_of,
    kept_parts,
    touching,
    traces_of,
)
from graphmind.jobs.repairs.yardstick import Before, Yardstick, measure
from graphmind.repair.model import Call, Plan, Step
from graphmind.verification.request import Attempt
from graphmind.verification.words import BYSTANDER, EXPOSED, RECIPIENT, Unverifiable
from tests.builders import facts, span
from tests.incidents.windows import incident
from tests.repair.repairs import IMPACT

ONSET_MS, EXECUTED_MS = 1_000_000, 1_100_000
CHAT, SEARCH = ("chat", "eu", "router"), ("search", "eu", "finder")


def step(action, target="t", level="model", **params) -> Step:
    return Step(
        number=1,
        level=level,
        connector="c",
        call=Call(action=action, target=target, params=params),
        before={},
        undo=None,
        summary="",
    )


def plan(*steps: Step) -> Plan:
    return Plan(steps=steps, impact=IMPACT, made_ms=0, expires_ms=1)


def trace(number: int, start_ms: int, *, parts=CHAT, failed=False, calls_back=False) -> Trace:
    return Trace(
        trace_id=f"t{number}",
        unit=f"u{number}",
        parts=parts,
        attempt=Attempt(start_ms=start_ms, end_ms=start_ms + 500, failed=failed),
        calls_back=calls_back,
        answered=True,
    )


def before(traces, target, destination=()) -> Before:
    return Before(
        traces=traces,
        target={f"t{number}" for number in target},
        destination={f"t{number}" for number in destination},
        onset_ms=ONSET_MS,
        executed_ms=EXECUTED_MS,
        times_to_symptom_s=[0.5],
    )


def spread(numbers, first_ms, *, parts, bad=()):
    return [
        trace(n, first_ms + place * 100, parts=parts, failed=n in bad)
        for place, n in enumerate(numbers)
    ]


HEALTHY = spread(range(300), ONSET_MS - 90_000, parts=CHAT) + spread(
    range(300, 600), ONSET_MS - 90_000, parts=SEARCH
)


def test_who_met_the_cause_in_the_incident_is_exposed_the_others_are_bystanders_or_recipients():
    sick = spread(range(1000, 1200), ONSET_MS, parts=CHAT, bad=range(1000, 1080))
    beside = spread(range(1200, 1400), ONSET_MS, parts=SEARCH)
    known = before(HEALTHY + sick + beside, range(1000, 1200))

    yardstick, bounds = measure(known, (0, 1, 2))

    assert yardstick.exposure.group_of(CHAT) == EXPOSED
    assert yardstick.exposure.group_of(SEARCH) == BYSTANDER
    assert bounds.primary == "failure"
    assert yardstick.incident.failure_rate == 0.4
    assert yardstick.healthy.failure_rate == 0.0
    moved, _ = measure(before(known.traces, range(1000, 1200), range(1200, 1400)), (0, 1, 2))
    assert moved.exposure.group_of(SEARCH) == RECIPIENT


def test_a_version_on_trial_makes_all_cells_that_met_it_exposed_and_no_other():
    mixed = spread(range(1000, 1200), ONSET_MS, parts=CHAT, bad=range(1000, 1030))
    beside = spread(range(1200, 1400), ONSET_MS, parts=SEARCH)

    yardstick, _ = measure(before(HEALTHY + mixed + beside, range(1000, 1040)), (0, 1, 2))

    assert yardstick.exposure.group_of(CHAT) == EXPOSED
    assert yardstick.exposure.group_of(SEARCH) == BYSTANDER


def test_what_was_met_before_the_onset_tells_who_is_exposed_and_few_requests_do():
    sick = spread(range(1000, 1008), ONSET_MS, parts=CHAT, bad=range(1000, 1004))
    beside = spread(range(1200, 1203), ONSET_MS, parts=SEARCH)
    met_before = before(HEALTHY + sick + beside, [*range(0, 300, 2), *range(1000, 1004)])
    new = before(HEALTHY + sick + beside, range(1000, 1008))

    assert measure(met_before, (0, 1, 2))[0].exposure.group_of(CHAT) == EXPOSED
    assert measure(met_before, (0, 1, 2))[0].exposure.group_of(SEARCH) == BYSTANDER
    assert measure(new, (0, 1, 2))[0].exposure.group_of(CHAT) == EXPOSED
    assert measure(new, (0, 1, 2))[0].exposure.group_of(SEARCH) is None


def test_a_drained_region_is_measured_by_what_does_not_depend_on_it():
    eu = spread(range(1000, 1100), ONSET_MS, parts=CHAT, bad=range(1000, 1050))
    us = spread(range(1100, 1200), ONSET_MS, parts=("chat", "us", "router"))
    parts = kept_parts(plan(step("drain", "eu", "region")))

    yardstick, bounds = measure(before(HEALTHY + eu + us, range(1000, 1040)), parts)

    assert parts == (0, 2)
    assert yardstick.exposure.group_of(("chat", "router")) == EXPOSED
    elsewhere = yardstick.request("u", [trace(1, 0, parts=("chat", "us", "router"))])
    assert elsewhere is not None
    assert elsewhere.group == EXPOSED
    assert bounds.traffic.exposed == 2.0


def test_agents_of_one_region_each_tell_nothing_once_it_is_drained():
    known = [
        *spread(range(300), ONSET_MS - 90_000, parts=("chat", "eu", "router-eu")),
        *spread(range(1000, 1100), ONSET_MS, parts=("chat", "eu", "router-eu"), bad=range(1040)),
        *spread(range(1100, 1200), ONSET_MS, parts=("chat", "us", "router-us")),
    ]

    yardstick, _ = measure(before(known, range(1000, 1080)), (0, 2))

    assert yardstick.parts == (0,)
    assert yardstick.exposure.group_of(("chat",)) == EXPOSED


def test_the_yardstick_comes_back_from_its_document():
    sick = spread(range(1000, 1200), ONSET_MS, parts=CHAT, bad=range(1000, 1080))
    yardstick, _ = measure(before(HEALTHY + sick, range(1000, 1200)), (0, 1, 2))

    assert Yardstick.of(yardstick.document()) == yardstick


def test_without_a_request_that_met_the_cause_nothing_can_be_measured():
    with pytest.raises(Unverifiable):
        measure(before(HEALTHY, ()), (0, 1, 2))


def test_what_was_slow_when_healthy_is_waited_for():
    slow = [trace(n, ONSET_MS - 90_000 + n, calls_back=True) for n in range(300)]
    long = [
        Trace(
            **{
                **vars(one),
                "attempt": Attempt(
                    start_ms=one.attempt.start_ms, end_ms=one.attempt.start_ms + 25_000
                ),
            }
        )
        for one in slow
    ]
    sick = spread(range(1000, 1200), ONSET_MS, parts=CHAT, bad=range(1000, 1080))

    yardstick, bounds = measure(before(long + sick, range(1000, 1200)), (0, 1, 2))
    _, asked = measure(before(long + sick, range(1000, 1200)), (0, 1, 2), wait_s=7)

    assert bounds.options.wait_s == 25.0
    assert asked.options.wait_s == 7
    assert yardstick.callbacks == ("chat",)
    assert yardstick.healthy.answer_rate == 1.0
    assert yardstick.incident.answer_rate == 0.0


def test_facts_are_read_as_requests():
    rows = [
        span(
            "root",
            0,
            11_500,
            trace="a",
            failed=True,
            attributes={
                "graphmind.task.name": "chat",
                "cloud.region": "eu",
                "graphmind.agent.id": "router",
                "graphmind.module": "AgentRouter",
            },
        ),
        span(
            "send",
            10,
            11_000,
            parent="root",
            trace="a",
            failed=True,
            attributes={
                "graphmind.agent.id": "sender",
                "graphmind.module": "WebhookDeliver",
                "graphmind.model.version": "m@2",
            },
        ),
        span("root", 0, None, trace="b", attributes={"graphmind.task.name": "chat"}),
    ]
    found = facts(rows)
    a, b = sorted(traces_of(found), key=lambda one: one.trace_id)

    assert a.parts == ("chat", "eu", "router")
    assert (a.duration_ms, a.attempt.failed) == (11_500, True)
    assert (a.calls_back, a.answered) == (True, False)
    assert b.attempt.end_ms is None
    assert b.seen(callbacks=True).answered is False
    assert touching(found, [frozenset({("model_version", "m@2"), ("region", "eu")})]) == {"a"}
    assert touching(found, [frozenset({("model_version", "m@2"), ("region", "us")})]) == set()


def test_causes_and_destinations_are_named():
    found = incident(("model_version", "m@2"), ("region", "eu")).document()
    switched = plan(step("switch_model_version", "m", to="1"), step("fail_over", "eu", to="us"))

    assert causes_of(found) == [frozenset({("model_version", "m@2"), ("region", "eu")})]
    assert destinations_of(switched) == [
        frozenset({("model_version", "m@1")}),
        frozenset({("region", "us")}),
    ]
    assert kept_parts(plan(step("disable", "a", "agent"))) == (0, 1)
    assert kept_parts(plan(step("restart", "a", "agent"))) == (0, 1, 2)
