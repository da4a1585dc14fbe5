from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.alerts.fingerprint import FailureFingerprint, Failures
from graphmind.alerts.rule import incident_of, latest_burst

FINGERPRINT = FailureFingerprint(kind="error", path="chat", code="E1", module="inference")


def failures(times):
    ids = tuple(f"t{n}" for n in range(len(times)))
    return Failures(fingerprint=FINGERPRINT, trace_ids=ids, began_ms=np.array(times, np.int64))


def burst_of(times, window_ms, **after):
    burst = latest_burst(failures(times), window_ms, **after)
    assert burst is not None
    return burst


def test_a_burst_is_counted_in_its_fullest_window():
    burst = burst_of([0, 1, 2, 9, 18], 10)

    assert (burst.most, burst.last_window, burst.first_ms, burst.last_ms) == (4, 2, 0, 18)


def test_a_pause_of_a_window_ends_a_burst():
    burst = burst_of([0, 1, 2, 12, 13], 10)

    assert (burst.most, burst.first_ms, burst.trace_ids) == (2, 12, ("t3", "t4"))


def test_what_was_dealt_with_is_not_counted_again():
    assert latest_burst(failures([0, 1, 2]), 10, after_ms=2) is None
    assert burst_of([0, 1, 2, 3], 10, after_ms=1).most == 2


@given(st.lists(st.integers(0, 300), min_size=1).map(sorted), st.integers(1, 100))
def test_windows_are_counted_as_they_are_by_hand(times, window_ms):
    start = 0
    for n, (one, other) in enumerate(pairwise(times), 1):
        start = n if other - one >= window_ms else start
    own = times[start:]
    counts = [sum(end - window_ms < one <= end for one in own) for end in own]
    burst = burst_of(times, window_ms)

    # Of several at one time the last sees them all.
    assert burst.most == max(counts)
    assert burst.last_window == counts[-1]
    assert (burst.first_ms, burst.last_ms) == (own[0], own[-1])


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"inc-1": "abcd", "inc-2": "cd"}, "inc-1"),
        ({"inc-2": "ab", "inc-1": "cd"}, "inc-1"),  # a tie
        ({"inc-1": "a", "inc-2": "b"}, None),  # no half of them
        ({}, None),
    ],
)
def test_a_burst_belongs_to_the_incident_that_holds_most_of_it(held, expected):
    incidents = [{"incident_id": name, "trace_ids": list(own)} for name, own in held.items()]
    found = incident_of("abcd", incidents)

    assert (found and found["incident_id"]) == expected
