"""What holds for every route that learns, and what each of them goes by."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.classification.case import in_order
from graphmind.classification.hybrid import HybridRoute
from graphmind.classification.neighbours import StructureRoute
from graphmind.classification.routes import all_routes
from graphmind.classification.rules_file import default_rules
from graphmind.classification.text_routes import BoostingRoute, SvmRoute
from tests.classification.cases import case, three_classes

TEXT_ROUTES = (SvmRoute(), BoostingRoute())
LEARNING_ROUTES = (StructureRoute(), *TEXT_ROUTES, HybridRoute())


def first(route, cases, own):
    return route.fit(in_order(cases)).candidates(own)[0].label


def test_every_route_has_a_name_of_its_own():
    names = [route.name for route in all_routes(default_rules())]

    assert len(set(names)) == len(names) == 5


@pytest.mark.parametrize("route", TEXT_ROUTES, ids=lambda route: route.name)
def test_text_tells_classes_apart_whose_trees_are_alike(route):
    assert first(route, three_classes(), case("", "no such host here")) == "dns_failed"
    assert first(route, three_classes(), case("", "heap exhausted again")) == "out_of_memory"


@pytest.mark.parametrize("route", TEXT_ROUTES, ids=lambda route: route.name)
def test_words_never_seen_say_nothing(route):
    fitted = route.fit(in_order(three_classes()))

    assert fitted.candidates(case("", "Quux frobnicates")) == ()
    assert fitted.candidates(case()) == ()


@pytest.mark.parametrize("route", LEARNING_ROUTES, ids=lambda route: route.name)
def test_two_classes_are_enough_to_learn_from(route):
    cases = [own for own in three_classes() if own.label != "dns_failed"]

    hang = case("", "still waiting", tree=("model hang", "step ok"))
    assert first(route, cases, hang) == "model_hang"


def test_structure_tells_classes_apart_whose_texts_are_unknown():
    assert first(StructureRoute(), three_classes(), case(tree=("model hang",))) == "model_hang"


def test_a_tree_never_seen_is_like_no_case():
    fitted = StructureRoute().fit(in_order(three_classes()))

    assert fitted.candidates(case(tree=("kv error",))) == ()


def test_the_hybrid_uses_numbers_where_text_and_structure_are_alike():
    cases = [
        case(label, f"word {n}", case_id=f"{label}{n}", numbers={"retries": retries})
        for label, retries in (("calm", 0.1), ("stormy", 3.0))
        for n in range(6)
    ]

    assert first(HybridRoute(), cases, case("", "word 1", numbers={"retries": 2.9})) == "stormy"


@pytest.mark.parametrize(
    ("route", "sign"),
    [
        (StructureRoute(), "cases most alike in structure"),
        (SvmRoute(), "'host'"),
        (BoostingRoute(), "word"),
        (HybridRoute(), "word host"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_candidate_says_what_speaks_for_it(route, sign):
    own = case("", "no such host", tree=("tool error", "step ok"))

    candidates = route.fit(in_order(three_classes())).candidates(own)

    assert sign in next(guess.reason for guess in candidates if guess.label == "dns_failed")


@pytest.mark.parametrize("route", LEARNING_ROUTES, ids=lambda route: route.name)
@settings(max_examples=5, deadline=None)
@given(shuffled=st.permutations(three_classes(4)))
def test_the_order_of_cases_changes_no_candidate(route, shuffled):
    own = case("", "no such host, heap exhausted", tree=("tool error", "model hang"))

    told = route.fit(in_order(shuffled)).candidates(own)

    assert told == route.fit(in_order(three_classes(4))).candidates(own)


@pytest.mark.parametrize("route", LEARNING_ROUTES, ids=lambda route: route.name)
@settings(max_examples=20, deadline=None)
@given(
    lines=st.lists(st.text(max_size=20), max_size=3),
    tree=st.lists(st.sampled_from(["tool error", "model hang", "never seen"]), max_size=3),
    numbers=st.dictionaries(st.sampled_from(["traces", "odd"]), st.floats(-1e6, 1e6)),
)
def test_scores_are_shares_in_order_whatever_the_case_says(route, lines, tree, numbers, fitted):
    own = case("", *lines, tree=tree, numbers=numbers)

    guesses = fitted(route).candidates(own)

    assert sorted(guesses, key=lambda guess: (-guess.score, guess.label)) == list(guesses)
    assert all(0 <= guess.score <= 1 for guess in guesses)
    assert sum(guess.score for guess in guesses) <= 1 + 1e-6


@pytest.fixture(scope="module")
def fitted():
    known = {route.name: route.fit(in_order(three_classes())) for route in LEARNING_ROUTES}
    return lambda route: known[route.name]
