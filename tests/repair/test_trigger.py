from dataclasses import replace

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.repair.strategies.strategy import SEVERITIES, Condition
from graphmind.repair.track_record import Record, Records
from graphmind.repair.trigger import Signs, ask, choose, signs_of
from tests.incidents.windows import incident
from tests.repair.levers import strategy

SIGNS = Signs(
    items=(("model_version", "planner@3"), ("region", "eu")),
    cause_level="model",
    cause_class="model_hang",
    module="InferenceRPC",
    symptom="hang",
    level="warn",
    codes=frozenset({"TIMEOUT"}),
    metrics={"latency": 9_300.0, "callback_failure_rate": 0.37},
)


def holds(**condition) -> bool:
    return ask(strategy(condition=condition).condition, SIGNS).holds


def test_signs_are_read_from_an_incident():
    found = incident(("region", "eu"), ("model_version", "planner@3"), symptom="hang")
    document = found.document() | {"error_codes": {"TIMEOUT": 2, "rare": 0}, "severity": "major"}

    signs = signs_of(document, metrics={"latency": 9_300.0}, cause_class="model_hang")

    assert signs == replace(
        SIGNS,
        items=(("region", "eu"), ("model_version", "planner@3")),
        module="inference",
        metrics={"latency": 9_300.0},
    )


def test_each_field_is_looked_at():
    assert holds(root_cause="model_version")
    assert holds(root_cause=["agent", "model_version:planner@*"])
    assert not holds(root_cause="model_version:critic@*")
    assert holds(**{"class": "model_*"})
    assert not holds(**{"class": "quota"})
    assert holds(module="InferenceRPC")
    assert not holds(module="Inference")
    assert holds(error_code=["429", "TIME*"])
    assert not holds(error_code="429")
    assert holds(symptom=["slow", "hang"])
    assert not holds(symptom="slow")
    assert holds(level="info")
    assert holds(level="warn")
    assert not holds(level="critical")
    assert holds(latency_gt=8_000)
    assert not holds(latency_gt=9_300)
    assert holds(metric="callback_failure_rate >= 20%")
    assert not holds(metric=["latency > 8s", "retries > 3"])


def test_conditions_combine():
    assert holds(all_of=[{"root_cause": "model_version"}, {"root_cause": "region"}])
    assert not holds(all_of=[{"root_cause": "model_version"}, {"root_cause": "agent"}])
    assert holds(any_of=[{"symptom": "slow"}, {"symptom": "hang"}])
    assert not holds(symptom="slow", any_of=[{"symptom": "hang"}])


def test_reasons_say_what_held_and_of_others_what_did_not():
    fits = strategy(condition={"root_cause": "model_version", "metric": "latency > 8s"})
    misses = strategy(
        strategy_id="other", condition={"root_cause": "agent", "metric": "retries > 3"}
    )

    choice = choose(SIGNS, [fits, misses], Records())

    assert choice.matches[0].reasons == (
        "the cause is model_version planner@3",
        "latency is 9300: latency > 8s",
    )
    assert choice.others[0].reasons == (
        "the cause is model_version planner@3 + region eu, not agent",
        "retries is not measured, and retries > 3 is needed",
    )
    assert choice.summary.startswith(f"{fits.key} (not tried before): the cause is model_version")


def test_a_strategy_at_the_level_of_the_cause_comes_before_a_more_serious_one():
    fits = strategy(condition={"symptom": "hang"}, level="info")
    grave = strategy(
        strategy_id="drain_all",
        condition={"symptom": "hang", "module": "InferenceRPC"},
        level="critical",
        repair_level="region",
    )

    choice = choose(SIGNS, [grave, fits], Records())

    assert [match.strategy for match in choice.matches] == [fits, grave]


def test_the_case_library_decides_between_equals_and_is_named():
    equals = [strategy(strategy_id=f"equal_{n}") for n in range(3)]
    good, bad = (
        Record(verdicts=("effective",) * 4, seconds=(21.0,) * 4),
        Record(verdicts=("ineffective",)),
    )
    records = Records(seen={("f", equals[0].key): bad, ("f", equals[2].key): good})

    choice = choose(SIGNS, equals, records, fingerprint="f")

    assert [match.strategy for match in choice.matches] == [equals[2], equals[1], equals[0]]
    assert choice.matches[0].reasons[-1] == "record: worked 4 of 4 times, median 21 s"


def test_the_evidence_is_json():
    choice = choose(SIGNS, [], Records())

    assert orjson.loads(orjson.dumps(dict(choice.evidence)))["cause"][1]["name"] == "eu"


LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "root_cause": st.sampled_from(["model_version", "agent", "region:eu", "region:*"]),
        "symptom": st.sampled_from(["hang", "slow"]),
        "level": st.sampled_from(SEVERITIES),
        "latency_gt": st.sampled_from([1, 99_999]),
    },
).filter(bool)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={"all_of": st.lists(inner, min_size=1, max_size=2)}
        | {"any_of": st.lists(inner, min_size=1, max_size=2)},
    ).filter(bool),
    max_leaves=4,
)
MANY = st.lists(
    st.tuples(CONDITIONS, st.sampled_from(SEVERITIES), st.sampled_from(["model", "region"])),
    max_size=6,
)


def strategies(drawn):
    return [
        strategy(strategy_id=f"number_{n}", condition=condition, level=level, repair_level=at)
        for n, (condition, level, at) in enumerate(drawn)
    ]


@settings(max_examples=50, deadline=None)
@given(MANY, st.randoms(use_true_random=False))
def test_the_order_in_which_strategies_are_given_makes_no_difference(drawn, random):
    found = strategies(drawn)
    shuffled = random.sample(found, len(found))

    assert choose(SIGNS, shuffled, Records()) == choose(SIGNS, found, Records())


@settings(max_examples=50, deadline=None)
@given(MANY)
def test_every_strategy_is_a_match_or_a_miss_with_reasons(drawn):
    found = strategies(drawn)

    choice = choose(SIGNS, found, Records())

    told = [match.strategy for match in choice.matches] + [miss.strategy for miss in choice.others]
    assert sorted(each.key for each in told) == sorted(each.key for each in found)
    assert all(match.reasons for match in choice.matches)
    assert all(miss.reasons for miss in choice.others)


@settings(max_examples=50, deadline=None)
@given(CONDITIONS, CONDITIONS)
def test_a_condition_that_asks_for_more_holds_less_often_and_is_more_specific(one, other):
    first = strategy(condition=one).condition
    both = Condition(all_of=(first, strategy(condition=other).condition))
    answer, more = ask(first, SIGNS), ask(both, SIGNS)

    assert answer.holds or not more.holds
    assert not more.holds or more.specificity > answer.specificity


@settings(max_examples=30, deadline=None)
@given(MANY.filter(lambda drawn: len(drawn) > 1), st.data())
def test_a_better_record_never_makes_a_strategy_rank_lower(drawn, data):
    found = strategies(drawn)
    lucky = data.draw(st.sampled_from(found))
    better = Records(seen={("f", lucky.key): Record(verdicts=("effective",))})

    def place(records):
        ranked = [m.strategy for m in choose(SIGNS, found, records, fingerprint="f").matches]
        return ranked.index(lucky) if lucky in ranked else -1

    assert place(better) <= place(Records())
