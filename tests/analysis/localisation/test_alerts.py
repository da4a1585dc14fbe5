"""The culprit of an incident, from alerts alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.localisation.alerts import (
    Alert,
    Incident,
    localise_alerts,
    score_rarity,
    score_together,
)
from tests.analysis.localisation.oracle import load

INSTANCES = ("a", "b", "c")
ALERTS = st.builds(
    Alert,
    st.sampled_from(INSTANCES),
    st.sampled_from(("metric", "log")),
    st.sampled_from("xyz"),
    st.just(""),
)
INCIDENTS = st.lists(
    st.builds(
        Incident,
        alerts=st.frozensets(ALERTS, max_size=6),
        instances=st.frozensets(st.sampled_from(INSTANCES), min_size=1),
    ),
    min_size=1,
    max_size=12,
)


def incident(*alerts: str) -> Incident:
    """Write alerts as `instance source what`."""
    return Incident(
        alerts=frozenset(Alert(*text.split()) for text in alerts), instances=frozenset(INSTANCES)
    )


def detailed(instance: str, template: str) -> Incident:
    return Incident(
        alerts=frozenset({Alert(instance, "log", "", template)}), instances=frozenset(INSTANCES)
    )


def first(scores: dict[str, float]) -> str:
    return max(scores, key=scores.__getitem__)


def test_the_instance_with_the_unusual_alert_is_first():
    history = [incident("a log retry")] * 20

    assert first(score_rarity(incident("a log retry", "b log panic"), history)) == "b"


def test_a_metric_alert_that_many_instances_raise_weighs_less():
    alone = score_rarity(incident("a metric cpu"), [incident()])
    shared = score_rarity(incident(*(f"{name} metric cpu" for name in INSTANCES)), [incident()])

    assert shared["a"] < alone["a"]


def test_an_instance_that_always_alerts_is_no_culprit_among_many_incidents():
    noisy = "c log retry"
    incidents = [incident(noisy, f"{INSTANCES[n % 2]} metric cpu") for n in range(40)]

    assert [first(scores) for scores in score_together(incidents)] == ["a", "b"] * 20


def test_what_culprits_have_in_common_outweighs_an_unusual_alert_when_incidents_are_many():
    shared = [incident(f"{INSTANCES[n % 3]} metric cpu", "c log retry") for n in range(120)]
    last = incident("a metric cpu", "b log once")

    assert first(score_rarity(last, [*shared, last])) == "b"
    assert first(localise_alerts([*shared, last])[-1]) == "a"


def test_of_few_incidents_the_unusual_alert_decides():
    assert first(localise_alerts([incident("a log retry"), incident("b log panic")])[1]) == "b"


def test_details_are_unusual_by_themselves():
    usual = [detailed("a", "1")] * 30

    both = Incident(
        alerts=detailed("a", "1").alerts | detailed("b", "9").alerts, instances=frozenset(INSTANCES)
    )

    assert first(localise_alerts([*usual, both])[-1]) == "b"


def test_no_incidents_have_no_scores():
    assert score_together([]) == []
    assert localise_alerts([]) == []


@given(INCIDENTS, st.permutations(INSTANCES))
@settings(max_examples=30, deadline=None)
def test_names_and_order_change_nothing(incidents, names):
    rename = dict(zip(INSTANCES, names, strict=True))
    renamed = [
        Incident(
            alerts=frozenset(a._replace(instance=rename[a.instance]) for a in each.alerts),
            instances=frozenset(rename[name] for name in each.instances),
        )
        for each in reversed(incidents)
    ]

    other = list(reversed(localise_alerts(renamed)))
    for found, expected in zip(other, localise_alerts(incidents), strict=True):
        assert found == pytest.approx({rename[k]: v for k, v in expected.items()}, abs=1e-6)


@given(INCIDENTS)
@settings(max_examples=30, deadline=None)
def test_scores_are_those_of_the_reference(incidents):
    reference = load()
    alerts = [each.alerts for each in incidents]
    nodes = [sorted(each.instances) for each in incidents]
    counted = {alert: sum(alert in each for each in alerts) for alert in frozenset().union(*alerts)}

    plain = [{alert[:3] for alert in each} for each in alerts]
    expected, _ = reference.alert_localise(
        ({alert[:3]: n for alert, n in counted.items()}, len(incidents)), plain[0], nodes[0]
    )
    together = reference.alert_em(plain, nodes)

    assert score_rarity(incidents[0], incidents) == pytest.approx(expected)
    for found, other in zip(score_together(incidents), together, strict=True):
        assert found == pytest.approx(other, rel=1e-5, abs=1e-5)
