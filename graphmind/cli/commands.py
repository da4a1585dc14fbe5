"""What each command does: open the stores, call one job, print the answer.

Apart from ``app.py``, because the imports below take over a second that ``--help`` need not wait.
"""

import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from graphmind.archive.port import Selection
from graphmind.cli import tables
from graphmind.cli.logs import log_to_stderr
from graphmind.cli.options import Context
from graphmind.errors import UnknownName
from graphmind.graph.questions import bind, list_questions, question
from graphmind.graph.schema import Node
from graphmind.jobs.analyze import Analysis, Stage, analyze
from graphmind.jobs.inventory import store_inventory
from graphmind.jobs.load import Loaded, load
from graphmind.jobs.settle import settle
from graphmind.jobs.stores import Stores
from graphmind.simulation.files import SPANS_FILE
from graphmind.simulation.files import write as write_simulation
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.rejections import Rejections
from graphmind.wiring import open_desk, open_service, open_stores, plugin, resolver_table


def load_paths(run: Context, paths: Sequence[str]) -> None:
    """Load files and say what came."""
    with open_stores(run.settings) as stores:
        loaded, settled, inventory = _load(run, stores, paths)
    if run.json:
        counts = {"duplicate": loaded.duplicate, "settled": settled, "inventory": inventory}
        print_json(_input(loaded) | counts)
        return
    run.out.print(
        f"{loaded.spans} spans of {len(loaded.trace_ids)} traces, "
        f"{loaded.duplicate} of them known already; facts of {settled} traces derived; "
        f"{inventory} inventory records"
    )
    tables.print_rejections(run.err, loaded.rejected)


def analyze_paths(run: Context, paths: Sequence[str]) -> None:
    """Find the incidents of some files, or of all that is loaded where none is named."""
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


def list_incidents(run: Context) -> None:
    """List the incidents stored."""
    with open_stores(run.settings) as stores:
        found = stores.archive.incidents()
    if run.json:
        print_json({"incidents": found})
    else:
        tables.print_incidents(run.out, found)


def explain_incident(run: Context, incident_id: str) -> None:
    """Show one incident whole."""
    with open_stores(run.settings) as stores:
        found = stores.archive.incident(incident_id)
    if run.json:
        print_json(found)
    else:
        tables.print_incident(run.out, found)


def list_all_questions(run: Context) -> None:
    """List the questions."""
    _print_rows(run, [_described(asked.name) for asked in list_questions()])


def ask_question(run: Context, name: str, parameters: Sequence[str]) -> None:
    """Ask the graph a question by name."""
    asked = question(name)
    given = dict(_pair(text) for text in parameters)
    with open_stores(run.settings) as stores:
        _print_rows(run, stores.graph.read(name, **bind(asked, given)))


def simulate_into(run: Context, scenario: Scenario, folder: Path) -> None:
    """Write a simulation and say what is planted."""
    truth = write_simulation(simulate(scenario), folder)
    planted = len(truth["incidents"])
    run.out.print(f"{truth['traces']} traces with {planted} incidents in {folder}", soft_wrap=True)


def run_demo(run: Context) -> None:
    """Simulate a platform with three incidents beside the stores of the demo, and find them."""
    folder = run.settings.data_dir
    run.err.print("simulating 2,000 traces with three planted incidents")
    write_simulation(simulate(Scenario(seed=7, traces=2000, incidents=3)), folder)
    analyze_paths(run, [str(folder / SPANS_FILE)])
    program = "graphmind" if shutil.which("graphmind") else sys.argv[0]
    run.err.print(
        f"\nNext: {program} explain INCIDENT --data-dir {folder}\n"
        f"      {program} ask --list\n"
        f"      what was planted: {folder / 'truth.json'}",
        soft_wrap=True,
    )


def serve_live(run: Context, *, host: str, port: int) -> None:
    """Take telemetry in and serve the API until interrupted."""
    log_to_stderr()
    with (
        open_stores(run.settings, live=True) as stores,
        open_desk(stores, run.settings) as desk,
        open_service(stores, run.settings, host=host, desk=desk) as service,
    ):
        serve = plugin("graphmind.apps", "api")
        serve(stores, run.settings, service, host=host, port=port, desk=desk)


def _load(run: Context, stores: Stores, paths: Sequence[str]) -> tuple[Loaded, int, int]:
    """Read, archive and settle; return what came, traces with facts, and inventory records."""
    rejected = Rejections()
    inventory: list[Node] = []
    read = plugin("graphmind.readers", "files")
    with _progress(run) as stage:
        found = read(paths, rejected, stdin=sys.stdin.buffer)
        loaded = load(
            _spans(found, inventory, stage),
            stores.archive,
            run.settings,
            table=resolver_table(run.settings),
            rejected=rejected,
            now_ns=time.time_ns(),
        )
        stage("deriving symptoms and items")
        settled = settle(stores.archive, run.settings, rejected)
        if inventory:
            stage("writing the inventory")
            store_inventory(stores, inventory)
    return loaded, settled, len(inventory)


def _spans(
    found: Iterable[pa.RecordBatch | Node], inventory: list[Node], stage: Stage
) -> Iterator[pa.RecordBatch]:
    """Pass the spans on, count them, and put the nodes of inventories aside."""
    spans = 0
    for part in found:
        if isinstance(part, Node):
            inventory.append(part)
            continue
        spans += part.num_rows
        stage(f"read {spans:,} spans")
        yield part


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
        print_json(
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
        print_json(rows)
    else:
        tables.print_rows(run.out, rows)


def print_json(document: object) -> None:
    """Print an answer for machines."""
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
