"""How a repair looks at a terminal."""

import io
from dataclasses import replace

import pytest
import typer
from rich.console import Console

from graphmind.cli import repair_tables as tables
from graphmind.repair.record import Approval, StepRun, StepState
from graphmind.repair.states import State
from tests.repair.repairs import repair, step

FIGURES = {"requests": 20, "p95_ms": 900.0, "failure_rate": 0.01, "answer_rate": None}
EFFECT = {
    "healthy": FIGURES,
    "before": FIGURES | {"p95_ms": 15_000.0, "failure_rate": 0.4},
    "after": FIGURES | {"p95_ms": 910.0},
    "back": {"p95_ms": True, "failure_rate": False, "answer_rate": None},
}


def printed(print_it, *values):
    text = io.StringIO()
    print_it(Console(file=text, width=120, highlight=False), *values)
    return text.getvalue()


def ran():
    found = repair("r1", step(1, "a"), step(2, "b"), state=State.SUCCEEDED, verdict="effective")
    applied = StepRun(number=1, state=StepState.APPLIED, attempts=2, started_ms=1_000, detail="set")
    stale = Approval(who="ann", role="approver", approved=True, at_ms=1_000, plan_hash="0" * 64)
    return replace(found, steps=(applied,), approvals=(stale,), verification={"effect": EFFECT})


def test_a_repair_is_told_with_steps_approvals_verdict_and_figures():
    text = printed(tables.print_repair, ran())

    assert "1. [model] set a from old to new\n     applied, attempt 2: set" in text
    assert "2. [model] set b from old to new\n     not begun" in text
    assert "approved by ann (approver)" in text
    assert "(an earlier plan)" in text
    assert "verdict: effective" in text
    rows = [line.split() for line in text.splitlines()]
    assert next(r for r in rows if "P95" in r)[-8:] == "│ 900 │ 1.5e+04 │ 910 │ yes │".split()[-8:]
    assert "no" in next(r for r in rows if "failure" in r and "rate" in r)


def test_what_a_name_holds_is_never_taken_for_markup():
    odd = replace(ran(), reason="[bold]x[/bold] [/nothing]", requested_by="[red]")

    text = printed(tables.print_repair, odd)

    assert "[bold]x[/bold] [/nothing]" in text
    assert "[red]" in text


def test_what_may_follow_is_named_but_not_for_a_dry_run():
    waiting = repair("r1", step(1, "a"), state=State.AWAITING_APPROVAL)

    assert "graphmind approve r1" in printed(tables.print_state, waiting)
    assert "graphmind" not in printed(tables.print_state, replace(waiting, mode="dry_run"))


def test_nothing_is_said_to_be_nothing():
    assert printed(tables.print_repairs, []) == "No repairs.\n"
    assert printed(tables.print_entries, []) == "No entries.\n"


def test_a_state_is_named_as_people_write_it():
    assert tables.state_of("Awaiting-Approval") is State.AWAITING_APPROVAL
    with pytest.raises(typer.BadParameter, match="expected one of proposed"):
        tables.state_of("sad")
