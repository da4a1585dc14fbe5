"""The commands, in the order of the data's way: words to arguments, nothing else."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from graphmind import __version__
from graphmind.cli.keys import keys_app
from graphmind.cli.knowledge import knowledge
from graphmind.cli.memory import bound_memory
from graphmind.cli.options import DataDir, Given, Json, Neo4j, context
from graphmind.cli.repair import repair_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Finds the shared cause behind many failing traces, and proposes the repair.",
    epilog="Exit codes: 0 done, 1 a check failed, 2 wrong usage or settings, 3 input cannot be "
    "read, 4 a store does not answer or is busy, 5 no such name or query refused, 6 a repair is "
    "refused as it stands, 7 a control plane refuses or does not answer, 130 interrupted.",
)
Paths = Annotated[
    list[str] | None, typer.Argument(help="Files, folders, globs, or - for standard input")
]


@app.callback(invoke_without_command=True)
def before(
    ctx: typer.Context,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
    show: Annotated[bool, typer.Option("--version", help="Print the version")] = False,
) -> None:
    """Finds the shared cause behind many failing traces, and proposes the repair."""
    if show:
        typer.echo(__version__)
        raise typer.Exit
    ctx.obj = Given(data_dir=data_dir, neo4j=neo4j, json=json)


@app.command("load")
def load_command(
    ctx: typer.Context,
    paths: Annotated[list[str], typer.Argument(help="Files, folders, globs, or -")],
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
) -> None:
    """Load trace files, and inventories of agents, models and keys, into the data folder."""
    from graphmind.cli import commands

    commands.load_paths(context(ctx.obj, data_dir, neo4j, json=json), paths)


@app.command("analyze")
def analyze_command(
    ctx: typer.Context,
    paths: Paths = None,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
) -> None:
    """Find which failing traces share a cause: of these files, or of all that is loaded."""
    from graphmind.cli import commands

    commands.analyze_paths(context(ctx.obj, data_dir, neo4j, json=json), paths or [])


@app.command()
def incidents(
    ctx: typer.Context, data_dir: DataDir = None, neo4j: Neo4j = None, *, json: Json = False
) -> None:
    """List the incidents found so far."""
    from graphmind.cli import commands

    commands.list_incidents(context(ctx.obj, data_dir, neo4j, json=json))


@app.command()
def explain(
    ctx: typer.Context,
    incident: Annotated[str, typer.Argument(help="Id of an incident")],
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
) -> None:
    """Show where, what, how, since when and who else of one incident, with its command."""
    from graphmind.cli import commands

    commands.explain_incident(context(ctx.obj, data_dir, neo4j, json=json), incident)


@app.command()
def ask(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of a question")] = "",
    param: Annotated[list[str] | None, typer.Option("--param", help="NAME=VALUE")] = None,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    listed: Annotated[bool, typer.Option("--list", help="List the questions")] = False,
    json: Json = False,
) -> None:
    """Ask the graph one of the questions in cypher/questions/."""
    from graphmind.cli import commands

    run = context(ctx.obj, data_dir, neo4j, json=json)
    if listed or not name:
        commands.list_all_questions(run)
    else:
        commands.ask_question(run, name, param or [])


@app.command()
def schema(
    *, check: Annotated[bool, typer.Option("--check", help="Only say what is stale")] = False
) -> None:
    """Write the files generated from the graph's schema, or check that they are fresh."""
    from graphmind.graph.generated import stale_files, write_files

    if not check:
        for path in write_files():
            typer.echo(f"wrote {path}")
        return
    stale = stale_files()
    for path in stale:
        typer.echo(f"{path} is stale: run `graphmind schema`", err=True)
    raise typer.Exit(1 if stale else 0)


@app.command()
def simulate(  # noqa: PLR0917 - one option a parameter
    folder: Annotated[Path, typer.Argument(help="Folder to write to")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes")] = 1,
    traces: Annotated[int, typer.Option(help="Jobs submitted")] = 5000,
    incidents: Annotated[int, typer.Option(help="Incidents planted")] = 3,
    kind: Annotated[list[str] | None, typer.Option(help="Kind of incident to plant")] = None,
    minutes: Annotated[float, typer.Option(help="Length of the window")] = 60.0,
) -> None:
    """Write planted incidents as OTLP JSON lines, with a truth file beside them."""
    from graphmind.cli import commands
    from graphmind.simulation.scenario import Scenario

    scenario = Scenario(
        seed=seed,
        traces=traces,
        incidents=incidents,
        kinds=tuple(kind) if kind else None,
        minutes=minutes,
    )
    commands.simulate_into(context(Given(), None, None, json=False), scenario, folder)


@app.command()
def demo(  # noqa: PLR0917 - one option a parameter
    ctx: typer.Context,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    fault: Annotated[
        str, typer.Option(help="With --live: a fault of examples/agent_platform")
    ] = "hanging-model",
    seed: Annotated[int, typer.Option(help="With --live: chooses what the fault hits")] = 0,
    rate: Annotated[float, typer.Option(help="With --live: tasks a second", min=0.5)] = 20.0,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Start a platform of real processes, break it, heal it")
    ] = False,
    twice: Annotated[
        bool, typer.Option("--twice", help="With --live: the fault comes again once healed")
    ] = False,
    serve: Annotated[
        bool | None,
        typer.Option(
            "--serve/--no-serve",
            help="Then show it in a browser  [default: where a person looks on]",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Simulate a platform with three incidents, and find them; or heal a real one with --live."""
    if live:
        from graphmind.cli.live_demo import run_live
        from graphmind.demo.play import Script

        run = context(ctx.obj, data_dir, neo4j, json=json)
        kept = data_dir or ctx.obj.data_dir
        script = Script(fault=fault, seed=seed, rate=rate, again=twice, folder=kept)
        raise typer.Exit(run_live(run, script))
    from graphmind.cli import commands

    folder = data_dir or ctx.obj.data_dir or Path(".graphmind", "demo")
    commands.run_demo(context(ctx.obj, folder, neo4j, json=json), serve=serve)


@app.command()
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8460,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
) -> None:
    """Take telemetry in, find incidents as they happen, and serve the API, until interrupted."""
    bound_memory()
    from graphmind.cli import commands

    commands.serve_live(context(ctx.obj, data_dir, neo4j, json=False), host=host, port=port)


app.add_typer(keys_app, name="keys")
app.add_typer(knowledge)
app.add_typer(repair_app)


def broken_pipe() -> NoReturn:
    """End quietly when the reader of our output has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0)
