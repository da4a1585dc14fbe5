"""Which agent and which turn of a failed conversation."""

from hypothesis import given
from hypothesis import strategies as st

from graphmind.analysis.localisation.conversation import (
    Turn,
    TurnSuspect,
    find_coordinators,
    localise_turns,
)


def talk(*turns: str) -> list[Turn]:
    """Write turns as `speaker: text`; `shell` is a tool, `user` a user."""
    kinds = {"shell": "tool", "user": "user"}
    told = [turn.partition(": ") for turn in turns]
    return [
        Turn(speaker=speaker, kind=kinds.get(speaker, "agent"), text=text)
        for speaker, _, text in told
    ]


def suspect(*turns: str) -> TurnSuspect:
    return localise_turns([talk(*turns)])[0]


def first(found: TurnSuspect) -> str:
    return next(iter(found.agents))


def test_the_agent_that_did_most_of_the_work_is_named():
    assert first(suspect("user: do", "a: plan", "b: work", "b: more", "b: yet more")) == "b"


def test_an_agent_that_came_first_outweighs_one_that_spoke_as_often():
    assert first(suspect("a: plan", "b: work", "a: look", "b: done")) == "a"


def test_tools_and_users_are_no_suspects():
    found = suspect("user: x", "user: y", "a: code", "shell: 1", "shell: 2", "user: z")

    assert list(found.agents) == ["a"]


def test_a_coordinator_of_many_runs_is_no_suspect():
    led = talk("boss: go", "a: did", "boss: go", "b: did", "boss: go", "a: did", "boss: end")

    assert find_coordinators([led] * 5) == {"boss"}
    assert first(localise_turns([led] * 5)[0]) == "a"


def test_few_runs_do_not_show_who_coordinates():
    led = talk("boss: go", "a: did", "boss: go", "b: did", "boss: end")

    assert find_coordinators([led] * 4) == frozenset()


def test_a_coordinator_that_is_alone_is_the_suspect():
    led = talk("boss: go", "a: did", "boss: go", "b: did", "boss: end")

    assert first(localise_turns([*[led] * 9, talk("boss: did it all")])[-1]) == "boss"


def test_the_turn_that_a_tool_acts_on_is_decisive():
    assert suspect("a: plan", "a: unable to say", "a: code", "shell: ran").turn == 2


def test_else_the_turn_that_doubts():
    assert suspect("a: error in the task", "a: plan", "a: I assume so").turn == 2


def test_else_the_first_after_the_opening():
    assert suspect("a: task", "a: plan", "a: result").turn == 1


def test_a_run_without_agents_has_no_suspect():
    assert suspect("user: hello", "shell: ran") == TurnSuspect(agents={}, turn=-1)


@given(
    st.lists(
        st.lists(st.sampled_from(["a: x", "b: error", "shell: y", "user: z"]), max_size=8),
        max_size=8,
    )
)
def test_every_suspect_speaks_the_turn_that_is_named(runs):
    told = [talk(*run) for run in runs]

    for run, found in zip(told, localise_turns(told), strict=True):
        if found.agents:
            assert run[found.turn].speaker == first(found)
            assert abs(sum(found.agents.values()) - 1) < 1e-9
