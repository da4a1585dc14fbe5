from graphmind.classification.case import in_order
from graphmind.classification.choice import choose
from graphmind.classification.judge import fit_judge
from graphmind.classification.rules import RulesRoute
from graphmind.classification.rules_file import default_rules, parse
from graphmind.classification.text_routes import SvmRoute
from graphmind.classification.verdict import classification_of
from tests.classification.cases import case, crowd, three_classes

INCIDENT = {
    "incident_id": "inc-1",
    "cluster_id": "CLUSTER_ERROR_SEARCH",
    "root_module": "search",
    "root_span": {"trace_id": "t7", "span_id": "s3"},
    "causes": [{"label": "tool search"}, {"label": "region north"}],
}


def told(cases, own, incident=INCIDENT, rules=None):
    routes = (RulesRoute(rules=rules or default_rules()), SvmRoute())
    known = in_order(cases)
    choice = choose(routes, known)
    primary = next(route for route in routes if route.name == choice.route)
    weighed = fit_judge(primary, known).weigh(own)
    return classification_of(incident, weighed, choice, cases=len(known))


def test_a_sure_candidate_is_the_verdict():
    classification = told(
        three_classes(10), case("", "no such host", "a spoke", tree=("tool error", "step ok"))
    )

    assert classification.abstained == ""
    assert classification.verdict is not None
    assert classification.verdict.root_node == "tool search"
    assert classification.verdict.root_cause == "dns_failed"
    assert classification.verdict.cluster_id == "CLUSTER_ERROR_SEARCH"
    assert classification.candidates[0].span == "t7:s3"
    assert classification.candidates[0].root_cause == "dns_failed"


def test_evidence_that_speaks_for_several_classes_gives_candidates_and_no_verdict():
    torn = case("", "no such host", "heap exhausted", "still waiting")

    classification = told(three_classes(10), torn)

    assert classification.verdict is None
    assert classification.abstained.startswith("thin evidence: ")
    assert len(classification.candidates) == 3


def test_words_never_seen_give_no_candidate_and_no_verdict():
    classification = told(three_classes(), case("", "frobnication"))

    assert (classification.candidates, classification.verdict) == ((), None)
    assert classification.abstained.startswith("nothing known speaks for any class")


def test_a_weak_rule_gives_no_verdict_without_cases():
    rules = parse("- {label: quota, confidence: 0.8, code: ['429']}", "own.yaml")

    weak = told([], case(codes={"429": 0.5}), rules=rules)
    strong = told([], case(codes={"429": 0.9}), rules=rules)

    assert (weak.verdict, weak.candidates[0].confidence) == (None, 0.4)
    assert strong.verdict is not None


def test_cases_of_one_class_do_not_make_everything_that_class():
    classification = told(
        crowd("dns_failed", 12, "no such host"), case("", "no such host", cause=())
    )

    assert classification.route == "rules"


def test_where_no_cause_was_found_the_root_node_is_the_module():
    bare = INCIDENT | {"causes": [], "root_span": {}}

    classification = told([], case("", "connection refused"), incident=bare)

    assert classification.verdict is not None
    assert classification.verdict.root_node == "search"
    assert classification.candidates[0].span == ""
