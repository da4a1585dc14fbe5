"""What customers say of the platform, and shares that the gateway takes."""

import pytest

from examples.agent_platform.customers import Sent, figures
from examples.agent_platform.gateway import wrong_shares


def test_figures_are_of_answered_tasks_alone():
    tasks = [Sent(at=0, took_s=n / 100, well=n != 7, called_back=n > 1) for n in range(1, 101)]

    assert figures([*tasks, Sent(at=0)]) == {
        "tasks": 100,
        "p95_s": 0.96,
        "failure_rate": 0.01,
        "callback_rate": 0.99,
    }
    assert figures([]) == {"tasks": 0}


def test_shares_that_sum_to_one_are_taken():
    body = b'{"model": "planner", "shares": {"2": 0.9, "3": 0.1}}'

    assert wrong_shares(body, "planner") == {"2": 0.9, "3": 0.1}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"x", "expected {"),
        (b"[]", "expected {"),
        (b'{"shares": 1}', "expected {"),
        (b'{"model": "critic", "shares": {"2": 1}}', "the model of the address"),
        (b'{"shares": {"9": 1}}', "expected versions"),
        (b'{"shares": {"2": 0.5}}', "sum up to 1"),
        (b'{"shares": {"2": 1.5, "3": -0.5}}', "sum up to 1"),
    ],
)
def test_other_shares_are_refused_in_words(body, told):
    assert told in wrong_shares(body, "planner")
