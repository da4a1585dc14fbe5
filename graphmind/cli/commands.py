"""What each command does: ask the workbench, print the answer.

Apart from ``app.py``, because the imports below take over a second that ``--help`` need not wait.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from graphmind.cli import tables
from graphmind.cli.logs import log_to_stderr
from graphmind.cli.options import Context
from graphmind.errors import UnknownName
from graphmind.graph.questions import CATEGORIES, Question, bind, list_questions, question
from graphmind.jobs.workbench.port import Workbench
from graphmind.simulation.files import SPANS_FILE
from graphmind.simulation.files import write as write_simulation
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.wiring import open_desk, open_service, open_stores, open_workbench, plugin


def load_paths(run: Context, paths: Sequence[str]) -> None:
    """Load files and say what came."""
    with working(run) as bench:
        found = bench.load(paths=_absolute(paths))
    if run.json:
        print_json(found)
        return
    run.out.print(
        f"{found['spans']} spans of {found['traces']} traces, "
        f"{found['duplicate']} of them known already; facts of {found['settled']} traces derived; "
        f"{found['inventory']} inventory records"
    )
    tables.print_rejections(run.err, found["rejected"])


def analyze_paths(run: Context, paths: Sequence[str]) -> None:
    """Find the incidents of some files, or of all that is loaded where none is named."""
    with working(run) as bench:
        found = bench.analyze(paths=_absolute(paths))
    _print_analysis(run, found)
    tables.print_rejections(run.err, found["input"]["rejected"])


def list_incidents(run: Context) -> None:
    """List the incidents stored."""
    with working(run) as bench:
        found = bench.incidents()
    if run.json:
        print_json({"incidents": found})
    else:
        tables.print_incidents(run.out, found)


def explain_incident(run: Context, incident_id: str) -> None:
    """Show one incident whole."""
    with working(run) as bench:
        found = bench.incident(incident_id=incident_id)
    if run.json:
        print_json(found)
    else:
        tables.print_incident(run.out, found)


def list_all_questions(run: Context) -> None:
    """List the questions."""
    found = [asked for category in CATEGORIES for asked in list_questions(category)]
    _print_rows(run, [_described(asked) for asked in found])


def ask_question(run: Context, name: str, parameters: Sequence[str]) -> None:
    """Ask the graph a question by name."""
    asked = question(name)
    given = dict(_pair(text) for text in parameters)
    bind(asked, given)  # What is wrong with them needs no store to be told.
    with working(run) as bench:
        _print_rows(run, bench.ask(name=name, parameters=given))


def simulate_into(run: Context, scenario: Scenario, folder: Path) -> None:
    """Write a simulation and say what is planted."""
    truth = write_simulation(simulate(scenario), folder)
    planted = len(truth["incidents"])
    run.out.print(f"{truth['traces']} traces with {planted} incidents in {folder}", soft_wrap=True)


def run_demo(run: Context, *, serve: bool | None) -> None:
    """Simulate a platform with three incidents beside the stores of the demo, and find them.

    Then serve the console over them; by default where a person looks on.
    """
    folder = run.settings.data_dir
    run.err.print("simulating 2,000 traces with three planted incidents")
    write_simulation(simulate(Scenario(seed=7, traces=2000, incidents=3)), folder)
    analyze_paths(run, [str(folder / SPANS_FILE)])
    program = "graphmind" if shutil.which("graphmind") else sys.argv[0]
    run.err.print(
        f"\nNext: {program} explain INCIDENT --data-dir {folder}\n"
        f"      {program} ask --list\n"
        f"      {program} demo --serve     the same in a browser\n"
        f"      what was planted: {folder / 'truth.json'}",
        soft_wrap=True,
    )
    if run.out.is_terminal and not run.json if serve is None else serve:
        serve_stored(run)


def serve_stored(run: Context) -> None:
    """Serve the API and the console over what is stored, taking nothing in, until interrupted."""
    run.err.print("\nOpen the address in a browser; Ctrl-C ends it.")
    with open_stores(run.settings) as stores, open_desk(stores, run.settings) as desk:
        serve = plugin("graphmind.apps", "api")
        serve(stores, run.settings, None, host="127.0.0.1", port=0, desk=desk)


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


@contextmanager
def working(run: Context) -> Iterator[Workbench]:
    """Open what answers, the stores or the server that owns them, and show what it does."""
    with _progress(run) as stage, open_workbench(run.settings, stage) as bench:
        yield bench


def _absolute(paths: Sequence[str]) -> list[str]:
    """Name files so that a server finds them too; ``-`` is standard input."""
    return [path if path == "-" else os.path.abspath(path) for path in paths]  # noqa: PTH100 - patterns


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


def _print_analysis(run: Context, found: Mapping[str, Any]) -> None:
    if run.json:
        print_json(found)
        return
    window, taken = found["window"], found["input"]
    run.out.print(
        f"{taken['spans']:,} spans, {window['traces']:,} traces: {window['failing']:,} failing, "
        f"{window['incomplete']:,} incomplete"
    )
    tables.print_incidents(run.out, found["incidents"])
    unexplained = len(found["unexplained"]["trace_ids"])
    run.out.print(f"\n{unexplained} failing traces belong to no incident.")


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


def _described(asked: Question) -> dict[str, Any]:
    parameters = ", ".join(
        p.name if p.default is None else f"{p.name}={p.default}" for p in asked.parameters
    )
    return {
        "category": asked.category,
        "question": asked.name,
        "asks": asked.title,
        "parameters": parameters,
    }


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UnknownName(f"--param takes NAME=VALUE, got {text!r}")
    return name, value
