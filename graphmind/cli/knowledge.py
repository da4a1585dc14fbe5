"""The commands that set an incident beside what is known: words to arguments, nothing else."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from graphmind.cli.options import DataDir, Json, Neo4j, context

knowledge = typer.Typer()
library_app = typer.Typer(no_args_is_help=True, help="Carry the library of past incidents.")
knowledge.add_typer(library_app, name="library")

Incident = Annotated[str, typer.Argument(help="Id of an incident")]


@knowledge.command()
def similar(
    ctx: typer.Context,
    incident: Incident,
    limit: Annotated[int, typer.Option(min=1, help="Past incidents shown at most")] = 3,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
) -> None:
    """Say whether an incident was seen before, and what matches and does not."""
    from graphmind.cli import knowledge_commands as run

    run.show_similar(context(ctx.obj, data_dir, neo4j, json=json), incident, limit)


@knowledge.command()
def review(
    ctx: typer.Context,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    week: Annotated[str, typer.Option(help="As 2026-W47; else that of the last trace")] = "",
    json: Json = False,
) -> None:
    """Write the review of a week: new, recurring and resolved causes, and what to discuss."""
    from graphmind.cli import knowledge_commands as run

    run.write_review(context(ctx.obj, data_dir, neo4j, json=json), week)


@knowledge.command()
def diagnose(
    ctx: typer.Context,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    task: Annotated[str, typer.Option(help="Id of a task: its newest failing trace")] = "",
    trace: Annotated[str, typer.Option(help="Id of a trace")] = "",
    json: Json = False,
) -> None:
    """Put spans, logs and metrics of a task or a trace side by side, with what to do."""
    from graphmind.cli.diagnose import show_diagnosis

    if bool(task) == bool(trace):
        raise typer.BadParameter("name one of --task and --trace")
    given = context(ctx.obj, data_dir, neo4j, json=json)
    show_diagnosis(given, task_id=task, trace_id=trace)


@knowledge.command()
def lineage(
    ctx: typer.Context,
    incident: Annotated[str, typer.Argument(help="Id of an incident")] = "",
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    key: Annotated[str, typer.Option(help="Follow the value of this key instead")] = "",
    at_ms: Annotated[int | None, typer.Option(help="As it was then [default: now]")] = None,
    trace: Annotated[str, typer.Option(help="Follow what this trace wrote instead")] = "",
    json: Json = False,
) -> None:
    """Follow a bad value: patient zero, what is infected and at risk, what to quarantine."""
    from graphmind.cli import knowledge_commands as run

    if sum(map(bool, (incident, key, trace))) != 1:
        raise typer.BadParameter("name one of INCIDENT, --key and --trace")
    given = context(ctx.obj, data_dir, neo4j, json=json)
    run.show_lineage(given, incident=incident, key=key, at_ms=at_ms, trace=trace)


@knowledge.command()
def classify(
    ctx: typer.Context,
    incident: Incident,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
) -> None:
    """Name the class of an incident's root cause, by rules and by confirmed cases."""
    from graphmind.cli import knowledge_commands as run

    run.show_class(context(ctx.obj, data_dir, neo4j, json=json), incident)


@knowledge.command()
def confirm(
    ctx: typer.Context,
    incident: Incident,
    label: Annotated[str, typer.Argument(help="Class of its root cause, e.g. model_hang")],
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    by: Annotated[str | None, typer.Option(help="Who confirms it [default: you]")] = None,
    json: Json = False,
) -> None:
    """Confirm the class of an incident's root cause: the classifier learns from it."""
    from graphmind.cli import knowledge_commands as run

    who = by or getpass.getuser()
    run.confirm_class(context(ctx.obj, data_dir, neo4j, json=json), incident, label, by=who)


@knowledge.command()
def anomalies(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Traces shown at most")] = 20,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
) -> None:
    """List the traces that behave least like the usual ones, labels or none."""
    from graphmind.cli import knowledge_commands as run

    run.list_anomalies(context(ctx.obj, data_dir, neo4j, json=json), limit)


@library_app.command("export")
def export_library(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write, JSON lines")],
    origin: Annotated[str, typer.Option(help="Name of this library in the file")] = "",
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
) -> None:
    """Write the fingerprints of all incidents known to a file."""
    from graphmind.cli import knowledge_commands as run

    run.write_library(context(ctx.obj, data_dir, neo4j, json=json), file, origin=origin)


@library_app.command("import")
def import_library(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="File that `library export` wrote")],
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
) -> None:
    """Add the fingerprints of a file, all or none."""
    from graphmind.cli import knowledge_commands as run

    run.read_library(context(ctx.obj, data_dir, neo4j, json=json), file)
