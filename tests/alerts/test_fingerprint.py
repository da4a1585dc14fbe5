from random import Random

from hypothesis import given
from hypothesis import strategies as st

from graphmind.alerts.fingerprint import failures_by_fingerprint
from tests.alerts.failing import NOW_MS, facts, trace


def grouped(*traces):
    found = failures_by_fingerprint(facts(traces))
    return sorted((one.fingerprint.label, one.trace_ids) for one in found)


def test_traces_that_fail_alike_share_a_fingerprint_whatever_their_ids():
    found = grouped(
        trace("a", NOW_MS, fault_path="chat > GET /users/7", error_code="E_BUSY 5"),
        trace("b", NOW_MS + 1, fault_path="chat > GET /users/8812", error_code="E_BUSY 5"),
    )

    assert found == [("traces fail at inference (E_BUSY #)", ("a", "b"))]


def test_each_part_of_a_fingerprint_tells_failures_apart():
    found = failures_by_fingerprint(
        facts(
            [
                trace("a", NOW_MS),
                trace("b", NOW_MS, "hang"),
                trace("c", NOW_MS, fault_path="chat > route"),
                trace("d", NOW_MS, error_code="E_OTHER"),
                trace("e", NOW_MS, fault_module="router"),
            ]
        )
    )

    assert len({one.fingerprint.hash for one in found}) == 5


def test_a_trace_counts_once_by_its_most_telling_symptom():
    found = failures_by_fingerprint(facts([trace("a", NOW_MS, "storm", "error")]))

    assert [(one.fingerprint.kind, one.trace_ids) for one in found] == [("error", ("a",))]


def test_incomplete_traces_and_symptoms_without_a_channel_are_no_failures():
    assert not grouped(
        trace("a", NOW_MS, outcome="incomplete"), trace("b", NOW_MS, "missing", outcome="ok")
    )


def test_nothing_fails_where_there_are_no_traces():
    assert not grouped()


def test_a_failure_whose_place_is_unknown_has_a_label_still():
    (one,) = grouped(trace("a", NOW_MS, fault_path=None, error_code=None, fault_module=None))

    assert one == ("traces fail", ("a",))


@given(st.randoms(use_true_random=False))
def test_the_order_of_traces_changes_nothing(random: Random):
    traces = [
        trace(f"t{n}", NOW_MS + n % 3, *(("hang",) if n % 2 else ("error", "storm")))
        for n in range(9)
    ]

    assert grouped(*random.sample(traces, 9)) == grouped(*traces)
