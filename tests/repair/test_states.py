"""The table of states, walked in full."""

import pytest

from graphmind.repair.states import LIVE, TRANSITIONS, Event, NotAllowed, State, after


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_every_pair_leads_on_by_the_table_or_is_refused_with_what_is_possible(state, event):
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
        return
    with pytest.raises(NotAllowed) as refused:
        after(state, event)

    possible = sorted(e for s, e in TRANSITIONS if s is state)
    assert f"is {state} takes no {event}" in str(refused.value)
    assert all(name in str(refused.value) for name in [*map(str, possible)] or ["none"])


def test_every_state_is_reached_from_the_first():
    reached, fresh = {State.PROPOSED}, {State.PROPOSED}
    while fresh:
        fresh = {to for (at, _), to in TRANSITIONS.items() if at in fresh} - reached
        reached |= fresh

    assert reached == set(State)


def test_every_event_happens_somewhere():
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_a_live_repair_can_always_be_brought_to_an_end_without_its_target():
    for state in LIVE:
        ahead, fresh = {state}, {state}
        while fresh:
            fresh = {to for (at, _), to in TRANSITIONS.items() if at in fresh} - ahead
            ahead |= fresh
        assert ahead - LIVE


def test_what_was_refused_or_undone_stays_so():
    for state in (State.REJECTED, State.CANCELLED, State.EXPIRED, State.SUPPRESSED):
        assert not [event for at, event in TRANSITIONS if at is state]
    assert not [event for at, event in TRANSITIONS if at is State.ROLLED_BACK]
