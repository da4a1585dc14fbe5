"""The culprit of an incident, from alerts alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.analysis.localisation.alerts import (
    Alert,
    Incident,
    score_rarity,
    score_together,
)
from tests.analysis.localisation.oracle import load

INSTANCES = ("a", "b", "c")
ALERTS = st.builds(
    Alert, st.sampled_from(INSTANCES), st.sampled_from(("metric", "log")), st.sampled_from("xyz")
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


def test_no_incidents_have_no_scores():
    assert score_together([]) == []


@given(INCIDENTS)
@settings(max_examples=30, deadline=None)
def test_scores_are_those_of_the_reference(incidents):
    reference = load()
    alerts = [each.alerts for each in incidents]
    nodes = [sorted(each.instances) for each in incidents]
    counted = {alert: sum(alert in each for each in alerts) for alert in frozenset().union(*alerts)}

    expected, _ = reference.alert_localise((counted, len(incidents)), alerts[0], nodes[0])
    together = reference.alert_em(alerts, nodes)

    assert score_rarity(incidents[0], incidents) == pytest.approx(expected)
    for found, other in zip(score_together(incidents), together, strict=True):
        assert found == pytest.approx(other, rel=1e-5, abs=1e-5)
