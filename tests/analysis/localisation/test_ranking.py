"""One fault at a time, in a shop whose front calls a cart and a bank."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from graphmind.analysis.localisation.behaviour import BehaviourEvidence
from graphmind.analysis.localisation.period import Period, period_from_spans, without_statements
from graphmind.analysis.localisation.ranking import localise
from graphmind.analysis.localisation.time_channel import TimeEvidence
from graphmind.analysis.localisation.transitions import Event, Point, Transition
from graphmind.analysis.localisation.units import Unit
from graphmind.telemetry.facts import ASSEMBLED
from tests.analysis.localisation.sketch import Span, period


def visit(
    *,
    front: float = 5,
    to_cart: float = 1,
    cart: float = 8,
    to_bank: float = 1,
    bank: float = 8,
    bank_says: tuple[str, ...] = ("INFO paid",),
) -> Span:
    """Draw a visit: the front works, then calls the cart and the bank; costs in ms."""
    arrives = front + 2 * to_cart + cart
    bank_at = arrives + to_bank
    said = tuple((bank_at + n, text) for n, text in enumerate(bank_says, 1))
    return Span(
        "front:visit",
        0,
        arrives + 2 * to_bank + bank,
        (
            Span(
                "front:to-cart",
                front,
                arrives,
                (Span("cart:add", front + to_cart, front + to_cart + cart),),
            ),
            Span(
                "front:to-bank",
                arrives,
                arrives + 2 * to_bank + bank,
                (Span("bank:pay", bank_at, bank_at + bank, says=said),),
            ),
        ),
    )


def visits(
    seed: int, draw: Callable[[float], Span] = lambda noise: visit(front=5 + noise)
) -> Period:
    """Draw 40 visits whose cost varies by up to a millisecond."""
    noise = np.random.default_rng(seed).random(40)
    return period([draw(round(float(each), 3)) for each in noise])


REFERENCES = [visits(seed) for seed in (1, 2, 3)]


def slowest(window: Period) -> tuple[str, TimeEvidence]:
    suspect = localise(window, REFERENCES).suspects[0]
    assert suspect.time_evidence is not None
    return suspect.service, suspect.time_evidence


def oddest(window: Period) -> tuple[str, BehaviourEvidence]:
    suspect = localise(window, REFERENCES).suspects[0]
    assert suspect.behaviour_evidence is not None
    return suspect.service, suspect.behaviour_evidence


def test_a_service_that_works_slower_is_named_with_its_unit():
    service, evidence = slowest(visits(4, lambda noise: visit(bank=30 + noise)))

    assert (service, evidence.parts) == ("bank", ("self",))
    assert evidence.unit == Unit("bank", "bank", "pay")
    assert evidence.before_ms == 8
    assert evidence.now_ms == pytest.approx(30.5, abs=0.5)
    assert (evidence.calls, evidence.traces) == (40, 40)


def test_a_slow_way_is_charged_to_the_callee():
    service, evidence = slowest(visits(4, lambda noise: visit(to_bank=30 + noise)))

    assert (service, evidence.parts) == ("bank", ("in",))
    assert evidence.unit == Unit("front", "bank", "pay")


def test_a_caller_whose_every_way_is_slow_is_starved_itself():
    service, evidence = slowest(visits(4, lambda noise: visit(to_bank=30 + noise, to_cart=30)))

    assert (service, evidence.parts) == ("front", ("out",))


def test_a_few_slow_traces_are_no_fault():
    ranking = localise(visits(4, lambda noise: visit(bank=100 if noise > 0.97 else 8)), REFERENCES)

    assert ranking.weak


def test_a_statement_that_vanished_is_a_deviation_of_its_service():
    service, evidence = oddest(visits(4, lambda _: visit(bank_says=())))

    assert (service, evidence.part) == ("bank", "self")
    assert evidence.strongest.transition == Transition(
        Point("bank", "pay", Event("start")), Event("end")
    )
    assert (evidence.strongest.share, evidence.strongest.traces) == (1.0, 40)
    reference = 0.5 / 121
    assert evidence.strongest.reference_share == pytest.approx(reference)
    assert evidence.strongest.nats == pytest.approx(40 * -np.log(reference) * (1 - reference))


def test_a_new_error_statement_counts_twice():
    error, info = (
        oddest(visits(4, lambda _: visit(bank_says=("INFO paid", said))))  # noqa: B023 - drawn at once
        for said in ("ERROR broke", "INFO broke")
    )

    assert (error[0], info[0]) == ("bank", "bank")
    assert error[1].strongest.nats == pytest.approx(2 * info[1].strongest.nats)


def test_what_follows_a_remote_call_is_charged_to_the_callee_in_full_and_the_caller_in_part():
    stops_after_the_cart = visit().calls[0]
    window = period([Span("front:visit", 0, 15, (stops_after_the_cart,))] * 40)

    (service, evidence), ranking = oddest(window), localise(window, REFERENCES)

    assert (service, evidence.part) == ("cart", "in")
    assert evidence.strongest.transition.point.event == Event("call", "add", callee="cart")
    cart, front = ranking.suspects[:2]
    assert front.service == "front"
    assert front.behaviour == pytest.approx(cart.behaviour / 2, rel=0.01)


def test_quiet_windows_are_weak_evidence():
    assert [localise(visits(seed), REFERENCES).weak for seed in range(4, 9)] == [True] * 5


def test_a_difference_that_fault_free_periods_also_show_is_no_evidence():
    slow_bank = visits(4, lambda noise: visit(bank=30 + noise))
    swinging = [visits(1), visits(2, lambda noise: visit(cart=60 + noise))]

    steady, noisy = localise(slow_bank, REFERENCES), localise(slow_bank, swinging)

    assert not steady.weak
    assert noisy.weak


def test_a_reference_period_that_holds_the_fault_is_left_out():
    slow_bank = visits(4, lambda noise: visit(bank=30 + noise))
    dirty = visits(5, lambda noise: visit(bank=30 + noise))

    ranking = localise(slow_bank, [visits(1), dirty, visits(2), visits(3)])

    assert ranking.left_out == (1,)
    assert ranking.suspects[0].service == "bank"


def test_a_mode_that_two_reference_periods_show_is_kept():
    busy = [visits(seed, lambda noise: visit(bank=30 + noise)) for seed in (5, 6)]

    ranking = localise(visits(4, lambda noise: visit(bank=30 + noise)), [*REFERENCES, *busy])

    assert ranking.left_out == ()
    assert ranking.weak


def test_two_reference_periods_cannot_say_which_is_dirty():
    dirty = visits(5, lambda noise: visit(bank=30 + noise))

    assert localise(visits(4), [visits(1), dirty]).left_out == ()


def broken(at: str, code: str = "unavailable") -> Span:
    """Draw a visit that fails in the bank, or only on the way there (`front`)."""
    drawn = visit()
    to_cart, to_bank = drawn.calls
    paid = replace(to_bank.calls[0], fails=code)
    failed = replace(to_bank, fails=code, calls=() if at == "front" else (paid,))
    return replace(drawn, fails=code, calls=(to_cart, failed))


def test_a_service_that_fails_is_named_with_its_operation_and_not_those_that_pass_it_on():
    ranking = localise(period([visit()] * 20 + [broken("bank")] * 20), REFERENCES)

    assert (ranking.suspects[0].service, ranking.suspects[0].operation) == ("bank", "pay")
    assert [suspect.behaviour for suspect in ranking.suspects[1:]] == pytest.approx(
        [0, 0], abs=0.01
    )


def test_a_call_that_reaches_nobody_is_charged_to_the_service_it_always_reached():
    ranking = localise(period([visit()] * 20 + [broken("front")] * 20), REFERENCES)

    assert (ranking.suspects[0].service, ranking.suspects[0].operation) == ("bank", "pay")
    evidence = ranking.suspects[0].behaviour_evidence
    assert evidence is not None
    assert evidence.part == "in"


def test_failures_that_stop_are_no_fault():
    failing = [period([visit()] * 20 + [broken("bank")] * 20)] * 2

    assert localise(visits(4), failing).suspects[0].behaviour < 1


def test_more_traces_of_the_same_difference_are_not_more_evidence_against_a_wobble():
    swinging = [visits(1), visits(2, lambda _: visit(bank_says=()))]
    few, many = (period([visit(bank_says=("INFO other",))] * count) for count in (40, 160))

    first, second = (localise(window, swinging).suspects[0] for window in (few, many))

    assert first.behaviour == pytest.approx(second.behaviour, rel=0.05)


def test_a_lone_reference_period_wobbles_between_its_halves():
    assert localise(visits(4), REFERENCES[:1]).weak
    slow = visits(4, lambda noise: visit(bank=30 + noise))
    assert localise(slow, REFERENCES[:1]).suspects[0].service == "bank"


def test_logs_that_a_period_lacks_are_not_held_against_the_window():
    silent = [without_statements(each) for each in REFERENCES]

    with_logs, without = visits(4), without_statements(visits(4))

    assert localise(with_logs, silent) == localise(without, silent)


def test_a_service_without_reference_is_ranked_but_not_blamed():
    window = visits(4, lambda noise: Span("new:visit", 0, 500, (visit(front=5 + noise),)))
    new = next(each for each in localise(window, REFERENCES).suspects if each.service == "new")

    assert new.score == 0


def test_a_period_without_traces_blames_nobody():
    empty = period_from_spans(ASSEMBLED.empty_table())

    assert localise(empty, [empty]).suspects == ()
    assert {suspect.score for suspect in localise(empty, REFERENCES).suspects} == {0}
    assert {suspect.score for suspect in localise(REFERENCES[0], [empty]).suspects} == {0}
