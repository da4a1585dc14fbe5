"""What the commands of ``repair.py`` do: ask the workbench, print the answer."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import typer
from rich.markup import escape

from graphmind.cli import repair_tables as tables
from graphmind.cli.commands import print_json, working
from graphmind.cli.options import Context
from graphmind.jobs.workbench.port import Workbench
from graphmind.repair.record import Repair
from graphmind.repair.record_json import as_document
from graphmind.repair.states import NotAllowed

ROLE: Final = "approver"
"""Who may write the data folder needs no one's leave to decide."""
HASH_DIGITS_MIN: Final = 12
"""As many as are printed."""
HOUR_MS: Final = 3_600_000


def make_plan(
    run: Context, incident_id: str, *, who: str, strategy: str | None, dry_run: bool
) -> None:
    """Plan a repair and say what would happen."""
    with working(run) as bench:
        planned = bench.plan(incident_id=incident_id, who=who, strategy=strategy, dry_run=dry_run)
        if run.json:
            print_json(document(planned))
            return
        _print_text(run, bench.plan_text(repair_id=planned.repair_id))
    tables.print_state(run.out, planned)


def approve_plan(run: Context, repair_id: str, *, who: str, plan_hash: str, reason: str) -> None:
    """Approve the plan that was shown."""
    with working(run) as bench:
        seen = _plan_seen(run, bench, repair_id, plan_hash)
        found = bench.approve(
            repair_id=repair_id, who=who, role=ROLE, plan_hash=seen, reason=reason
        )
    _print_changed(run, found)


def reject_plan(run: Context, repair_id: str, *, who: str, plan_hash: str, reason: str) -> None:
    """Reject a plan; without a hash, as it is now."""
    with working(run) as bench:
        repair = bench.repair(repair_id=repair_id)
        current = hash_of(repair)
        meant = _same_plan(repair, plan_hash) if plan_hash else current
        found = bench.reject(
            repair_id=repair_id, who=who, role=ROLE, plan_hash=meant, reason=reason
        )
    _print_changed(run, found)


def run_repair(run: Context, repair_id: str, *, who: str) -> None:
    """Run a repair to its last step."""
    with working(run) as bench:
        found = bench.run(repair_id=repair_id, who=who)
    _print_changed(run, found)


def cancel_repair(run: Context, repair_id: str, *, who: str, reason: str) -> None:
    """Cancel a repair."""
    with working(run) as bench:
        found = bench.cancel(repair_id=repair_id, who=who, reason=reason)
    _print_changed(run, found)


def undo_repair(run: Context, repair_id: str, *, who: str, reason: str) -> None:
    """Undo a repair."""
    with working(run) as bench:
        found = bench.undo(repair_id=repair_id, who=who, reason=reason)
    _print_changed(run, found)


def intercept_repair(run: Context, repair_id: str, *, who: str, reason: str) -> None:
    """Ask a running repair to stop."""
    with working(run) as bench:
        found = bench.intercept(repair_id=repair_id, who=who, reason=reason)
    _print_changed(run, found)


def suppress_target(
    run: Context, target: str, *, who: str, reason: str, hours: float | None
) -> None:
    """Suppress repairs for some hours: None for good, 0 lifts it."""
    until_ms = None if hours is None else time.time_ns() // 1_000_000 + round(hours * HOUR_MS)
    with working(run) as bench:
        bench.suppress(target=target, who=who, reason=reason, until_ms=until_ms)
    if run.json:
        print_json({"target": target, "until_ms": until_ms, "by": who, "why": reason})
    elif hours == 0.0:
        run.out.print(f"{escape(target)} may be repaired again")
    else:
        until = "until it is lifted" if hours is None else f"for {hours:g} h"
        run.out.print(f"{escape(target)} is not repaired {until}")


def stop_all(run: Context, *, on: bool, who: str, reason: str) -> None:
    """Set or release the stop switch."""
    with working(run) as bench:
        bench.stop(on=on, who=who, reason=reason)
    if run.json:
        print_json({"on": on, "by": who, "why": reason})
    else:
        run.out.print("all repairs are stopped" if on else "repairs may run again")


def list_repairs(
    run: Context, *, incident_id: str | None, states: Sequence[str], limit: int
) -> None:
    """List repairs."""
    wanted: list[str] = [tables.state_of(name) for name in states]
    with working(run) as bench:
        found = bench.repairs(incident_id=incident_id, states=wanted, limit=limit)
    if run.json:
        print_json({"repairs": [document(each) for each in found]})
    else:
        tables.print_repairs(run.out, found)


def show_repair(run: Context, repair_id: str) -> None:
    """Show one repair whole."""
    with working(run) as bench:
        found = bench.repair(repair_id=repair_id)
    if run.json:
        print_json(document(found))
    else:
        tables.print_repair(run.out, found)


def document(repair: Repair) -> dict[str, Any]:
    """Return a repair as JSON values, with the hash that an approval binds to."""
    return as_document(repair) | {"plan_hash": hash_of(repair)}


def hash_of(repair: Repair) -> str:
    """Return the hash of a repair's plan; empty where it has none."""
    return repair.plan.plan_hash if repair.plan else ""


def _plan_seen(run: Context, bench: Workbench, repair_id: str, plan_hash: str) -> str:
    """Return the hash of the plan that the person saw: named, or shown here and agreed to."""
    repair = bench.repair(repair_id=repair_id)
    if plan_hash:
        return _same_plan(repair, plan_hash)
    if repair.plan is None:
        raise NotAllowed(f"Repair {repair_id} is {repair.state} and has no plan to approve.")
    if run.json or not sys.stdin.isatty():
        raise typer.BadParameter(
            f"approve what was read: --plan-hash {hash_of(repair)[:HASH_DIGITS_MIN]} is the plan "
            f"now, `graphmind repairs {repair_id}` shows it",
            param_hint="--plan-hash",
        )
    _print_text(replace(run, out=run.err), bench.plan_text(repair_id=repair_id))
    typer.confirm("Approve exactly this?", abort=True, err=True)
    return hash_of(repair)


def _same_plan(repair: Repair, given: str) -> str:
    current = hash_of(repair)
    if len(given) < HASH_DIGITS_MIN:
        raise typer.BadParameter(
            f"expected at least {HASH_DIGITS_MIN} digits of the hash, got {given!r}",
            param_hint="--plan-hash",
        )
    if not current.startswith(given):
        now = f"it is {current[:HASH_DIGITS_MIN]} now" if current else "it has none now"
        raise NotAllowed(
            f"The plan of repair {repair.repair_id} is not {given}: {now}. "
            f"Read it again: graphmind repairs {repair.repair_id}"
        )
    return current


def _print_changed(run: Context, repair: Repair) -> None:
    if run.json:
        print_json(document(repair))
    else:
        tables.print_state(run.out, repair)


def _print_text(run: Context, text: str) -> None:
    run.out.print(text, markup=False, soft_wrap=True)
