"""The commands about the audit trail: words to arguments, nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from graphmind.cli.options import DataDir, Given, Json, Neo4j, context

audit_app = typer.Typer(help="Read, prove and export the audit trail of repairs.")


@audit_app.callback(invoke_without_command=True)
def audit(
    ctx: typer.Context,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    repair: Annotated[str | None, typer.Option(help="Only entries of this repair")] = None,
    trace: Annotated[str, typer.Option(help="Only repairs that name this trace")] = "",
    task: Annotated[str, typer.Option(help="Only repairs that name this task")] = "",
    strategy: Annotated[
        str, typer.Option(help="Only repairs by this strategy, of any revision or of one")
    ] = "",
    records: Annotated[
        bool, typer.Option("--records", help="One record for each repair and trace instead")
    ] = False,
    per_hour: Annotated[
        bool, typer.Option("--per-hour", help="Counts by hour, event and operator instead")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Entries read at most")] = 1000,
    json: Json = False,
) -> None:
    """Show the audit trail in order; without a command, its entries."""
    ctx.obj = Given(
        data_dir=data_dir or ctx.obj.data_dir,
        neo4j=neo4j or ctx.obj.neo4j,
        json=json or ctx.obj.json,
    )
    if ctx.invoked_subcommand is not None:
        return
    from graphmind.cli import audit_commands as commands

    if records and per_hour:
        raise typer.BadParameter("name one of --records and --per-hour")
    commands.show_audit(
        context(ctx.obj, None, None, json=False),
        commands.Wanted(
            repair_id=repair, trace_id=trace, task_id=task, strategy=strategy, limit=limit
        ),
        view="records" if records else "per_hour" if per_hour else "entries",
    )


@audit_app.command()
def verify(
    ctx: typer.Context, data_dir: DataDir = None, neo4j: Neo4j = None, *, json: Json = False
) -> None:
    """Prove that the trail is what was written; exit 1 with each place where it is not."""
    from graphmind.cli import audit_commands as commands

    commands.verify_audit(context(ctx.obj, data_dir, neo4j, json=json))


@audit_app.command()
def export(
    ctx: typer.Context,
    repair: Annotated[str, typer.Argument(help="Id of a repair")],
    file: Annotated[Path | None, typer.Argument(help="File to write [default: print it]")] = None,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
) -> None:
    """Write all that is known of one repair as one JSON document, for auditors elsewhere."""
    from graphmind.cli import audit_commands as commands

    commands.export_package(context(ctx.obj, data_dir, neo4j, json=True), repair, file)
