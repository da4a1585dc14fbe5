"""The commands, in the order of the data's way."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import pyarrow as pa
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from graphmind import __version__
from graphmind.archive.port import Selection
from graphmind.cli import tables
from graphmind.cli.options import Context, DataDir, Json, Neo4j, context
from graphmind.errors import UnknownName
from graphmind.graph.generated import stale_files, write_files
from graphmind.graph.questions import bind, list_questions, question
from graphmind.jobs.analyze import Analysis, analyze
from graphmind.jobs.load import Loaded, load
from graphmind.jobs.settle import settle
from graphmind.jobs.stores import Stores
from graphmind.simulation.files import SPANS_FILE
from graphmind.simulation.files import write as write_simulation
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate as simulated
from graphmind.telemetry.rejections import Rejections
from graphmind.wiring import open_stores, plugin, resolver_table

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Finds the shared cause behind many failing traces, and proposes the repair.",
    epilog="Exit codes: 0 done, 1 generated files are stale, 2 wrong usage or settings, "
    "3 input cannot be read, 4 a store does not answer or is busy, 5 no such name or query "
    "refused, 130 interrupted.",
)
Paths = Annotated[
    list[str] | None, typer.Argument(help="Files, folders, globs, or - for standard input")
]


@app.callback(invoke_without_command=True)
def version(
    *, show: Annotated[bool, typer.Option("--version", help="Print the version")] = False
) -> None:
    """Finds the shared cause behind many failing traces, and proposes the repair."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.command("load")
def load_command(
    paths: Annotated[list[str], typer.Argument(help="Files, folders, globs, or -")],
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
) -> None:
    """Load trace files, and inventories of agents, models and keys, into the data folder."""
    run = context(data_dir, neo4j, json=json)
    with open_stores(run.settings) as stores:
        loaded, settled = _load(run, stores, paths)
    if run.json:
        _print_json(_input(loaded) | {"duplicate": loaded.duplicate, "settled": settled})
    else:
        run.out.print(
            f"{loaded.spans} spans of {len(loaded.trace_ids)} traces, "
            f"{loaded.duplicate} of them known already; facts of {settled} traces derived"
        )
        tables.print_rejections(run.err, loaded.rejected)


@app.command("analyze")
def analyze_command(
    paths: Paths = None, data_dir: DataDir = None, neo4j: Neo4j = None, *, json: Json = False
) -> None:
    """Find which failing traces share a cause: of these files, or of all that is loaded."""
    run = context(data_dir, neo4j, json=json)
    with open_stores(run.settings) as stores:
        loaded = _load(run, stores, paths)[0] if paths else None
        selection = Selection(trace_ids=loaded.trace_ids if loaded else None)
        with _progress(run) as stage:
            found = analyze(stores, run.settings, selection, stage)
        archived = stores.archive.counts()
    taken = _input(loaded) if loaded else _archived(archived)
    _print_analysis(run, found, taken)
    if loaded:
        tables.print_rejections(run.err, loaded.rejected)


@app.command()
def incidents(data_dir: DataDir = None, neo4j: Neo4j = None, *, json: Json = False) -> None:
    """List the incidents found so far."""
    run = context(data_dir, neo4j, json=json)
    with open_stores(run.settings) as stores:
        found = stores.archive.incidents()
    if run.json:
        _print_json({"incidents": found})
    else:
        tables.print_incidents(run.out, found)


@app.command()
def explain(
    incident: Annotated[str, typer.Argument(help="Id of an incident")],
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    json: Json = False,
) -> None:
    """Show where, what, how, since when and who else of one incident, with its command."""
    run = context(data_dir, neo4j, json=json)
    with open_stores(run.settings) as stores:
        found = stores.archive.incident(incident)
    if run.json:
        _print_json(found)
    else:
        tables.print_incident(run.out, found)


@app.command()
def ask(
    name: Annotated[str, typer.Argument(help="Name of a question")] = "",
    param: Annotated[list[str] | None, typer.Option("--param", help="NAME=VALUE")] = None,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
    *,
    listed: Annotated[bool, typer.Option("--list", help="List the questions")] = False,
    json: Json = False,
) -> None:
    """Ask the graph one of the questions in cypher/questions/."""
    run = context(data_dir, neo4j, json=json)
    if listed or not name:
        _print_rows(run, [_described(q.name) for q in list_questions()])
        return
    asked = question(name)
    given = dict(_pair(text) for text in param or ())
    with open_stores(run.settings) as stores:
        _print_rows(run, stores.graph.read(name, **bind(asked, given)))


@app.command()
def schema(
    *, check: Annotated[bool, typer.Option("--check", help="Only say what is stale")] = False
) -> None:
    """Write the files generated from the graph's schema, or check that they are fresh."""
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
    scenario = Scenario(
        seed=seed,
        traces=traces,
        incidents=incidents,
        kinds=tuple(kind) if kind else None,
        minutes=minutes,
    )
    truth = write_simulation(simulated(scenario), folder)
    typer.echo(f"{truth['traces']} traces, {len(truth['incidents'])} incidents in {folder}")


@app.command()
def demo(data_dir: DataDir = None, neo4j: Neo4j = None, *, json: Json = False) -> None:
    """Simulate a platform with three incidents, and find them."""
    run = context(data_dir, neo4j, json=json)
    folder = run.settings.data_dir / "demo"
    run.err.print(f"simulating 2,000 traces with three planted incidents in {folder}")
    write_simulation(simulated(Scenario(seed=7, traces=2000, incidents=3)), folder)
    own = run.settings.data_dir / "demo-store"
    analyze_command([str(folder / SPANS_FILE)], own, neo4j, json=json)
    run.err.print(
        f"\nNext: graphmind explain INCIDENT --data-dir {own}\n"
        f"      graphmind ask --list\n"
        f"      what was planted: {folder / 'truth.json'}"
    )


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8460,
    data_dir: DataDir = None,
    neo4j: Neo4j = None,
) -> None:
    """Serve the API over the data folder until interrupted."""
    run = context(data_dir, neo4j, json=False)
    with open_stores(run.settings) as stores:
        plugin("graphmind.apps", "api")(stores, run.settings, host=host, port=port)


def _load(run: Context, stores: Stores, paths: list[str]) -> tuple[Loaded, int]:
    """Read, archive and settle; return what came and how many traces have facts."""
    rejected = Rejections()
    read = plugin("graphmind.readers", "spans")
    with _progress(run) as stage:
        batches = read(paths, rejected, stdin=sys.stdin.buffer)
        loaded = load(
            _counted(batches, stage),
            stores.archive,
            run.settings,
            table=resolver_table(run.settings),
            rejected=rejected,
            now_ns=time.time_ns(),
        )
        stage("deriving symptoms and items")
        settled = settle(stores.archive, run.settings, rejected)
    return loaded, settled


def _counted(batches: Iterable[pa.RecordBatch], stage: Any) -> Iterator[pa.RecordBatch]:
    spans = 0
    for batch in batches:
        spans += batch.num_rows
        stage(f"read {spans:,} spans")
        yield batch


class _progress:  # noqa: N801 - used as `with _progress(run) as stage`
    """A spinner with the present stage on standard error; silent for machines."""

    def __init__(self, run: Context) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        quiet = run.json or not run.err.is_terminal
        self._progress = Progress(*columns, console=run.err, disable=quiet, transient=True)

    def __enter__(self) -> Any:
        self._progress.start()
        task = self._progress.add_task("starting")
        return lambda name: self._progress.update(task, description=name)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _input(loaded: Loaded) -> dict[str, Any]:
    return {
        "spans": loaded.spans,
        "traces": len(loaded.trace_ids),
        "rejected": loaded.rejected.rows(),
    }


def _archived(counts: dict[str, int]) -> dict[str, Any]:
    return {"spans": counts["spans"], "traces": counts["traces"], "rejected": []}


def _print_analysis(run: Context, found: Analysis, taken: dict[str, Any]) -> None:
    if run.json:
        _print_json(
            {
                "window": found.window,
                "incidents": found.incidents,
                "unexplained": {"trace_ids": found.unexplained},
                "input": taken,
            }
        )
        return
    window = found.window
    run.out.print(
        f"{taken['spans']:,} spans, {window['traces']:,} traces: {window['failing']:,} failing, "
        f"{window['incomplete']:,} incomplete"
    )
    tables.print_incidents(run.out, found.incidents)
    run.out.print(f"\n{len(found.unexplained)} failing traces belong to no incident.")


def _print_rows(run: Context, rows: list[dict[str, Any]]) -> None:
    if run.json:
        _print_json(rows)
    else:
        tables.print_rows(run.out, rows)


def _print_json(document: object) -> None:
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def _described(name: str) -> dict[str, Any]:
    asked = question(name)
    parameters = ", ".join(
        p.name if p.default is None else f"{p.name}={p.default}" for p in asked.parameters
    )
    return {"question": asked.name, "asks": asked.title, "parameters": parameters}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UnknownName(f"--param takes NAME=VALUE, got {text!r}")
    return name, value


def broken_pipe() -> NoReturn:
    """End quietly when the reader of our output has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0)
