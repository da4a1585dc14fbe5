"""The commands about strategies: words to arguments, nothing else."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from graphmind.cli.options import DataDir, Json, Neo4j, context

strategies_app = typer.Typer(no_args_is_help=True, help="List, check and approve strategies.")


@strategies_app.command("list")
def list_command(
    ctx: typer.Context, data_dir: DataDir = None, neo4j: Neo4j = None, *, json: Json = False
) -> None:
    """List the revisions of all strategies: in use, waiting for approval, or older."""
    from graphmind.cli import audit_commands as commands

    commands.list_strategies(context(ctx.obj, data_dir, neo4j, json=json))


@strategies_app.command()
def validate(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="YAML files of strategies, or folders")],
    *,
    json: Json = False,
) -> None:
    """Check strategy files against the published schema; exit 1 with all that is wrong."""
    from graphmind.cli import audit_commands as commands

    commands.validate_strategies(context(ctx.obj, None, None, json=json), files)


@strategies_app.command()
def approve(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(help="STRATEGY@REVISION, as `strategies list` names it")],
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    by: Annotated[str | None, typer.Option("--as", help="Who acts [default: you]")] = None,
    json: Json = False,
) -> None:
    """Approve a revision of a strategy; who proposed it cannot."""
    from graphmind.cli import audit_commands as commands

    run = context(ctx.obj, data_dir, neo4j, json=json)
    commands.approve_strategy(run, key, who=by or getpass.getuser())
