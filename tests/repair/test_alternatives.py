import pytest

from graphmind.repair.alternatives import TRACES_MIN, Alternatives, alternatives_to
from tests.incidents.windows import facts, incident

MANY = 4 * TRACES_MIN


def window(kind, failing_by_name, traces=MANY):
    """Facts in which each name of a kind is touched by its own traces, so many of them failing."""
    ids = {name: [f"{name}-{n}" for n in range(traces)] for name in failing_by_name}
    return facts(
        [trace for own in ids.values() for trace in own],
        items=[(trace, kind, name) for name, own in ids.items() for trace in own],
        symptoms=[
            (trace, "error")
            for name, count in failing_by_name.items()
            for trace in ids[name][:count]
        ],
    )


def test_the_healthiest_sibling_stands_in():
    seen = window("region", {"eu": 30, "us": 5, "asia": 2, "africa": 9})

    assert alternatives_to(incident(("region", "eu")), seen) == Alternatives(region="asia")


def test_of_equally_healthy_siblings_the_first_by_name_stands_in():
    seen = window("region", {"eu": 30, "us": 2, "asia": 2})

    assert alternatives_to(incident(("region", "eu")), seen).region == "asia"


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("model_version", "model_version"),
        ("model_requested", "model_version"),
        ("prompt_version", "prompt_version"),
    ],
)
def test_a_version_is_replaced_by_one_of_its_own_family(kind, field):
    seen = window(kind, {"plan@3": 30, "plan@2": 4, "plan@1": 6, "chat@1": 0})

    assert alternatives_to(incident((kind, "plan@3")), seen) == Alternatives(**{field: "plan@2"})


def test_a_version_without_a_healthier_one_of_its_family_is_not_replaced():
    seen = window("model_version", {"plan@3": 30, "plan@2": 30, "chat@1": 0})

    assert alternatives_to(incident(("model_version", "plan@3")), seen) == Alternatives()


def test_a_model_that_names_no_version_may_be_replaced_by_any():
    seen = window("model_version", {"large": 30, "small": 3})

    assert alternatives_to(incident(("model_version", "large")), seen).model_version == "small"


def test_a_requested_model_is_replaced_by_another_that_was_requested():
    asked = window("model_requested", {"large": 30, "small": 3})
    answered = window("model_version", {"large@1": 3})

    for seen, expected in ((asked, "small"), (answered, None)):
        found = alternatives_to(incident(("model_requested", "large")), seen)
        assert found.model_version == expected


@pytest.mark.parametrize(("traces", "expected"), [(TRACES_MIN, "us"), (TRACES_MIN - 1, None)])
def test_a_sibling_on_too_few_traces_has_not_proven_itself(traces, expected):
    seen = window("region", {"eu": traces, "us": 0}, traces=traces)

    assert alternatives_to(incident(("region", "eu")), seen).region == expected


def test_a_sibling_that_is_no_healthier_does_not_stand_in():
    seen = window("region", {"eu": 5, "us": 5, "asia": 6})

    assert alternatives_to(incident(("region", "eu")), seen) == Alternatives()


def test_a_conjunction_may_give_way_on_either_side():
    seen = window("region", {"eu": 30, "us": 0})
    both = incident(("model_version", "plan@3"), ("region", "eu"))

    assert alternatives_to(both, seen) == Alternatives(region="us")


def test_symptoms_without_a_channel_do_not_make_a_sibling_ill():
    ids = [f"{name}-{n}" for name in ("eu", "us") for n in range(TRACES_MIN)]
    seen = facts(
        ids,
        items=[(trace, "region", trace[:2]) for trace in ids],
        symptoms=[(trace, "error" if trace < "us" else "missing") for trace in ids],
    )

    assert alternatives_to(incident(("region", "eu")), seen).region == "us"


@pytest.mark.parametrize("items", [(), (("agent", "a"),)])
def test_nothing_stands_in_where_nothing_is_blamed_that_has_siblings(items):
    seen = window("region", {"eu": 30, "us": 0})

    assert alternatives_to(incident(*items), seen) == Alternatives()
