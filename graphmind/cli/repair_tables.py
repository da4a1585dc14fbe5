"""How repairs, strategies and the audit trail look at a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from graphmind.cli.tables import moment, print_rows
from graphmind.repair.journal import AuditEntry
from graphmind.repair.model import Plan
from graphmind.repair.progress import run_of
from graphmind.repair.record import Repair
from graphmind.repair.states import State

__all__ = ["print_entries", "print_repair", "print_repairs", "print_rows", "print_strategies"]

NEXT: Final[Mapping[State, tuple[str, ...]]] = {
    State.AWAITING_APPROVAL: ("approve", "reject"),
    State.APPROVED: ("run", "cancel"),
    State.RUNNING: ("intercept",),
    State.VERIFYING: ("undo",),
    State.HARMFUL: ("undo",),
    State.INEFFECTIVE: ("undo",),
    State.INCONCLUSIVE: ("undo",),
    State.FAILED: ("undo",),
}
"""What people mostly do next."""
FIGURES: Final = (
    ("p95_ms", "P95 latency, ms"),
    ("failure_rate", "failure rate"),
    ("answer_rate", "callbacks answered"),
    ("requests", "requests"),
)
SAID: Final = ("level", "target", "call", "step", "state", "detail", "reason")
"""What of an entry's body is shown; --json has all."""
TOLD_MAX: Final = 200
"""Characters of a value of an entry (chosen)."""


def state_of(name: str) -> State:
    """Read the name of a state as people write it."""
    try:
        return State(name.lower().replace("-", "_"))
    except ValueError:
        known = ", ".join(State)
        raise typer.BadParameter(f"expected one of {known}, got {name!r}") from None


def print_state(out: Console, repair: Repair) -> None:
    """Print where a repair stands, why, and what may follow."""
    why = f": {escape(repair.reason)}" if repair.reason else ""
    dry = " (dry run)" if repair.mode == "dry_run" else ""
    out.print(
        f"[bold]{escape(repair.repair_id)}[/bold] is {repair.state}{dry}{why}", soft_wrap=True
    )
    if repair.mode == "live":
        for command in NEXT.get(repair.state, ()):
            out.print(f"  next: graphmind {command} {escape(repair.repair_id)}", soft_wrap=True)


def print_repairs(out: Console, repairs: Sequence[Repair]) -> None:
    """Print two lines a repair: a table would fold the names that people copy."""
    if not repairs:
        out.print("No repairs.")
    for each in repairs:
        verdict = f", {each.verdict}" if each.verdict else ""
        strategy = each.strategy.partition("@")[0]
        out.print(
            f"[bold]{escape(each.repair_id)}[/bold]  {each.state}{escape(verdict)}  "
            f"{escape(each.target)} by {escape(strategy)}",
            soft_wrap=True,
        )
        asked = f"asked {moment(each.requested_ms)} UTC by {each.requested_by}"
        out.print(f"  {escape(each.incident_id)}, {escape(asked)}", soft_wrap=True)


def print_repair(out: Console, repair: Repair) -> None:
    """Print everything known about one repair."""
    print_state(out, repair)
    lines = Table.grid(padding=(0, 2))
    lines.add_column(min_width=10)
    lines.add_column(overflow="fold")
    for name, value in _facts(repair):
        lines.add_row(f"  {name}", escape(value))
    out.print(lines)
    if repair.plan is not None:
        _print_plan(out, repair, repair.plan)
    for approval in repair.approvals:
        word = "approved" if approval.approved else "rejected"
        stale = repair.plan is None or approval.plan_hash != repair.plan.plan_hash
        older = " (an earlier plan)" if stale else ""
        why = f": {approval.reason}" if approval.reason else ""
        told = f"{word} by {approval.who} ({approval.role}) {moment(approval.at_ms)} UTC"
        out.print(escape(f"{told}{older}{why}"))
    _print_effect(out, repair)


def print_strategies(out: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a row a revision."""
    shown = ("key", "repair_level", "state", "title")
    print_rows(out, [{name: row[name] for name in shown} for row in rows])


def print_entries(out: Console, entries: Sequence[AuditEntry]) -> None:
    """Print a line an entry, in order."""
    if not entries:
        out.print("No entries.")
    for entry in entries:
        draft = entry.draft
        said = ", ".join(
            f"{name} {_told(draft.body[name])}" for name in SAID if draft.body.get(name)
        )
        of = f" {draft.repair_id}" if draft.repair_id else ""
        line = f"{entry.seq}  {moment(draft.at_ms)}  {draft.what}{of} by {draft.who}"
        out.print(f"{line}: {said}" if said else line, markup=False, soft_wrap=True)


def _facts(repair: Repair) -> list[tuple[str, str]]:
    times = (
        ("asked", repair.requested_ms),
        ("started", repair.started_ms),
        ("executed", repair.executed_ms),
        ("ended", repair.ended_ms),
    )
    return [
        ("incident", repair.incident_id),
        ("cause", repair.root_cause),
        ("strategy", repair.strategy),
        ("target", repair.target),
        ("by", f"{repair.requested_by} ({repair.operator})"),
        *((name, f"{moment(at_ms)} UTC") for name, at_ms in times if at_ms is not None),
    ]


def _print_plan(out: Console, repair: Repair, plan: Plan) -> None:
    out.print(f"\nplan {plan.plan_hash[:12]}, holds until {moment(plan.expires_ms)} UTC")
    for step in plan.steps:
        run = run_of(repair, step)
        state = str(run.state) if run else "not begun"
        again = f", attempt {run.attempts}" if run and run.attempts > 1 else ""
        detail = f": {run.detail}" if run and run.detail else ""
        told = f"  {step.number}. [{step.level}] {step.summary}"
        out.print(told, markup=False, soft_wrap=True)
        out.print(f"     {state}{again}{detail}", markup=False, soft_wrap=True)
    impact = plan.impact
    out.print(
        f"  hits {impact.traces} traces, {impact.share:.1%} of the traffic; "
        f"{impact.unfinished} under way"
    )
    for warning in plan.warnings:
        out.print(f"  warning: {warning}", markup=False, soft_wrap=True)


def _print_effect(out: Console, repair: Repair) -> None:
    """Print the verdict and the figures before and after, as far as they are known."""
    if repair.verdict:
        out.print(f"\n[bold]verdict: {escape(repair.verdict)}[/bold]")
    effect = repair.verification.get("effect")
    if not effect:
        return
    table = Table()
    for name in ("figure", "healthy", "before", "after", "back"):
        table.add_column(name)
    for key, name in FIGURES:
        values = [_figure(effect[when].get(key)) for when in ("healthy", "before", "after")]
        table.add_row(name, *values, _is_back(effect["back"].get(key)))
    out.print(table)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _is_back(value: bool | None) -> str:  # noqa: FBT001 - one cell
    return {None: "", True: "yes", False: "no"}[value]


def _told(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= TOLD_MAX else f"{text[:TOLD_MAX]}..."
