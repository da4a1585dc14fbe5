"""The commands about API keys. They hold from the next request on, whether or not a server runs."""

from enum import StrEnum
from typing import Annotated

import typer

from graphmind.cli.options import DataDir, Json, context

keys_app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")
Name = Annotated[str, typer.Argument(help="Who uses it; the audit trail names them so")]


class RoleName(StrEnum):
    """The roles, least first."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    APPROVER = "approver"
    ADMIN = "admin"


@keys_app.command()
def create(
    ctx: typer.Context,
    name: Name,
    role: Annotated[RoleName, typer.Option(help="What it may: each role what those before may")],
    data_dir: DataDir = None,
    *,
    expires_days: Annotated[
        float | None, typer.Option(min=0.0, help="Days until it opens nothing [default: never]")
    ] = None,
    json: Json = False,
) -> None:
    """Make a key and print its token, which nothing can show again."""
    from graphmind.cli import keys_commands as commands

    run = context(ctx.obj, data_dir, None, json=json)
    commands.create_key(run, name, role.value, days=expires_days)


@keys_app.command("list")
def list_command(ctx: typer.Context, data_dir: DataDir = None, *, json: Json = False) -> None:
    """List the keys, without their tokens."""
    from graphmind.cli import keys_commands as commands

    commands.list_keys(context(ctx.obj, data_dir, None, json=json))


@keys_app.command()
def revoke(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the key")],
    data_dir: DataDir = None,
    *,
    json: Json = False,
) -> None:
    """Forget a key: it opens nothing from now on, and sessions begun by it end."""
    from graphmind.cli import keys_commands as commands

    commands.revoke_key(context(ctx.obj, data_dir, None, json=json), name)
