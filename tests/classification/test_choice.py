"""Which route is primary, and when that is asked again."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.classification.case import in_order
from graphmind.classification.choice import choice_from, choose
from graphmind.classification.folds import CASES_MIN
from graphmind.classification.neighbours import StructureRoute
from graphmind.classification.routes import all_routes
from graphmind.classification.rules import RulesRoute
from graphmind.classification.rules_file import default_rules, parse
from graphmind.classification.text_routes import SvmRoute
from tests.classification.cases import case, crowd, three_classes

ROUTES = all_routes(default_rules())
CHEAP = (RulesRoute(rules=default_rules()), StructureRoute(), SvmRoute())


def test_rules_are_primary_without_cases():
    choice = choose(ROUTES, ())

    assert (choice.route, choice.f1, choice.classes) == ("rules", {}, ())


def test_rules_are_primary_while_only_one_class_can_be_learned():
    one = [*crowd("dns_failed", 9, "no such host"), *crowd("rare", CASES_MIN - 1, "odd")]

    choice = choose(ROUTES, in_order(one))

    assert choice.route == "rules"
    assert choice.reason == f"fewer than two classes have {CASES_MIN} confirmed cases"
    assert choice.classes == ("dns_failed", "rare")


def test_the_route_that_tells_the_classes_apart_is_primary():
    choice = choose(CHEAP, in_order(three_classes()))

    assert choice.route == "text, linear SVM"
    assert choice.f1["text, linear SVM"] == 1.0
    assert choice.f1["structure"] < 0.9


def test_the_simpler_route_is_primary_among_equals():
    rules = parse(
        "- {label: dns_failed, confidence: 0.9, text: [host]}\n"
        "- {label: out_of_memory, confidence: 0.9, text: [heap]}\n"
        "- {label: model_hang, confidence: 0.9, text: [waiting]}\n",
        "own.yaml",
    )

    choice = choose((RulesRoute(rules=rules), *CHEAP[1:]), in_order(three_classes()))

    assert choice.f1["rules"] == choice.f1["text, linear SVM"] == 1.0
    assert choice.route == "rules"


@settings(max_examples=5, deadline=None)
@given(st.permutations(three_classes(4)))
def test_the_order_of_cases_does_not_change_the_choice(shuffled):
    assert choose(CHEAP, in_order(shuffled)) == choose(CHEAP, in_order(three_classes(4)))


def test_ids_of_cases_do_not_change_the_choice():
    renamed = [case_with_id(own, f"x{n}") for n, own in enumerate(reversed(three_classes()))]

    assert choose(CHEAP, in_order(renamed)) == choose(CHEAP, in_order(three_classes()))


def case_with_id(own, case_id):
    return type(own)(**{**vars(own), "case_id": case_id})


def test_a_choice_is_read_as_it_was_written():
    choice = choose(CHEAP, in_order(three_classes()))

    assert choice_from(choice.document()) == choice


def test_a_choice_holds_until_a_fifth_of_the_cases_changed():
    cases = three_classes(10)
    choice = choose(CHEAP, in_order(cases))

    assert choice.holds_for([*cases, *crowd("dns_failed", 6, first=10)], CHEAP)
    assert not choice.holds_for([*cases, *crowd("dns_failed", 7, first=10)], CHEAP)
    assert not choice.holds_for(cases[7:], CHEAP)


def test_a_choice_does_not_hold_for_other_classes_or_routes():
    cases = three_classes()
    choice = choose(CHEAP, in_order(cases))

    assert not choice.holds_for([*cases, case("new_class", "x")], CHEAP)
    assert not choice.holds_for(cases, CHEAP[:1])


@dataclass(frozen=True)
class Silent:
    """A route that has nothing to say."""

    name: str = "silent"

    def fit(self, cases):
        return self

    def candidates(self, own):
        return ()


def test_a_route_that_says_nothing_has_no_f1():
    choice = choose((Silent(),), in_order(three_classes()))

    assert choice.f1 == {"silent": 0.0}
    assert choice.calibration.confidence((0.0, 0.0, 0.0, 0.0)) < choice.calibration.threshold
