"""The commands that plan, decide, run and undo repairs: words to arguments, nothing else."""

import getpass
from enum import StrEnum
from typing import Annotated

import typer

from graphmind.cli.audit import audit_app
from graphmind.cli.options import DataDir, Json, Neo4j, context
from graphmind.cli.strategies import strategies_app

repair_app = typer.Typer()
repair_app.add_typer(strategies_app, name="strategies")
repair_app.add_typer(audit_app, name="audit")

RepairId = Annotated[str, typer.Argument(help="Id of a repair")]
As = Annotated[str | None, typer.Option("--as", help="Who acts [default: you]")]
Reason = Annotated[str, typer.Option(help="Why, for the audit trail")]
PlanHash = Annotated[
    str, typer.Option(help="Hash of the plan that was read; its first 12 digits are enough")
]


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


@repair_app.command()
def plan(
    ctx: typer.Context,
    incident: Annotated[str, typer.Argument(help="Id of an incident")],
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    strategy: Annotated[
        str | None, typer.Option(help="Id of the strategy [default: the best match]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="It can never be run")] = False,
    by: As = None,
    json: Json = False,
) -> None:
    """Plan the repair of an incident: print exactly what would happen, and change nothing."""
    from graphmind.cli import repair_commands as commands

    run = context(ctx.obj, data_dir, neo4j, json=json)
    commands.make_plan(run, incident, who=_who(by), strategy=strategy, dry_run=dry_run)


@repair_app.command()
def approve(
    ctx: typer.Context,
    repair: RepairId,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    reason: Reason = "",
    plan_hash: PlanHash = "",
    by: As = None,
    json: Json = False,
) -> None:
    """Approve the plan of a repair as it is shown; one that changed since is refused."""
    from graphmind.cli import repair_commands as commands

    run = context(ctx.obj, data_dir, neo4j, json=json)
    commands.approve_plan(run, repair, who=_who(by), plan_hash=plan_hash, reason=reason)


@repair_app.command()
def reject(
    ctx: typer.Context,
    repair: RepairId,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    reason: Reason = "",
    plan_hash: PlanHash = "",
    by: As = None,
    json: Json = False,
) -> None:
    """Reject the plan of a repair."""
    from graphmind.cli import repair_commands as commands

    run = context(ctx.obj, data_dir, neo4j, json=json)
    commands.reject_plan(run, repair, who=_who(by), plan_hash=plan_hash, reason=reason)


@repair_app.command("run")
def run_command(
    ctx: typer.Context,
    repair: RepairId,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    by: As = None,
    json: Json = False,
) -> None:
    """Run an approved repair, step by step; a step that fails undoes those before it."""
    from graphmind.cli import repair_commands as commands

    commands.run_repair(context(ctx.obj, data_dir, neo4j, json=json), repair, who=_who(by))


@repair_app.command()
def cancel(
    ctx: typer.Context,
    repair: RepairId,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    reason: Reason = "",
    by: As = None,
    json: Json = False,
) -> None:
    """Cancel a repair that does not run yet."""
    from graphmind.cli import repair_commands as commands

    run = context(ctx.obj, data_dir, neo4j, json=json)
    commands.cancel_repair(run, repair, who=_who(by), reason=reason)


@repair_app.command()
def undo(
    ctx: typer.Context,
    repair: RepairId,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    reason: Reason = "",
    by: As = None,
    json: Json = False,
) -> None:
    """Undo what a repair did, last step first."""
    from graphmind.cli import repair_commands as commands

    run = context(ctx.obj, data_dir, neo4j, json=json)
    commands.undo_repair(run, repair, who=_who(by), reason=reason)


@repair_app.command()
def intercept(
    ctx: typer.Context,
    repair: RepairId,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    reason: Reason = "",
    by: As = None,
    json: Json = False,
) -> None:
    """Stop a running repair before its next step; what it did is undone."""
    from graphmind.cli import repair_commands as commands

    run = context(ctx.obj, data_dir, neo4j, json=json)
    commands.intercept_repair(run, repair, who=_who(by), reason=reason)


@repair_app.command()
def suppress(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(help="incident:ID, cluster:ID, strategy:ID or target:LEVEL:NAME")
    ],
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    hours: Annotated[
        float | None, typer.Option(min=0.0, help="For so long [default: until lifted]")
    ] = None,
    lift: Annotated[bool, typer.Option("--lift", help="Allow repairs again")] = False,
    reason: Reason = "",
    by: As = None,
    json: Json = False,
) -> None:
    """Allow no repair of an incident or a target, or none by a strategy."""
    from graphmind.cli import repair_commands as commands

    if lift and hours is not None:
        raise typer.BadParameter("name one of --hours and --lift")
    run = context(ctx.obj, data_dir, neo4j, json=json)
    for_hours = 0.0 if lift else hours
    commands.suppress_target(run, target, who=_who(by), reason=reason, hours=for_hours)


@repair_app.command()
def stop(
    ctx: typer.Context,
    switch: Annotated[Switch, typer.Argument(help="on: nothing runs; off: repairs may run again")],
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    reason: Reason = "",
    by: As = None,
    json: Json = False,
) -> None:
    """Stop all repairs, those that run included, or release that stop."""
    from graphmind.cli import repair_commands as commands

    run = context(ctx.obj, data_dir, neo4j, json=json)
    commands.stop_all(run, on=switch is Switch.ON, who=_who(by), reason=reason)


@repair_app.command()
def repairs(
    ctx: typer.Context,
    repair: Annotated[str, typer.Argument(help="Id of a repair: show it whole")] = "",
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    incident: Annotated[str | None, typer.Option(help="Only those of this incident")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Only those in this state")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Repairs shown at most")] = 50,
    json: Json = False,
) -> None:
    """List repairs, newest first, or show one: plan, steps, approvals, verdict, figures."""
    from graphmind.cli import repair_commands as commands

    run = context(ctx.obj, data_dir, neo4j, json=json)
    if repair:
        commands.show_repair(run, repair)
    else:
        commands.list_repairs(run, incident_id=incident, states=state or [], limit=limit)


def _who(given: str | None) -> str:
    return given or getpass.getuser()
