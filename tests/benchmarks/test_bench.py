import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bench import LONG, Run, machine, main, markdown, provenance, runs, write

TABLE = "## Drawn\n\n| method | Acc@1 |\n| --- | ---: |\n| ours | 1.000 |\n\nNo rival is above.\n"


def test_markdown_and_sentences_stay_as_they_are():
    assert markdown(TABLE) == TABLE


def test_aligned_text_is_fenced():
    assert markdown("a   b\n1   2\n") == "```text\na   b\n1   2\n```\n"


@given(st.text(alphabet="ab| \n.#", max_size=60))
def test_nothing_printed_is_lost(printed):
    kept = [line for line in markdown(printed).splitlines() if not line.startswith("```")]

    assert [line for line in kept if line] == [line for line in printed.split("\n") if line]


def test_all_benchmarks_run_once_and_the_long_ones_again_at_the_end():
    short, both = runs([], long=False), runs([], long=True)

    assert "comparison" in {run.name for run in short}
    assert {"bench", "rivals", "scoring"}.isdisjoint(run.name for run in short)
    assert both == short + [
        Run(name=run.name, arguments=LONG[run.name]) for run in short if run.name in LONG
    ]


@pytest.mark.slow
def test_a_page_tells_the_command_the_commit_the_versions_and_the_machine(tmp_path):
    run = Run(name="comparison", arguments=("--traces", "0", "--simulated", "0"))

    assert write(run, tmp_path) == 0

    page = (tmp_path / "comparison-long.md").read_text()
    assert "`python -m benchmarks comparison --traces 0 --simulated 0`" in page
    assert all(line in page for line in provenance())


def test_the_machine_is_told_without_names():
    assert re.fullmatch(r".+, \d+ cores, \d+ GiB, \w+", machine())


def test_a_benchmark_there_is_not_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["nowhere", "--results", str(tmp_path)])

    assert "no benchmark is called nowhere" in capsys.readouterr().err


@pytest.mark.slow
def test_a_benchmark_that_cannot_run_writes_nothing_and_its_code_is_told(tmp_path):
    assert write(Run(name="comparison", arguments=("--traces", "many")), tmp_path) == 2
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", LONG)
def test_a_long_run_is_of_a_benchmark_there_is(name):
    assert Run(name=name) in runs([], long=False)
