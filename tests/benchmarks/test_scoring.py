import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scoring import (
    Found,
    Planted,
    adjusted_rand,
    is_part,
    is_right,
    rank_of,
    trace_agreement,
    trace_labels,
)

TOOL, AGENT = frozenset({("tool", "a")}), frozenset({("agent", "b")})


def planted(*traces, cause=TOOL, mended=()):
    return Planted(
        kind="tool_error",
        explanations=frozenset({cause}),
        traces=frozenset(traces),
        mended=frozenset(mended),
    )


def found(*traces, causes=(TOOL,)):
    ranked = tuple(frozenset({cause}) for cause in causes)
    return Found(explanations=ranked, traces=frozenset(traces))


def test_the_rank_is_the_place_of_the_cause_among_the_explanations():
    assert rank_of(planted("1"), [found("1", causes=(AGENT, TOOL))]) == 2


def test_a_cause_tied_with_the_first_is_first():
    tied = Found(explanations=(frozenset({AGENT, TOOL}),), traces=frozenset("1"))

    assert rank_of(planted("1"), [tied]) == 1


def test_the_right_name_on_other_traces_is_not_found():
    assert rank_of(planted("1"), [found("2")]) == 99


def test_a_pair_is_not_its_single():
    report = found("1", causes=(TOOL | AGENT,))

    assert not is_right(report, [planted("1")])
    assert is_part(report, [planted("1")])


def test_mended_traces_may_be_reported_or_not():
    incident = planted("1", "2", mended=("3",))

    assert trace_agreement([incident], [found("1", "2", "3")]) == 1.0
    assert trace_agreement([incident], [found("1", "2")]) == 1.0


def test_two_incidents_taken_for_one_agree_no_better_than_chance():
    both = [planted("1", "2"), planted("3", "4", cause=AGENT)]

    assert trace_agreement(both, [found("1", "2", "3", "4")]) == 0.0


def test_the_adjusted_rand_index_of_a_known_example():
    # Hubert and Arabie's measure by hand: 1 common pair, 2 and 3 pairs, 15 in all.
    assert adjusted_rand([0, 0, 1, 1, 2, 3], [0, 0, 0, 1, 2, 3]) == pytest.approx(
        (1 - 2 * 3 / 15) / (2.5 - 2 * 3 / 15)
    )


@given(st.lists(st.integers(0, 3), max_size=20), st.permutations(range(4)))
def test_labels_renamed_agree_fully(labels, names):
    assert adjusted_rand(labels, [names[label] for label in labels]) == 1.0


def disjoint(groups):
    """Incidents of the groups, each with its own cause; a trace is of the first that has it."""
    seen: set[int] = set()
    found = []
    for number, group in enumerate(groups):
        if group - seen:
            cause = frozenset({("tool", str(number))})
            found.append(planted(*map(str, group - seen), cause=cause))
        seen |= group
    return found


incidents = st.lists(st.sets(st.integers(0, 40), min_size=1), min_size=1, max_size=4).map(disjoint)


def as_found(incident, *, also=()):
    causes = tuple(frozenset({cause}) for cause in (*also, *incident.explanations))
    return Found(explanations=causes, traces=incident.traces)


@given(incidents, st.randoms())
def test_the_truth_reported_in_any_order_is_wholly_right(truth, random):
    reports = [as_found(incident) for incident in truth]
    random.shuffle(reports)

    assert {rank_of(incident, reports) for incident in truth} == {1}
    assert all(is_right(report, truth) and is_part(report, truth) for report in reports)
    assert trace_agreement(truth, reports) == 1.0


@given(incidents)
def test_a_wrong_first_explanation_costs_a_rank_and_the_precision(truth):
    reports = [as_found(incident, also=[AGENT]) for incident in truth]

    assert {rank_of(incident, reports) for incident in truth} == {2}
    assert not any(is_right(report, truth) for report in reports)
    assert trace_agreement(truth, reports) == 1.0


@given(incidents)
def test_no_report_finds_nothing(truth):
    left, right = trace_labels(truth, [])

    assert {rank_of(incident, []) for incident in truth} == {99}
    assert len(left) == len(right)
    assert set(right) <= {-1}
