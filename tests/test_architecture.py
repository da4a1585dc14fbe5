"""The structure as a test: sizes, names, READMEs, and documentation that is true."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from graphmind.cli.app import app
from graphmind.graph.questions import list_questions
from graphmind.settings import table

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "graphmind",
    "loaders/graphmind_loaders",
    "api/graphmind_api",
    "capture",
    "benchmarks",
    "deploy",
    "examples",
    "tests",
)
FILE_LINES_MAX, FUNCTION_LINES_MAX = 500, 70
BANNED = {"utils", "helpers", "common", "misc", "manager", "handler", "process", "data", "info"}
ROOMS = (
    *("", "graphmind/telemetry", "graphmind/archive", "graphmind/graph", "graphmind/analysis"),
    *("graphmind/analysis/localisation", "graphmind/analysis/behaviour"),
    *("graphmind/analysis/contamination", "graphmind/matching", "graphmind/classification"),
    *("graphmind/incidents", "graphmind/repair", "graphmind/jobs", "graphmind/cli"),
    *(
        "graphmind/jobs/repairs",
        "graphmind/jobs/reading",
        "graphmind/demo",
        "examples/agent_platform",
    ),
    *("graphmind/repair/strategies", "graphmind/repair/connectors", "graphmind/verification"),
    *("graphmind/simulation", "graphmind/alerts", "graphmind/serving", "capture"),
    *("loaders", "loaders/graphmind_loaders/push", "loaders/graphmind_loaders/pull"),
    *("graphmind/access", "graphmind/jobs/workbench", "api/graphmind_api/access"),
    *("api", "cypher", "benchmarks", "deploy", "tests", "tests/live", "graphmind/jobs/panels"),
)


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_no_file_is_too_long_to_be_read_at_once():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := path.read_text("utf-8").count("\n")) > FILE_LINES_MAX
    }

    assert long == {}


def test_no_function_is_too_long_to_be_seen_at_once():
    long = {
        f"{path.relative_to(ROOT)}:{name}": lines
        for path in sources()
        for name, lines in functions(path)
        if lines > FUNCTION_LINES_MAX
    }

    assert long == {}


def test_no_module_has_a_name_that_says_nothing():
    assert [path for path in sources() if path.stem in BANNED] == []


def test_nothing_is_left_to_do_in_the_code():
    own = Path(__file__)
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    left = [path for path in sources() if path != own and marks.search(path.read_text("utf-8"))]

    assert left == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_readme(room):
    assert (ROOT / room / "README.md").is_file()


def test_every_command_and_every_option_has_help():
    command = get_command(app)
    silent = [
        f"{name} {parameter.name}"
        for name, sub in sorted(command.commands.items())  # type: ignore[attr-defined]  # a group
        for parameter in sub.params
        if not getattr(parameter, "help", None)
    ]

    assert silent == []


def test_the_readme_names_every_command():
    text = (ROOT / "README.md").read_text("utf-8")
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group

    assert [name for name in commands if f"graphmind {name}" not in text] == []


def test_the_readme_states_every_setting_with_its_default():
    text = (ROOT / "README.md").read_text("utf-8")
    rows = [
        f"| `{name}` | `{default}` | {unit} | {meaning} |"
        for name, default, unit, meaning in table()
    ]

    assert [row for row in rows if row not in text] == []


def test_the_page_of_questions_names_every_question():
    text = (ROOT / "cypher" / "README.md").read_text("utf-8")

    assert [q.name for q in list_questions() if q.name not in text] == []
